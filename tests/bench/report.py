#!/usr/bin/env python3
"""Prints what build/bench.json says: every figure with its gate and goal and whether it reaches them, then the curves.

    tests/bench/report.py build/bench.json [--markdown]
"""
import json
import pathlib
import sys


def holds(value, condition):
    operator, bound = condition.split()
    bound = float(bound)
    if operator == "<=":
        return value <= bound
    if operator == ">=":
        return value >= bound
    raise ValueError(f"no such condition: {condition}")


def verdict(figure):
    """goal: as good as it is meant to become; gate: good enough; MISSED: not that; -: only told."""
    if figure["goal"] and holds(figure["value"], figure["goal"]):
        return "goal"
    if figure["gate"]:
        return "gate" if holds(figure["value"], figure["gate"]) else "MISSED"
    return "below goal" if figure["goal"] else "-"


def number(value):
    """Three digits that matter; counts as they are."""
    if value == round(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.3f}"


def spread(figure):
    return "" if figure["runs"] < 2 else f"{number(figure['least'])} - {number(figure['most'])}"


def rows(bench):
    for part, content in bench["parts"].items():
        if part.startswith("curve-"):
            continue
        for figure in content.get("figures", []):
            yield part, [figure["name"], number(figure["value"]), spread(figure), str(figure["runs"]),
                         figure["beside"], figure["gate"], figure["goal"], verdict(figure)]


def curves(bench):
    """Each as {name, x, y, points: [{x, y}]}: those of decisions, and what the points on the control plane come to."""
    found = list(bench["parts"].get("decisions", {}).get("samples", {}).get("curves", []))
    found = [curve for curve in found if curve["points"]]
    for name, x in (("tickets", "live tickets of one Order"), ("orders", "Orders, 1,000 tickets in all")):
        rate, memory, total = [], [], []
        for part, content in bench["parts"].items():
            if part.startswith(f"curve-{name}="):
                size = int(part.split("=")[1])
                run = content["samples"]["runs"][-1]
                resident = run["residentBytes"].values()
                rate.append({"x": size, "y": run["perSecond"]})
                grown = sum(service["ready"] - service["before"] for service in resident)
                memory.append({"x": size, "y": grown / run["count"] / 1024})
                total.append({"x": size, "y": sum(service["ready"] for service in resident) / 2**20})
        for points, kind, y in ((rate, "rate", "tickets Ready per second"), (memory, "memory", "KiB for each ticket"),
                                (total, "total", "MiB of the four services")):
            if points:
                found.append({"name": f"{name}-{kind}", "x": x, "y": y,
                              "points": sorted(points, key=lambda point: point["x"])})
    return found


HEADER = ["", "median", "least - most", "runs", "beside", "gate", "goal", "verdict"]


def print_text(table):
    widths = [max(len(row[i]) for row in table) for i in range(len(HEADER))]
    for row in table:
        print("  ".join(cell.rjust(width) if i in (1, 2, 3) else cell.ljust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def print_markdown(table):
    for i, row in enumerate(table):
        print("| " + " | ".join(cell.strip() for cell in row) + " |")
        if i == 0:
            print("|" + "---|" * len(HEADER))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    bench = json.loads(pathlib.Path(sys.argv[1]).read_text())
    markdown = "--markdown" in sys.argv[2:]
    out = print_markdown if markdown else print_text
    table = [HEADER]
    last = None
    for part, row in rows(bench):
        if part != last:
            run = bench["parts"][part].get("run", {})
            said = f"== {part}" + (" (quick)" if run.get("quick") else "")
            table.append([f"**{part}**" if markdown else said] + [""] * (len(HEADER) - 1))
            last = part
        table.append(row)
    if len(table) > 1:
        print()
        out(table)
    for curve in curves(bench):
        print(f"\n{curve['name']}: {curve['y']}, by {curve['x']}")
        if markdown:
            print()
        for point in curve["points"]:
            print(f"{'- ' if markdown else '  '}{point['x']:>8,}: {number(point['y'])}")
    busy = [part for part, content in bench["parts"].items()
            if float(content.get("run", {}).get("loadBefore", "0").split()[0]) > 1]
    if busy:
        print(f"\nThe machine was busy with something else before: {', '.join(busy)}.")


if __name__ == "__main__":
    main()
