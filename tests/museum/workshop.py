"""A copy of korder in which mistakes are planted, one at a time, to see whether a test notices.

  workshop = Workshop("museum", "address,undefined")
  workshop.prepare([("quota_svc_core_test", "ledger admit")])
  result = workshop.plant("services/quota-svc/ledger.cc", changed_text, "quota_svc_core_test", "ledger admit")
  result.verdict, result.failed      # "caught", ["ledger: ..."]

The copy stays in build/<name> and its build within it, so that only what a mistake changes is compiled again. They lie
to each other as in the tree itself: ccache then has what was compiled there.
"""
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CAUGHT = "caught"
MISSED = "NOT CAUGHT"
BROKEN = "does not compile"
SIMULATION = "simulation"  # a target that runs seeds until one fails
SIMULATED_SEEDS = 40  # so that the verdict does not depend on how busy the machine is


@dataclass
class Result:
    verdict: str
    failed: list = field(default_factory=list)  # names of the tests
    output: str = ""  # of the compiler


class Workshop:
    def __init__(self, name, sanitizers, longest_test=1800):
        self.copy = ROOT / "build" / name
        self.build = self.copy / "build" / "dev"
        self.sanitizers = sanitizers
        self.longest_test = longest_test  # seconds; a test that hangs has noticed, too

    def prepare(self, tests):
        """Copies the sources as they are now, builds them, and makes sure that the tests pass. A test is a target and
        what is in the names of the tests that count."""
        self._copy_sources()
        self._must(["cmake", "-S", self.copy, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                    f"-DKORDER_SANITIZE={self.sanitizers}"], "configuring")
        self._must(["ninja", "-C", self.build, *sorted({target for target, _ in tests})], "building without a mistake")
        for target, expected in tests:
            failed = self._failing_tests(target, expected)
            if failed is None or failed:
                sys.exit(f"{target} fails without any mistake: {', '.join(failed or ['it crashed or hung'])}")

    def plant(self, file, text, target, expected):
        """Builds and tests with another text of one file, and puts the file back. Runs only the tests that have
        `expected` in their names, all when none has."""
        path = self.copy / file
        original = path.read_text()
        path.write_text(text)
        try:
            built = self._run(["ninja", "-C", self.build, target])
            if built.returncode != 0:
                return Result(BROKEN, output=built.stdout[-3000:])
            failed = self._failing_tests(target, expected)
            if failed is None:
                return Result(CAUGHT, ["(the program crashed or hung)"])
            if failed:
                return Result(CAUGHT, failed)
        finally:
            path.write_text(original)
        return Result(MISSED)

    def _copy_sources(self):
        listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True)
        wanted = {name for name in listed.splitlines() if (ROOT / name).is_file()}
        self.copy.mkdir(parents=True, exist_ok=True)
        for path in [p for p in self.copy.rglob("*") if p.is_file()]:
            name = path.relative_to(self.copy)
            if name.parts[0] != "build" and str(name) not in wanted:
                path.unlink()
        for name in wanted:
            source, copy = ROOT / name, self.copy / name
            if not copy.exists() or copy.read_bytes() != source.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, copy)
                shutil.copymode(source, copy)

    def _run(self, command, **options):
        environment = {**os.environ, "CCACHE_BASEDIR": str(self.copy), "CCACHE_NOHASHDIR": "1"}
        return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False, env=environment, **options)

    def _must(self, command, what):
        result = self._run(command)
        if result.returncode != 0:
            print(result.stdout[-6000:], file=sys.stderr)
            sys.exit(f"{what} failed")

    def _program(self, target):
        found = [path for path in self.build.rglob(target) if path.is_file() and os.access(path, os.X_OK)]
        if len(found) != 1:
            sys.exit(f"{len(found)} programs are called {target}")
        return found[0]

    def _simulate(self):
        """The invariant that a seed breaks; nothing when none does."""
        result = self._run([self._program(SIMULATION), "--seeds", SIMULATED_SEEDS, "--jobs", 1, "--most-failures", 1,
                            "--no-shrink"])
        found = re.search(r"^FAILED (I\d+: .*)", result.stdout, re.MULTILINE)
        if found:
            return [f"simulation, {found.group(1)}"]
        return [] if result.returncode == 0 else None

    def _failing_tests(self, target, expected):
        """Names of the tests that fail; None when the program did not come to an end by itself."""
        if target == SIMULATION:
            return self._simulate()
        report = self.build / "report.xml"
        report.unlink(missing_ok=True)
        try:
            # A comma or a bracket in a name would be a sign to Catch2.
            chosen = ["*" + re.sub(r"([,\[\]\\])", r"\\\1", expected) + "*"] if expected else []
            result = self._run([self._program(target), "-r", "junit", "-o", report, *chosen],
                               timeout=self.longest_test, cwd=self.copy)
            cases = list(ElementTree.parse(report).getroot().iter("testcase"))
            if expected and not cases:  # the name is that of a section
                return self._failing_tests(target, "")
        except (subprocess.TimeoutExpired, ElementTree.ParseError, FileNotFoundError):
            return None
        failed = {case.get("name", "") for case in cases
                  if case.find("failure") is not None or case.find("error") is not None}
        return sorted(failed) if failed or result.returncode == 0 else None
