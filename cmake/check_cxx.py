#!/usr/bin/env python3
"""Checks every C++ source of the libraries and services with clang-tidy and clang's thread safety
analysis (.clang-tidy names the checks), and that every header compiles on its own.

Reads build/tidy/compile_commands.json. A file that passed with the same text, includes, flags and checks
is not looked at again: what passed is remembered in $KORDER_CACHE/tidy, for every clone of the repository.
Shows progress; prints all findings, and exits 1 when there are some.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "tidy"
FOLDERS = ("libs", "services", "cli")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def sha(*texts):
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text if isinstance(text, bytes) else text.encode())
        digest.update(b"\0")
    return digest.hexdigest()


class Passed:
    """What passed before: files named by the hash of everything that a verdict depends on."""

    def __init__(self):
        cache = os.environ.get("KORDER_CACHE")
        if not cache:
            cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "korder")
        self.folder = pathlib.Path(cache) / "tidy"
        self.folder.mkdir(parents=True, exist_ok=True)
        versions = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
        self.common = sha((ROOT / ".clang-tidy").read_bytes(), versions)
        self.hashes = {}

    def key(self, job, deps):
        return sha(self.common, job.name, json.dumps(job.flags).replace(str(ROOT), ""),
                   *(self.hash_of(dep) for dep in deps))

    def hash_of(self, path):
        if path not in self.hashes:
            file = ROOT / path
            self.hashes[path] = sha(path, file.read_bytes() if file.is_file() else b"gone")
        return self.hashes[path]

    def has(self, job):
        """True if the job passed before; the includes of then are looked at as they are now."""
        known = self.folder / sha(job.name)
        if not known.is_file():
            return False
        return (self.folder / self.key(job, known.read_text().splitlines())).is_file()

    def remember(self, job, deps):
        (self.folder / sha(job.name)).write_text("\n".join(deps))
        (self.folder / self.key(job, deps)).touch()


class Job:
    """One file to look at: a source, or a header that nothing else proves to be self-contained."""

    def __init__(self, path, flags):
        self.name = path.relative_to(ROOT).as_posix()
        self.path = path
        self.flags = flags

    def run(self):
        """The findings, or an empty string; and the project's files it was made of."""
        if self.path.suffix == ".h":
            command = ["clang++", *self.flags, "-Wno-pragma-once-outside-header", "-fsyntax-only", "-x", "c++",
                       str(self.path)]
        else:
            command = ["clang-tidy", "--quiet", "-p", str(BUILD), str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            noise = re.compile(r"^\d+ warnings? |^Suppressed |^Use -header-filter|warnings? treated as error")
            lines = (done.stdout + done.stderr).splitlines()
            return "\n".join(line for line in lines if not noise.search(line)), []
        listed = subprocess.run(["clang++", *self.flags, "-MM", "-x", "c++", str(self.path)],
                                capture_output=True, text=True, check=True).stdout
        deps = sorted(os.path.relpath(word, ROOT) for word in listed.replace("\\\n", " ").split()[1:])
        return "", deps


def flags_of(command):
    """The flags of a compiler call, without launcher, object and dependency files."""
    words = shlex.split(command)
    words = words[next(i for i, word in enumerate(words) if word.endswith("clang++")) + 1:]
    flags = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-c", "-MT", "-MF"):
            skip = True
        elif word != "-MD":
            flags.append(word)
    return flags


def is_first_include(header, source):
    match = INCLUDE.search(source.read_text())
    return match is not None and header.as_posix().endswith("/" + match.group(1))


def jobs():
    commands = {pathlib.Path(entry["file"]): entry["command"]
                for entry in json.loads((BUILD / "compile_commands.json").read_text())}
    result = []
    for folder in FOLDERS:
        here = ROOT / folder
        sources = [path for path in sorted(here.rglob("*.cc")) if not path.name.endswith("_test.cc")]
        flags = {}
        for source in sources:
            if source not in commands:
                sys.exit(f"{source.relative_to(ROOT)}: is not part of the build")
            own = flags_of(commands[source])
            result.append(Job(source, own))
            # Of a folder with several libraries, those of the one that may include most.
            flags[source.parent] = max(flags.get(source.parent, []), own, key=len)
        for header in sorted(here.rglob("*.h")):
            twins = [header.with_suffix(".cc"), header.with_name(header.stem + "_test.cc")]
            if any(twin.is_file() and is_first_include(header, twin) for twin in twins):
                continue  # The build compiles it first in its own source.
            folder_flags = next((flags[parent] for parent in header.parents if parent in flags), None)
            folder_flags = folder_flags or next(iter(flags.values()))
            result.append(Job(header, folder_flags))
    return result


def main():
    passed = Passed()
    todo = [job for job in jobs() if not passed.has(job)]
    failed = []
    done = 0
    lock = threading.Lock()

    def work(job):
        nonlocal done
        start = time.monotonic()
        findings, deps = job.run()
        with lock:
            done += 1
            verdict = "" if not findings else "  FAILED"
            print(f"[{done}/{len(todo)}] {job.name} ({time.monotonic() - start:.1f} s){verdict}", flush=True)
            if findings:
                failed.append(job.name)
                print(findings, flush=True)
            else:
                passed.remember(job, deps)

    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS") or os.cpu_count())) as pool:
        list(pool.map(work, todo))
    if failed:
        print(f"{len(failed)} files with findings: " + " ".join(sorted(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
