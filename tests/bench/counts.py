#!/usr/bin/env python3
"""Counts what korder's decisions cost in instructions and its stores in bytes, and fails above the ceilings.

    tests/bench/counts.py build/dev/tests/bench/cost_driver            compare with ceilings.json
    tests/bench/counts.py build/dev/tests/bench/cost_driver --update   set the ceilings a little above what is counted

Instructions are counted by valgrind's callgrind, bytes by the allocator: neither depends on how fast or busy the
machine is, so a change that is above a ceiling has made something dearer. If it is worth it, raise the ceiling with
--update in the same commit, and say in its message why. Far below a ceiling, lower it the same way. They are counted
with Debian 12's compiler and libraries; others may well be above.
writesPerTicketUntilReady is the limit of the integration test "scale", and set by hand: one more write for each ticket is
above it, an event for each (there are fewer when all goes fast) is not.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CEILINGS = pathlib.Path(__file__).with_name("ceilings.json")
# Runs differ by less than 0.1 %; processors by up to 2 %, since the C library copies with what they have (AVX2 or not).
HEADROOM = 1.05
TIMES = {"ledger": 50, "claims": 2, "admission": 20}
OBJECTS = 2000


def instructions(driver, case, times):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", driver, case, str(times)],
            capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"{case}: valgrind failed\n{done.stderr}")
    return int(found.group(1))


def per_decision(driver, case):
    """Of two runs of different length, so that what the program does once does not count."""
    times = TIMES[case]
    return (instructions(driver, case, 2 * times) - instructions(driver, case, times)) / times


def bytes_each(driver, kind):
    printed = subprocess.run([driver, kind, str(OBJECTS)], capture_output=True, text=True, check=True).stdout
    return int(printed) / OBJECTS


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not shutil.which("valgrind"):
        sys.exit("counts: valgrind is missing; scripts/bootstrap installs it")
    driver = sys.argv[1]
    update = "--update" in sys.argv[2:]
    ceilings = json.loads(CEILINGS.read_text())
    failed = False
    counted = {
        "instructionsPerDecision": {case: per_decision(driver, case) for case in TIMES},
        "bytesKept": {kind: bytes_each(driver, kind) for kind in ceilings["bytesKept"]},
    }
    for group, values in counted.items():
        for name, value in values.items():
            ceiling = ceilings[group][name]
            if update:
                ceilings[group][name] = ceiling = round(value * HEADROOM)
            above = value > ceiling
            failed = failed or above
            note = "ABOVE" if above else "could be lower" if value < ceiling / HEADROOM ** 2 else ""
            print(f"{group:24} {name:10} {value:12,.0f}   ceiling {ceiling:12,}   {note}".rstrip())
    if update:
        CEILINGS.write_text(json.dumps(ceilings, indent=2) + "\n")
    if failed:
        print(f"\nDearer than allowed. If it is worth it: {sys.argv[0]} {driver} --update, and say why.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
