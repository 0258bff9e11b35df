#!/usr/bin/env python3
"""Tests of report.py, charts.py and claims.py: what a verdict is, and that nothing gets lost on the way to a table."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

sys.dont_write_bytecode = True
import charts
import report

HERE = pathlib.Path(__file__).parent


def figure(value, gate, goal, name="P0 x", runs=3):
    return {"name": name, "value": value, "least": value / 2, "most": value * 2, "runs": runs, "gate": gate,
            "goal": goal, "beside": "nothing"}


def bench(*figures):
    curve = {"name": "quotas", "x": "quotas", "y": "microseconds", "points": [{"x": 1, "y": 2}, {"x": 100, "y": 150}]}
    return {"parts": {"ledger": {"figures": list(figures)}, "decisions": {"samples": {"curves": [curve]}}}}


class Verdicts(unittest.TestCase):
    def test_more_is_better(self):
        self.assertEqual(report.verdict(figure(0.7, ">= 0.45", ">= 0.63")), "goal")
        self.assertEqual(report.verdict(figure(0.63, ">= 0.45", ">= 0.63")), "goal")
        self.assertEqual(report.verdict(figure(0.5, ">= 0.45", ">= 0.63")), "gate")
        self.assertEqual(report.verdict(figure(0.44, ">= 0.45", ">= 0.63")), "MISSED")

    def test_less_is_better(self):
        self.assertEqual(report.verdict(figure(2.1, "<= 2", "<= 0.8")), "MISSED")
        self.assertEqual(report.verdict(figure(0, "<= 0", "<= 0")), "goal")

    def test_without_a_gate_nothing_is_missed(self):
        self.assertEqual(report.verdict(figure(5, "", "<= 1")), "below goal")
        self.assertEqual(report.verdict(figure(5, "", "")), "-")

    def test_a_condition_that_nobody_knows_is_no_verdict(self):
        with self.assertRaises(ValueError):
            report.verdict(figure(5, "< 1", ""))


class Tables(unittest.TestCase):
    def test_numbers_have_three_digits_that_matter(self):
        self.assertEqual([report.number(n) for n in (0.0512, 3.894, 262.4, 15000, 123456.7, 0)],
                         ["0.0512", "3.89", "262", "15000", "123,457", "0"])

    def test_every_figure_and_curve_is_told(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(bench(figure(1, ">= 0.5", ">= 2"), figure(9, "<= 5", "", "P0 y", 1)), file)
            file.flush()
            told = subprocess.run([HERE / "report.py", file.name], capture_output=True, text=True, check=True).stdout
        self.assertRegex(told, r"P0 x .*0\.5 - 2 .* gate\n")
        self.assertRegex(told, r"P0 y .* MISSED\n")
        self.assertIn("100: 150", told)

    def test_points_on_the_control_plane_become_curves(self):
        def part(size, rate):
            resident = {"ticket-svc": {"before": 0, "ready": size * 2048}}
            return {"samples": {"runs": [{"count": size, "perSecond": rate, "residentBytes": resident}]}}
        found = report.curves({"parts": {"curve-tickets=5000": part(5000, 60), "curve-tickets=1000": part(1000, 70)}})
        self.assertEqual([curve["name"] for curve in found], ["tickets-rate", "tickets-memory", "tickets-total"])
        self.assertEqual(found[0]["points"], [{"x": 1000, "y": 70}, {"x": 5000, "y": 60}])
        self.assertEqual(found[1]["points"][0]["y"], 2)


class Charts(unittest.TestCase):
    def test_they_are_well_formed_and_one_each(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "bench.json").write_text(json.dumps(bench(figure(1, ">= 0.5", ">= 2"), figure(0, "<= 5", "<= 0"))))
            (path / "old.svg").write_text("")
            subprocess.run([HERE / "charts.py", path / "bench.json", folder], check=True, capture_output=True)
            drawn = sorted(file.name for file in path.glob("*.svg"))
            self.assertEqual(drawn, ["curve-quotas.svg", "gates.svg"])
            for name in drawn:
                xml.dom.minidom.parse(str(path / name))

    def test_better_is_to_the_right_whichever_way_it_counts(self):
        self.assertEqual(charts.how_good(figure(0, ">= 0.5", ""), 1), 2)
        self.assertEqual(charts.how_good(figure(0, "<= 4", ""), 2), 2)


class Claims(unittest.TestCase):
    LOG = """thief storm, 200 thieves: 100 asked, 25.0/s, p50 46 ms; 0 stolen; 100 of 100
bare pods:   60 asked
P4: p50 5.10x, p99 9.50x of a bare pod's bind; 1 stolen
"""

    def run_claims(self, text):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            return subprocess.run([HERE / "claims.py", file.name, file.name], capture_output=True, text=True, check=False)

    def test_runs_are_put_together(self):
        figures = {f["name"]: f for f in json.loads(self.run_claims(self.LOG).stdout)["figures"]}
        self.assertEqual(figures["P4 p99 of a claim, times a bare pod's bind"]["value"], 9.5)
        self.assertEqual(figures["P4 stolen of 200"]["value"], 2)
        self.assertEqual(figures["   claims per second among thieves"]["runs"], 2)

    def test_a_log_that_says_nothing_is_an_error(self):
        self.assertNotEqual(self.run_claims("nothing").returncode, 0)


if __name__ == "__main__":
    unittest.main()
