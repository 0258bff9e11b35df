#!/usr/bin/env python3
"""Draws what build/bench.json says, as SVG: one chart of all ratios beside gate and goal, one for each curve.

    tests/bench/charts.py build/bench.json FOLDER
"""
import json
import math
import pathlib
import sys
from xml.sax.saxutils import escape

sys.dont_write_bytecode = True
import report

FONT = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif"'
INK, FAINT, GRID = "#222222", "#667085", "#e4e7ec"
COLOUR = {"goal": "#2e7d32", "gate": "#1565c0", "MISSED": "#c62828", "below goal": "#1565c0"}
SAID = {"goal": "reaches its goal", "gate": "passes its gate", "MISSED": "misses its gate"}


class Svg:
    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []

    def line(self, x1, y1, x2, y2, colour, width=1, dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"{dashes}/>')

    def rect(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0, width):.1f}" height="{height:.1f}" '
                          f'fill="{colour}"/>')

    def circle(self, x, y, radius, colour):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def path(self, points, colour):
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>')

    def text(self, x, y, said, size=12, colour=INK, anchor="start", bold=False, turn=False):
        weight = ' font-weight="bold"' if bold else ""
        turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" {FONT} font-size="{size}" fill="{colour}" '
                          f'text-anchor="{anchor}"{weight}{turned}>{escape(said)}</text>')

    def write(self, path):
        body = "\n".join(self.parts)
        path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
                        f'viewBox="0 0 {self.width} {self.height}">\n'
                        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n')


def bound(condition):
    return float(condition.split()[1])


def how_good(figure, value):
    """How many times as good as the gate, whichever direction is good."""
    gate = bound(figure["gate"])
    if figure["gate"].startswith(">="):
        return value / gate
    return gate / value if value > 0 else math.inf


def judged(bench):
    """Figures with a gate that something can be divided by."""
    for content in bench["parts"].values():
        for figure in content.get("figures", []):
            if figure["gate"] and bound(figure["gate"]) > 0:
                yield figure


def gates_chart(bench):
    figures = list(judged(bench))
    left, top, row, bar = 430, 96, 26, 14
    width, right = 1060, 1060 - 170
    svg = Svg(width, top + row * len(figures) + 58)
    svg.text(24, 32, "Each figure beside its gate and its goal", 18, bold=True)
    svg.text(24, 54, "How many times as good as the gate: further right is better, whether more or less is good "
             "(logarithmic).", 12, FAINT)
    low, high = 1 / 8, 8
    for figure in figures:
        reach = how_good(figure, figure["value"])
        low = min(low, max(1 / 64, reach / 1.2))
        high = max(high, min(64, reach * 1.2 if reach < math.inf else 0))

    def place(times):
        times = min(max(times, low), high)
        return left + (right - left) * (math.log(times) - math.log(low)) / (math.log(high) - math.log(low))

    bottom = top + row * len(figures)
    for power in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1):
        times = 2.0**power
        svg.line(place(times), top - 8, place(times), bottom, INK if power == 0 else GRID, 1.5 if power == 0 else 1)
        svg.text(place(times), bottom + 18, f"{times:g}x" if power >= 0 else f"1/{2**-power}", 11, FAINT, "middle")
    svg.text(place(1), top - 14, "gate", 11, INK, "middle", bold=True)
    for i, figure in enumerate(figures):
        middle = top + row * i + row / 2
        said = report.verdict(figure)
        reach = how_good(figure, figure["value"])
        name = figure["name"].strip()
        svg.text(left - 12, middle + 4, name if len(name) < 62 else name[:60] + "…", 12, anchor="end")
        begin, end = sorted((place(1), place(reach)))
        svg.rect(begin, middle - bar / 2, max(2, end - begin), bar, COLOUR[said])
        if figure["goal"] and bound(figure["goal"]) > 0:
            at = place(how_good(figure, bound(figure["goal"])))
            svg.line(at, middle - bar / 2 - 3, at, middle + bar / 2 + 3, INK, 2)
        svg.text(right + 14, middle + 4, f"{report.number(figure['value'])}  (gate {figure['gate']})", 11, FAINT)
    legend = bottom + 44
    x = left
    for said in ("goal", "gate", "MISSED"):
        svg.rect(x, legend - 10, 12, 12, COLOUR[said])
        svg.text(x + 18, legend, SAID[said], 11)
        x += 140
    svg.line(x + 4, legend - 11, x + 4, legend + 2, INK, 2)
    svg.text(x + 14, legend, "its goal", 11)
    return svg


