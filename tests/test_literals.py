"""Tests that text of the spec stays text: Terraform, YAML and JSON never interpret it."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.rehearsing import terraform_command
from support.rendering import rendered, sample

from modules.architecture import synthesize
from modules.loader import load
from modules.spec import Environment
from tierra.github.workflows import workflows
from tierra.validation.errors import SpecError
from tierra.validation.literals import literal
from tools import schema

# The key of a mapping, not a value.
KEY = "<key>"
Place = tuple[str, ...]

TEXTS = ("${zzz}", "%{zzz}", "$${zzz}", "//", "no", 'zzz"zzz')
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/orders@sha256:{'0' * 64}"
# Prefixes and suffixes for keys that refuse the text alone.
AROUND = (
    *("{}", "/{}", "/zzz/{}", "zzz{}", "acme/{}", "https://{}", "https://example.com/{}", "a@{}.example.com"),
    "arn:aws:iam::123456789012:role/{}",
)
SPEC: dict[str, Any] = {
    "version": 1,
    "project": "acme",
    "region": "us-east-1",
    "owner": "payments",
    "tags": {"team": "payments"},
    "storage": {"files": {"cors_origins": ["https://example.com"]}},
    "compute": {
        "admins": ["arn:aws:iam::123456789012:role/admin"],
        "viewers": ["arn:aws:iam::123456789012:role/viewer"],
    },
    "edge": {"waf": {"paths": {"login": {"path": "/orders/login"}}, "challenge_except": ["/api"]}},
    "delivery": {"repository": "acme/platform"},
    "observability": {"alarm_emails": ["ops@example.com"], "runbooks": "https://example.com/runbooks"},
    "systems": {
        "orders": {
            "framework": "django",
            "needs": ["postgres", "redis", "documentdb", "files"],
            "workers": 1,
            "beat": True,
            "commands": {each: ["run"] for each in ("web", "migrate", "worker", "beat")},
            "metrics": {"path": "/metrics"},
            "sidecars": {
                "proxy": {
                    "image": "public.ecr.aws/nginx/nginx-unprivileged:1.29.1",
                    "command": ["nginx"],
                    "env": {"LOG_LEVEL": "info"},
                }
            },
        }
    },
}


def places() -> Iterator[tuple[Place, str]]:
    """Every path of the schema that takes free text, with its pattern; `*` is any key or index."""
    whole = json.loads(schema.text())

    def walk(node: dict[str, Any], at: Place) -> Iterator[tuple[Place, str]]:
        if "$ref" in node:
            yield from walk(whole["$defs"][node["$ref"].rpartition("/")[2]], at)
        for option in node.get("anyOf", ()):
            yield from walk(option, at)
        for key, inner in node.get("properties", {}).items():
            yield from walk(inner, (*at, key))
        if node.get("type") == "string" and not {"enum", "const"} & node.keys():
            yield at, node.get("pattern", "")
        if node.get("type") == "array":
            yield from walk(node["items"], (*at, "*"))
        if isinstance(inner := node.get("additionalProperties"), dict):
            if "enum" not in node.get("propertyNames", {}):
                yield (*at, KEY), ""
            yield from walk(inner, (*at, "*"))

    return walk(whole, ())


def put(spec: dict[str, Any], path: Place, text: str) -> dict[str, Any]:
    """The spec with the text at a path; missing mappings and lists are created."""
    edited = copy.deepcopy(spec)
    node: Any = edited
    for part, following in zip(path, (*path[1:], ""), strict=True):
        if part == KEY:
            first = next(iter(node), None)
            node[text] = copy.deepcopy(node[first]) if first is not None else "zzz"
            return edited
        if part == "*":
            part = next(iter(node), "zzz") if isinstance(node, dict) else 0
        if not following:
            if isinstance(node, list):
                node[:1] = [text]
            else:
                node[part] = text
        elif isinstance(node, list) and not node:
            node.append([] if following == "*" else {})
        elif isinstance(node, dict):
            node.setdefault(part, [] if following == "*" else {})
        node = node[part]
    return edited


def read(folder: Path, spec: dict[str, Any]) -> Environment:
    file = folder / "trial.yaml"
    file.write_text(yaml.dump(spec, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False))
    return load(file)


def filled(folder: Path, text: str) -> tuple[Environment, list[Place]]:
    """An environment with the text, alone or within other text, at all paths that accept it; the paths."""
    spec, taken = SPEC, []
    for path, pattern in dict.fromkeys(places()):
        for around in AROUND:
            if not re.search(pattern, around.format(text)):
                continue
            try:
                read(folder, tried := put(spec, path, around.format(text)))
            except (SpecError, AttributeError, KeyError, TypeError):
                continue
            spec = tried
            taken.append(path)
            break
    return read(folder, spec), taken


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, including keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def test_the_places_of_free_text_are_found() -> None:
    paths = {path for path, _ in places()}
    assert paths >= {
        ("tags", KEY),
        ("tags", "*"),
        ("edge", "waf", "paths", "*", "path"),
        ("edge", "waf", "challenge_except", "*"),
        ("systems", KEY),
        ("systems", "*", "commands", "web", "*"),
        ("systems", "*", "sidecars", "*", "env", KEY),
    }


@pytest.mark.parametrize("text", TEXTS)
def test_text_of_the_spec_is_never_interpreted(tmp_path: Path, text: str) -> None:
    environment, taken = filled(tmp_path, text)
    assert taken
    synthesize(environment, tmp_path / "out")
    bodies = {
        file.parent.name: json.loads(file.read_text())
        for file in (tmp_path / "out").glob("stacks/*/cdk.tf.json")
    }
    if "{" in text:
        assert ("edge", "waf", "challenge_except", "*") in taken
        marks = [part for part in texts(bodies) if "zzz" in part]
        assert marks
        # Terraform reads `${` as text only after an odd number of further marks.
        for mark in ("$", "%"):
            begins = re.compile(rf"(?<!\{mark})(?:\{mark}\{mark})*\{mark}\{{zzz")
            assert not [part for part in marks if text[0] == mark != text[1] and begins.search(part)]
        assert literal(text) in "".join(marks)
    if text == "//":
        assert ("tags", KEY) in taken
        assert bodies["network"]["provider"]["aws"][0]["default_tags"][0]["tags"]["//"] == "payments"
    for release in bodies["systems"]["resource"]["helm_release"].values():
        for values in release["values"]:
            yaml.safe_load(values)
    for name, release in bodies["systems"]["resource"]["helm_release"].items():
        chart = "systems/namespace" if name.endswith("_namespace") else "systems/chart"
        if name == "databases":
            chart = "systems/databases"
        values = sample(release["values"][0])
        rendered(chart, {**values, "image": IMAGE} if "image" in values else values, tmp_path)
    for workflow in workflows(environment).values():
        yaml.safe_load(workflow)


@pytest.mark.parametrize("name", ["no", "on", "yes", "off", "true", "false", "null"])
@pytest.mark.parametrize("path", [("systems", KEY), ("systems", "*", "sidecars", KEY)])
def test_names_that_yaml_reads_as_values_are_refused(tmp_path: Path, name: str, path: Place) -> None:
    with pytest.raises(SpecError, match="YAML reads"):
        read(tmp_path, put(SPEC, path, name))


def test_terraform_reads_escaped_text_as_it_was(tmp_path: Path) -> None:
    samples = [*TEXTS, "a${b}%{if c}", "%%{x}", "$"]
    outputs = {"said": {"value": literal(samples)}, "keys": {"value": literal(dict.fromkeys(samples, "x"))}}
    (tmp_path / "main.tf.json").write_text(json.dumps({"output": outputs}))
    command = [*terraform_command(), f"-chdir={tmp_path}"]
    subprocess.run([*command, "apply", "-auto-approve", "-input=false"], check=True, capture_output=True)
    shown = subprocess.run([*command, "output", "-json"], check=True, capture_output=True, text=True).stdout
    read_back = json.loads(shown)
    assert read_back["said"]["value"] == samples
    assert set(read_back["keys"]["value"]) == set(samples)


def test_a_spec_without_special_characters_is_returned_unchanged(tmp_path: Path) -> None:
    environment = read(tmp_path, SPEC)
    assert literal(environment) is environment
    escaped = literal(read(tmp_path, put(SPEC, ("edge", "waf", "paths", "*", "path"), "/${zzz}")))
    assert escaped.edge.waf.paths["login"].path == "/$${zzz}"
    assert escaped.edge.waf.paths["login"].requests == 100
