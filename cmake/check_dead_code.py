#!/usr/bin/env python3
"""Names what nothing uses: functions, files, targets, RPCs and messages, metrics, options of the build.

  cmake/check_dead_code.py                    what can be told from the sources
  cmake/check_dead_code.py --build build/dev  functions, too: reads the objects of a complete dev build

A function is dead when no path of references leads to it from the `main` of a service or of korderctl; what only a test calls
is dead. Reads relocations, so it knows functions that are not inline, and calls through tables as uses. The dev build is
needed because its compiler inlines nothing. Prints every finding and exits 1 when there are some.
"""
import argparse
import bisect
import collections
import json
import pathlib
import re
import shlex
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What nothing calls and yet stays, and why. By how the function's name begins, without its arguments.
KEPT = {
    "korder::SharedText::Kept": "how a test sees that texts go which nobody has any more",
    "korder::log::Silence": "the simulation runs thousands of processes in one",
    "korder::kube::Controller::ProcessDue": "a worker's step, for the simulation and for tests with one thread",
    "korder::kube::WorkQueue::TryGet": "as ProcessDue",
    "korder::kube::WorkQueue::NextDeadline": "as ProcessDue",
    "korder::kube::WorkQueue::Failures": "how a test sees that a key is given up or tried again",
    "korder::kube::WorkQueue::size": "how a test sees what waits",
    "korder::quota::GrantTable::All": "how tests see the whole ledger",
    "korder::ticket::JoinedCharges::Waiting": "how a test knows that the others wait behind a call",
    "korder::runtime::GrpcServer::InProcessChannel": "a test's way in, without a socket",
    "korder::runtime::GrpcServer::port": "tests bind port 0",
    "korder::runtime::HttpServer::port": "tests bind port 0",
    "korder::api::operator<<": "what a failed test shows",
    "korder::api::Quantity::Value": "compared with what Kubernetes computes (tests/differential)",
    "korder::api::Quantity::MilliValue": "as Value",
    "korder::AlreadyExistsError": "one function for each code that korder uses, and this one crosses gRPC",
    "korder::api::EffectiveDuration": "only its test calls it",
    "korder::kube::ChildProcess::running": "only its test calls it",
    "korder::kube::Validate": "only its test calls it: every service has the timings that are the default",
    "korder::json::Reader::Double": "a field may be a double; those of korder are only written",
}
# RPCs that nothing of korder calls.
KEPT_RPCS = {
    "Handoffs": "for people, with grpcurl: what no command of korderctl shows",
}
# What tests are made of; nothing that ships has it.
TEST_CODE = re.compile(r"(^|/)testing/|_test\.cc$|^tests/")


def sources(*patterns):
    """The files of the repository that match, without those that git does not know and will not (build folders)."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
                            cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
    return [name for name in sorted(set(listed)) if (ROOT / name).is_file()]


def text_of(name):
    return (ROOT / name).read_text(errors="replace")


# --- functions ---

FUNCTION, GLOBAL, WEAK = 2, 1, 2  # STT_FUNC, STB_GLOBAL, STB_WEAK
ALLOCATED, RELA, SYMBOLS = 2, 4, 2  # SHF_ALLOC, SHT_RELA, SHT_SYMTAB


class Object:
    """One .o: what each of its pieces refers to. A piece is a symbol, or a section where no symbol covers the place."""

    def __init__(self, path):
        self.path = path
        data = path.read_bytes()
        headers, = struct.unpack_from("<Q", data, 40)
        count, names = struct.unpack_from("<HH", data, 60)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", data, headers + 64 * i) for i in range(count)]
        strings = self.sections[names][4]
        self.section_names = [self.text(data, strings + section[0]) for section in self.sections]
        self.uses = collections.defaultdict(set)  # piece -> pieces
        self.read_symbols(data)
        for section in self.sections:
            if section[1] == RELA and self.sections[section[7]][2] & ALLOCATED:
                self.read_relocations(data, section)

    @staticmethod
    def text(data, at):
        return data[at:data.index(b"\0", at)].decode()

    def read_symbols(self, data):
        self.symbols, self.functions, self.local = [], [], []
        self.places = collections.defaultdict(list)  # section -> (begin, end, piece)
        table = next(section for section in self.sections if section[1] == SYMBOLS)
        strings = self.sections[table[6]][4]
        for name, info, _, section, value, size in struct.iter_unpack("<IBBHQQ", data[table[4]:table[4] + table[5]]):
            binding, kind = info >> 4, info & 15
            title = self.text(data, strings + name)
            shared = binding in (GLOBAL, WEAK)
            piece = title if shared else (self.path, section, value if kind != 3 else None)
            self.symbols.append((piece, kind, section, value))
            if 0 < section < 0xff00 and kind != 3 and size > 0:
                self.places[section].append((value, value + size, piece))
            if kind == FUNCTION and binding == GLOBAL and section:
                self.functions.append(title)
            elif kind == FUNCTION and not shared:
                self.local.append(piece)
        for places in self.places.values():
            places.sort(key=lambda place: place[:2])
            # A constructor has two names for one place, and piece_at() gives the last.
            for (begin, _, name), (next_begin, _, next_name) in zip(places, places[1:]):
                if begin == next_begin:
                    self.uses[name].add(next_name)

    def piece_at(self, section, offset):
        places = self.places[section]
        i = bisect.bisect_right(places, offset, key=lambda place: place[0]) - 1
        if i >= 0 and offset < places[i][1]:
            return places[i][2]
        return (self.path, section, None)

    def read_relocations(self, data, table):
        place = table[7]
        if self.section_names[place] == ".eh_frame":
            return  # says where functions are, and needs none
        for offset, info, addend in struct.iter_unpack("<QQq", data[table[4]:table[4] + table[5]]):
            piece, kind, section, value = self.symbols[info >> 32]
            if kind == 3:  # a section: what stands there
                # A call names the place four bytes before the one it means.
                piece = self.piece_at(section, value + addend + (4 if info & 0xffffffff in (2, 4) else 0))
            self.uses[self.piece_at(place, offset)].add(piece)

    def at_start(self):
        """Pieces that count as used with the object: what runs before main, and functions without a name for others. Of calls
        to those nothing can be seen, and the compiler complains of unused ones."""
        yield from self.local
        for i, name in enumerate(self.section_names):
            if name.startswith((".init_array", ".fini_array", ".ctors", ".preinit")):
                yield (self.path, i, None)
                yield from (piece for _, _, piece in self.places[i])


def objects_of(build):
    """(source, object) of everything that the build folder compiles."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        output = pathlib.Path(entry["directory"]) / words[words.index("-o") + 1]
        yield pathlib.Path(entry["file"]), output