def nice_ticks(high):
    step = 10 ** math.floor(math.log10(high / 4))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if high / (step * factor) <= 5)
    return [step * i for i in range(int(high / step) + 2)]


class Axis:
    """From 0 to `high` with these ticks, or by powers of ten where the values differ by more than thirty times."""

    def __init__(self, values, wide):
        self.wide = wide
        if wide:
            first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
            self.ticks = [10.0**power for power in range(first, max(last, first + 1) + 1)]
        else:
            self.ticks = nice_ticks(max(values) or 1)

    def part(self, value):
        if self.wide:
            low, high = math.log(self.ticks[0]), math.log(self.ticks[-1])
            return (math.log(value) - low) / (high - low)
        return value / self.ticks[-1]


def is_wide(values):
    return min(values) > 0 and max(values) / min(values) > 30


def curve_chart(curve):
    width, height, left, right, top, bottom = 640, 390, 92, 612, 74, 322
    svg = Svg(width, height)
    xs = [point["x"] for point in curve["points"]]
    ys = [point["y"] for point in curve["points"]]
    wide = is_wide(xs)
    vertical = Axis(ys, wide and is_wide(ys))
    svg.text(24, 30, curve["y"][0].upper() + curve["y"][1:], 16, bold=True)
    svg.text(24, 49, "by " + curve["x"], 12, FAINT)

    def across(x):
        if min(xs) == max(xs):
            return (left + right) / 2
        part = math.log(x / min(xs)) / math.log(max(xs) / min(xs)) if wide else x / max(xs)
        return left + 24 + (right - left - 48) * part

    def up(y):
        return bottom - (bottom - top) * vertical.part(y)

    for tick in vertical.ticks:
        svg.line(left, up(tick), right, up(tick), GRID)
        svg.text(left - 8, up(tick) + 4, f"{tick:,.10g}", 11, FAINT, "end")
    svg.line(left, bottom, right, bottom, INK)
    svg.text((left + right) / 2, height - 16, curve["x"] + (" (logarithmic)" if wide else ""), 12, anchor="middle")
    svg.text(24, (top + bottom) / 2, curve["y"] + (" (log)" if vertical.wide else ""), 12, anchor="middle",
             turn=True)
    svg.path([(across(point["x"]), up(point["y"])) for point in curve["points"]], COLOUR["gate"])
    for i, point in enumerate(curve["points"]):
        x, y = across(point["x"]), up(point["y"])
        svg.line(x, bottom, x, bottom + 4, INK)
        svg.text(x, bottom + 18, f"{point['x']:,}", 11, FAINT, "middle")
        svg.circle(x, y, 4, COLOUR["gate"])
        rises = i > 0 and point["y"] > 1.02 * curve["points"][i - 1]["y"]
        svg.text(x - 6 if rises else x, y - 10, report.number(point["y"]), 11, anchor="end" if rises else "middle")
    return svg


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    bench = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    charts = {f"curve-{curve['name']}": curve_chart(curve) for curve in report.curves(bench)}
    if any(judged(bench)):
        charts["gates"] = gates_chart(bench)
    for name, chart in charts.items():
        chart.write(folder / f"{name}.svg")
    print(f"{len(charts)} charts in {folder}")


if __name__ == "__main__":
    main()
