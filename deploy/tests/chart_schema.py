"""The values of the chart, as its schema and values.yaml tell them.

  for path, description, examples in leaves(): ...      ("order", "replicas"), "Pods of a service. ...", [3]
  default_of(("order", "replicas"))                     MISSING: only the schema knows it
"""
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/korder"
HELM = os.environ.get("HELM") or subprocess.run(
    [ROOT / "scripts/devcluster", "bin", "helm"], check=True, capture_output=True, text=True).stdout.strip()
SERVICES = ("order", "ticket", "quota", "admission")
MISSING = object()

SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def resolved(node):
    """Without references; what stands beside one wins."""
    while "$ref" in node:
        target = SCHEMA["definitions"][node["$ref"].rsplit("/", 1)[1]]
        node = target | {key: value for key, value in node.items() if key != "$ref"}
    return node


def leaves(node=SCHEMA, path=()):
    """(path, description, examples) of every value, in the order of the schema."""
    node = resolved(node)
    if "properties" in node and "examples" not in node:
        for name, child in node["properties"].items():
            yield from leaves(child, (*path, name))
    else:
        yield path, node.get("description"), node.get("examples")


def _chart_values():
    # values.yaml as helm reads it: a chart that prints its values needs no YAML library here.
    with tempfile.TemporaryDirectory() as folder:
        chart = pathlib.Path(folder)
        (chart / "templates").mkdir()
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: values\nversion: 0.0.0\n")
        (chart / "templates/values.yaml").write_text("values: {{ .Values | toJson }}\n")
        text = subprocess.run([HELM, "template", chart, "--values", CHART / "values.yaml"],
                              check=True, capture_output=True, text=True).stdout
    return json.loads(text.split("values: ", 1)[1])


_VALUES = _chart_values()


def default_of(path):
    here = _VALUES
    for name in path:
        if not isinstance(here, dict) or name not in here:
            return MISSING
        here = here[name]
    return here