def reachable(objects, mains):
    defined = collections.defaultdict(list)  # symbol -> objects
    for obj in objects:
        for symbol, _, section, _ in obj.symbols:
            if isinstance(symbol, str) and section:
                defined[symbol].append(obj)
    seen, linked = set(), set()
    todo = [(obj, "main") for obj in mains]
    while todo:
        obj, piece = todo.pop()
        if (obj.path, piece) in seen:
            continue
        seen.add((obj.path, piece))
        if obj not in linked:
            linked.add(obj)
            todo += [(obj, start) for start in obj.at_start()]
        for used in obj.uses.get(piece, ()):
            todo += [(there, used) for there in defined.get(used, ())] if isinstance(used, str) else [(obj, used)]
    return {piece for _, piece in seen if isinstance(piece, str)}


def readable(symbols):
    """Demangled, without arguments: constructors and destructors have several symbols of one name."""
    symbols = sorted(symbols)
    plain = subprocess.run(["c++filt", "--no-params"], input="\n".join(symbols), capture_output=True, check=True,
                           text=True).stdout.splitlines()
    return dict(zip(symbols, plain))


def dead_functions(build):
    shipped, mains, missing = [], [], 0
    for source, output in objects_of(build):
        name = source.relative_to(ROOT).as_posix() if source.is_relative_to(ROOT) else source.as_posix()
        generated = "/proto/" in name
        if not generated and (TEST_CODE.search(name) or not name.startswith(("libs/", "services/", "cli/"))):
            continue
        if not output.exists():
            missing += 1
            continue
        obj = Object(output)
        obj.source, obj.generated = name, generated
        shipped.append(obj)
        if name.endswith("/main.cc"):
            mains.append(obj)
    if missing:
        yield f"{build} is not complete: {missing} objects of what ships are missing (make test builds them)"
        return
    alive = reachable(shipped, mains)
    names = readable({function for obj in shipped if not obj.generated for function in obj.functions} | alive)
    living = {names[symbol] for symbol in alive}
    for obj in shipped:
        if obj.generated:
            continue
        for name in sorted({names[function] for function in obj.functions} - living):
            # Constructors and destructors go with their class.
            special = re.search(r"(\w+)::~?\1$", name)
            if "korder" in name and not special and not any(name.startswith(kept) for kept in KEPT):
                yield f"{obj.source}: nothing that ships calls {name}"


# --- files and targets ---

