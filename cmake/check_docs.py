#!/usr/bin/env python3
"""Every alert and every reason of a condition has its words in docs/operations.md, and nothing stands there that is gone.

An alert is a heading (### KorderNoLeader) and a test that makes it fire (deploy/monitoring/alerts_test.yaml); a reason is a row
of a table (| `AllTicketsReady` | ...).
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def read(path):
    return (ROOT / path).read_text()


def reasons():
    for folder in ("libs", "services"):
        for header in (ROOT / folder).rglob("*.h"):
            yield from re.findall(r'std::string_view kReason\w+ =\s*"(\w+)"', header.read_text())


def differences(what, wanted, found, place):
    yield from (f"{what} {name} is not in {place}" for name in sorted(wanted - found))
    yield from (f"{place} has the {what} {name}, which does not exist" for name in sorted(found - wanted))


def main():
    manual = "docs/operations.md"
    text = read(manual)
    rules = read("deploy/helm/korder/files/alerts.yaml")
    alerts = set(re.findall(r"- alert: (\w+)", rules))
    firing = set(re.findall(r"alertname: (\w+)\n *exp_alerts:\n *- exp_labels", read("deploy/monitoring/alerts_test.yaml")))
    problems = [
        *differences("alert", alerts, set(re.findall(r"^### (Korder\w+)$", text, re.M)), manual),
        *differences("alert", alerts, firing, "deploy/monitoring/alerts_test.yaml"),
        *differences("reason", set(reasons()), set(re.findall(r"^\| `(\w+)` \|", text, re.M)), manual),
    ]
    links = re.findall(r"- alert: (\w+)\n(?:.*\n)*?.*runbook: docs/operations\.md#(\w+)", rules)
    problems += [f"alert {name} links to #{link}" for name, link in links if link != name.lower()]
    if len(links) != len(alerts):
        problems.append(f"{len(alerts)} alerts, {len(links)} links to {manual}")
    for problem in problems:
        print(f"check_docs: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
