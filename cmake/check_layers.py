#!/usr/bin/env python3
"""Checks that includes follow the arrow base <- json <- api <- kube <- runtime <- services, cli.

Reads the sources as text; prints every violation with its line and exits 1 when there is one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORDER = ["base", "json", "api", "kube", "runtime"]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# Heavy third-party headers and the only files that may include them.
QUARANTINE = {
    "boost/": [r"libs/kube/beast_\w+\.(h|cc)", r"libs/runtime/http_\w+\.(h|cc)",
               r"libs/(kube|runtime)/\w+_test\.cc", r"libs/(kube|runtime)/testing/\w+\.(h|cc)"],
    "rapidjson/": [r"libs/json/\w+\.cc", r"libs/kube/testing/\w+\.(h|cc)",
                   r"tests/bench/ingest_bench\.cc"],
    "yaml-cpp/": [r"libs/kube/(kubeconfig|yaml_json)\.cc", r"libs/api/\w+/schema_\w+\.(h|cc)",
                  r"libs/kube/\w+_test\.cc", r"services/[\w-]+/testing/\w+\.(h|cc)", r"tests/.*",
                  r"cli/.*"],
    "grpcpp/": [r"libs/runtime/(grpc_\w+|ledger_client)\.(h|cc)", r"libs/runtime/\w+_test\.cc",
                r"libs/runtime/testing/\w+\.(h|cc)",
                r"services/[\w-]+/\w*(service|client|desk)\w*\.(h|cc)",
                r"services/[\w-]+/(main|\w+_test)\.cc", r"tests/.*", r"cli/.*"],
}

# Deciders: pure functions that know neither client, clock nor log.
PURE = re.compile(r"/(decide|\w+_decide|\w+_step|\w+_state|handoff_(batch|method|options)|claim_fit|healing|"
                  r"ledger|ledger_codec|claim_route|pod_gate|policy_(entries|status)|quota_terms|guardian_pod|ordinal_set|delay_heap)\.(h|cc)$")
IMPURE_INCLUDES = ["kube/client.h", "base/clock.h", "base/log.h", "kube/informer.h", "<thread>"]


def layer_of(path):
    """The index of a file's layer, or None outside libs/, services/ and cli/."""
    parts = path.parts
    if parts[0] == "libs":
        return ORDER.index(parts[1])
    return len(ORDER) if parts[0] in ("services", "cli") else None


def problems(path, text):
    rel = path.as_posix()
    mine = layer_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, target = match.groups()
        head = target.split("/")[0]
        if mine is not None and kind == '"' and head in ORDER and ORDER.index(head) > mine:
            yield number, f"{ORDER[mine]} must not include {target}"
        if rel.startswith("libs/kube/") and target.startswith("api/v1alpha1/") \
                and not rel.endswith("_test.cc"):
            yield number, "libs/kube does not know korder's own resources"
        if rel.startswith("libs/api/") and not rel.endswith("_test.cc") and target in (
                "thread", "mutex", "base/mutex.h", "base/clock.h"):
            yield number, "libs/api has neither threads nor clocks"
        if path.parts[0] in ("services", "cli") and head != path.parts[1] \
                and re.match(r"(order|ticket|quota|admission)-svc$", head):
            owner = path.parts[1] if path.parts[0] == "services" else "cli"
            yield number, f"{owner} must not include a service's {target}"
        if head == "cli" and path.parts[0] != "cli":
            yield number, f"only cli includes {target}"
        for prefix, allowed in QUARANTINE.items():
            if target.startswith(prefix) and not any(re.fullmatch(a, rel) for a in allowed):
                yield number, f"<{prefix}...> belongs behind a narrower header"
        if PURE.search("/" + rel) and (target in IMPURE_INCLUDES or f"<{target}>" in IMPURE_INCLUDES):
            yield number, f"a decider must not include {target}"


def main():
    failed = False
    for folder in ("libs", "services", "cli", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            rel = path.relative_to(ROOT)
            for number, message in problems(rel, path.read_text()):
                print(f"{rel}:{number}: {message}")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