def dead_files():
    lists = {name: text_of(name) for name in sources("*CMakeLists.txt", "*.cmake")}
    named = set()
    for path, text in lists.items():
        folder = pathlib.PurePosixPath(path).parent
        for word in re.findall(r"[\w./${}-]+\.(?:cc|proto|go)\b", text):
            word = word.replace("${CMAKE_SOURCE_DIR}/", "/")
            parts = []
            for part in (str(folder / word) if not word.startswith("/") else word[1:]).split("/"):
                parts = parts[:-1] if part == ".." else parts if part == "." else [*parts, part]
            named.add("/".join(parts))
    for name in sources("*.cc", "*.proto"):
        relative = name.removeprefix("proto/")
        # Some lists have a function that makes a target of one file: korder_fuzzer(cron ...) of fuzz_cron.cc.
        path = pathlib.PurePosixPath(name)
        stem = path.stem.removeprefix("fuzz_")
        made = re.search(rf"^\s*korder_\w+\({stem}\b", lists.get(f"{path.parent}/CMakeLists.txt", ""), re.M)
        known = name in named or (name.endswith(".proto") and f"proto/{relative}" in named) or made
        if not known:
            yield f"{name}: no target has it"
    included = set()
    for name in sources("*.cc", "*.h", "*.py"):  # some programs write C++
        for target in re.findall(r'^.*#\s*include\s*"([^"]+)"', text_of(name), re.M):
            included.add((target, pathlib.PurePosixPath(name).parent.as_posix()))
    for name in sources("*.h"):
        path = pathlib.PurePosixPath(name)
        spelled = {name, name.removeprefix("libs/").removeprefix("services/").removeprefix("tests/")}
        used = any(target in spelled or (there == path.parent.as_posix() and target == path.name)
                   for target, there in included) or \
            any(target == path.name and (ROOT / there).is_relative_to(ROOT / "tests") for target, there in included)
        if not used:
            yield f"{name}: nothing includes it"


def dead_targets():
    everything = {name: text_of(name) for name in sources("*CMakeLists.txt", "*.cmake", "Makefile", "scripts/*", "tests/*/*", "deploy/tests/*", ".ci/*")
                  if not name.endswith((".cc", ".h"))}
    cmake = "\n".join(text for name, text in everything.items() if name.endswith(("CMakeLists.txt", ".cmake")))
    rest = "\n".join(everything.values())
    for pattern, prefix in ((r"^add_(?:library|executable)\((\w[\w-]*)", ""), (r"^korder_library\((\w+)", "korder_"),
                            (r"^korder_proto\((\w+)", "korder_proto_")):
        for name in re.findall(pattern, cmake, re.M):
            if len(re.findall(rf"\b{re.escape(prefix + name)}\b", rest)) < (2 if not prefix else 1):
                yield f"the target {prefix}{name}: nothing links or runs it"
    for name in re.findall(r"^function\((\w+)", cmake, re.M):
        if not re.search(rf"\b{name}\(", cmake + "".join(text_of(program) for program in sources("*.py"))):
            yield f"the CMake function {name}: nothing calls it"
    for name in re.findall(r"^(?:option|set)\((KORDER_\w+)[^)]*?(?:CACHE|ON|OFF)", cmake, re.M):
        if len(re.findall(rf"\b{name}\b", cmake)) < 2:
            yield f"the option {name}: nothing asks for it"


# --- protocols and metrics ---

def dead_protocol():
    code = {name: text_of(name) for name in sources("libs/*.cc", "libs/*.h", "services/*.cc", "services/*.h", "cli/*.cc", "cli/*.h")
            if not TEST_CODE.search(name)}
    everything = "\n".join(code.values())
    protos = {name: re.sub(r"//.*", "", text_of(name)) for name in sources("*.proto")}
    for path, text in protos.items():
        for rpc in re.findall(r"\brpc (\w+)\(", text):
            calls = rf"->(?:Async|PrepareAsync)?{rpc}\(|Stub(?:Interface)?::{rpc}\b"
            if rpc not in KEPT_RPCS and not re.search(calls, everything):
                yield f"{path}: nothing that ships calls the RPC {rpc}"
        used = set(re.findall(r"[\w.]+", " ".join(re.findall(r"\brpc \w+\(([^)]*)\)\s*returns\s*\(([^)]*)\)", text)[0]))) \
            if "rpc " in text else set()
        for message in re.findall(r"\b(?:message|enum) (\w+)", text):
            elsewhere = sum(len(re.findall(rf"(?<!message )(?<!enum )\b{message}\b", other)) for other in protos.values())
            if not elsewhere and message not in used:
                yield f"{path}: nothing has a {message}"


def dead_metrics():
    code = "\n".join(text_of(name) for name in sources("libs/*.cc", "services/*.cc", "libs/*.h", "services/*.h") if not TEST_CODE.search(name))
    shown = "\n".join(text_of(name) for name in sources("docs/*", "deploy/*", "README.md", "tests/*", "scripts/*"))
    families = tuple(re.findall(r"\b(korder_[a-z0-9_]+_)\*", shown))  # korder_workqueue_*
    for metric in sorted(set(re.findall(r'"(korder_[a-z0-9_]+)"', re.sub(r"//.*", "", code)))):
        if metric not in shown and not metric.startswith(families):
            yield f"the metric {metric}: no page, panel, alert or test has it"


def main():
    parser = argparse.ArgumentParser(description="Names what nothing uses")
    parser.add_argument("--build", type=pathlib.Path, help="a complete dev build")
    build = parser.parse_args().build
    problems = [*dead_files(), *dead_targets(), *dead_protocol(), *dead_metrics()]
    if build:
        problems += dead_functions(build.resolve())
    for problem in problems:
        print(f"check_dead_code: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
