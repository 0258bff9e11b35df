#!/usr/bin/env python3
"""What runs of the test "handoff storm" printed, as figures like those of the other benches.

    tests/bench/claims.py RUN.log...
"""
import json
import pathlib
import re
import statistics
import sys


def figure(name, values, gate, goal, beside):
    return {"name": name, "value": statistics.median(values), "least": min(values), "most": max(values),
            "runs": len(values), "gate": gate, "goal": goal, "beside": beside}


def main():
    p50, p99, rates, stolen, handoffs = [], [], [], 0, 0
    for path in sys.argv[1:]:
        text = pathlib.Path(path).read_text()
        ratio = re.search(r"^P4: p50 ([\d.]+)x, p99 ([\d.]+)x .*; (\d+) stolen", text, re.M)
        storms = re.findall(r"^thief storm.* ([\d.]+)/s, .*; (\d+) stolen; (\d+) of", text, re.M)
        if not ratio or not storms:
            sys.exit(f"{path}: not what the test prints:\n{text}")
        p50.append(float(ratio[1]))
        p99.append(float(ratio[2]))
        rates += [float(rate) for rate, _, _ in storms]
        stolen += int(ratio[3]) + sum(int(count) for _, count, _ in storms)
        handoffs += int(storms[-1][2])
    bare = "bare pods on idle nodes"
    print(json.dumps({
        "figures": [
            figure("P4 p50 of a claim, times a bare pod's bind", p50, "", "", bare),
            figure("P4 p99 of a claim, times a bare pod's bind", p99, "<= 3", "<= 1.5", bare),
            figure(f"P4 stolen of {handoffs}", [stolen], "<= 0", "<= 0", ""),
            figure("   claims per second among thieves", rates, "", "", "")],
        "samples": {"p50Ratio": p50, "p99Ratio": p99, "claimsPerSecond": rates}}))


if __name__ == "__main__":
    main()
