"""The objects that helm prints, read as Kubernetes reads them.

PyYAML reads 1:30 as a number, 2026-11-28 as a date and 1e+06 as a text. The parser of helm and Kubernetes
(sigs.k8s.io/yaml) does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_SOURCE = re.compile(r"^# Source: (\S+)", re.MULTILINE)
_DOCUMENT = re.compile(r"^---[ \t]*\n", re.MULTILINE)
_INTEGER = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]*|[1-9][0-9_]*|0x[0-9a-fA-F_]+)")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_TAG = "tag:yaml.org,2002:"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads scalars as Kubernetes does."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag.removeprefix(_TAG) not in ("int", "float", "timestamp", "value")
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _number(_: Any, node: yaml.ScalarNode) -> int | float:
    text = node.value.replace("_", "")
    if re.fullmatch(r"[-+]?0[0-7]+", text):
        return int(text, 8)
    return int(text, 0)


for _tag, _pattern in (("int", _INTEGER), ("float", _FLOAT)):
    _Loader.add_implicit_resolver(_TAG + _tag, re.compile(f"^(?:{_pattern.pattern})$"), list("-+.0123456789"))
_Loader.add_constructor(f"{_TAG}int", _number)
_Loader.add_constructor(
    f"{_TAG}float",
    lambda _, node: float(node.value.replace("_", "").replace(".inf", "inf").replace(".nan", "nan")),
)


@dataclass(frozen=True)
class Thing:
    """An object of Kubernetes, and the template that renders it."""

    body: dict[str, Any]
    source: str
    namespace: str  # the namespace of the release, for an object that names none

    @property
    def kind(self) -> str:
        return str(self.body.get("kind"))

    @property
    def api(self) -> str:
        return str(self.body.get("apiVersion"))

    @property
    def group(self) -> str:
        group, _, version = self.api.rpartition("/")
        return group if version else ""

    @property
    def metadata(self) -> dict[str, Any]:
        return mapping(self.body.get("metadata"))

    @property
    def name(self) -> str:
        return str(self.metadata.get("name"))

    @property
    def spec(self) -> dict[str, Any]:
        return mapping(self.body.get("spec"))

    @property
    def home(self) -> str:
        """The namespace of the object, if its kind has namespaces."""
        return str(self.metadata.get("namespace") or self.namespace)

    @property
    def hook(self) -> list[str]:
        """The events of helm at which the object is created; empty for an object that is not a hook."""
        given = mapping(self.metadata.get("annotations")).get("helm.sh/hook")
        return [event.strip() for event in given.split(",")] if isinstance(given, str) else []

    @property
    def called(self) -> str:
        return f"{self.kind} {self.name}"


def mapping(value: Any) -> dict[str, Any]:
    """The value, or an empty mapping if it is of another type, which the schema check reports."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def parse_yaml(text: str) -> Any:
    """A YAML document. Raises yaml.YAMLError."""
    return yaml.load(text, _Loader)


def things(printed: str, namespace: str) -> Iterator[Thing]:
    """The objects in what `helm template` prints. Documents that helm can read and PyYAML cannot are left
    out."""
    for part in _DOCUMENT.split(printed):
        try:
            body = parse_yaml(part)
        except (yaml.YAMLError, ValueError):
            continue
        if isinstance(body, dict) and body.get("kind") and body.get("apiVersion"):
            source = _SOURCE.search(part)
            listed = body.get("items") if str(body["kind"]).endswith("List") else None
            for item in listed if isinstance(listed, list) else [body]:
                if isinstance(item, dict):
                    yield Thing(item, source[1] if source else "", namespace)
