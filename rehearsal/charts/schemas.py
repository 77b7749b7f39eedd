"""Checks objects against the schemas of a Kubernetes version, and of custom resources that charts define.

The schemas are in the package kubernetes-validate, which `make charts` and the tests install. Without it no
schema is known, and nothing is refused.

A value that the server decodes into a Go type is refused if its type is another, and what the definition of a
custom resource requires, when it is missing: reference/using-api/api-concepts/#field-validation and
tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation at kubernetes.io/docs. The
server only warns of unknown fields, and drops them, because helm does not request strict validation
(helm.sh/helm/v3, pkg/kube/client.go).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tierra.versions import numbers

Schema = dict[str, Any]
_VERSION = re.compile(r"v(\d+\.\d+)\.\d+-local")
_LIMITS = {"int32": 2**31, "int64": 2**63}
# The server fills these in, or uses the empty value, although its schema requires them.
_FILLED = {
    ("RoleRef", "apiGroup"),  # pkg/apis/rbac/v1/defaults.go
    ("NetworkPolicySpec", "podSelector"),  # an empty one selects all pods
    ("StatefulSetSpec", "serviceName"),
    ("HTTPHeader", "value"),
    ("EnvVar", "value"),
    ("PriorityClass", "value"),
    ("ControllerRevision", "revision"),
}
# Groups that the server itself serves although their names do not end like it.
_OLD_GROUPS = {"extensions"}


@dataclass(frozen=True)
class Mismatch:
    """`unknown`: the schema does not have the field."""

    path: str
    message: str
    unknown: bool = False


@cache
def versions() -> dict[str, Path]:
    """The file of the schemas by version of Kubernetes, the newest last."""
    spec = find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        return {}
    files = (Path(spec.origin).parent / "kubernetes-json-schema").glob("*-local/_definitions.json")
    by_version = {match[1]: file for file in files if (match := _VERSION.fullmatch(file.parent.name))}
    return dict(sorted(by_version.items(), key=lambda item: numbers(item[0])))


def nearest(version: str) -> str:
    """The version whose schemas are used for this one: its own, or the newest before it; empty if there is
    none."""
    known = list(versions())
    minor = re.match(r"\d+\.\d+", version)
    if not minor:
        return known[-1] if known else ""
    older = [each for each in known if numbers(each) <= numbers(minor[0])]
    return older[-1] if older else ""


@cache
def built_in(version: str) -> Schemas:
    """The schemas of a version; empty for an empty version."""
    return Schemas(json.loads(versions()[version].read_bytes())["$defs"] if version else {})


@dataclass
class Schemas:
    definitions: dict[str, Schema]
    custom: dict[tuple[str, str], Schema] = field(default_factory=dict)

    @cached_property
    def kinds(self) -> dict[tuple[str, str], str]:
        """The name of a definition by apiVersion and kind."""
        kinds = {}
        for name, definition in self.definitions.items():
            marks = definition.get("x-kubernetes-group-version-kind", ())
            if len(marks) == 1:  # a type that is used by many kinds, such as DeleteOptions, is not an object
                (mark,) = marks
                api = f"{mark['group']}/{mark['version']}" if mark["group"] else mark["version"]
                kinds[api, mark["kind"]] = name
        return kinds

    @cached_property
    def groups(self) -> set[str]:
        """The groups that Kubernetes itself serves."""
        named = {api.rpartition("/")[0] for api, _ in self.kinds}
        return named | _OLD_GROUPS if named else set()

    def serves(self, api: str, kind: str) -> bool | None:
        """Whether the server serves a kind; None for a group that is not built in, or unknown."""
        if (api, kind) in self.kinds:
            return True
        return False if api.rpartition("/")[0] in self.groups else None

    def others(self, kind: str) -> list[str]:
        """The apiVersions under which the server serves a kind."""
        return sorted(api for api, kind_ in self.kinds if kind_ == kind)

    def mismatches(self, body: dict[str, Any]) -> Iterator[Mismatch]:
        """Where an object does not match its schema; empty for an object without a schema."""
        api, kind = str(body.get("apiVersion")), str(body.get("kind"))
        if name := self.kinds.get((api, kind)):
            if kind != "CustomResourceDefinition":  # its schemas are schemas
                given = {
                    key: value for key, value in body.items() if key != "status"
                }  # which the server drops
                yield from self._value(given, {"$ref": f"#/$defs/{name}"}, "", "")
            return
        meta = next((name for name in self.definitions if name.endswith(".meta.v1.ObjectMeta")), "")
        if meta:
            yield from self._value(body.get("metadata"), {"$ref": f"#/$defs/{meta}"}, "metadata", "")
        if schema := self.custom.get((api, kind)):
            fields: dict[str, Schema] = {"apiVersion": {}, "kind": {}, "metadata": {}, "status": {}}
            open_ = {**schema, "properties": {**schema.get("properties", {}), **fields}}
            yield from self._value(body, open_, "", "")

    def _value(self, value: Any, schema: Schema, path: str, named: str) -> Iterator[Mismatch]:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema, named = self.definitions[name], name.rpartition(".")[2]
        if value is None:
            return
        if wanted := _wrong_type(value, schema, named):
            yield Mismatch(path, f"must be {wanted}, got {_shown(value)}")
        elif isinstance(value, dict):
            yield from self._object(value, schema, path, named)
        elif isinstance(value, list):
            inner = schema.get("items")
            if isinstance(inner, dict):
                for index, member in enumerate(value):
                    yield from self._value(member, inner, f"{path}[{index}]", "")
            yield from _size(path, len(value), schema, "Items", "member")
        else:
            yield from _scalar(path, value, schema)

    def _object(self, value: dict[str, Any], schema: Schema, path: str, named: str) -> Iterator[Mismatch]:
        known = schema.get("properties") or {}
        rest = schema.get("additionalProperties")
        closed = bool(known) and rest in (None, False)
        if schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource"):
            closed = False
        for name in schema.get("required", ()):
            filled = (named, name) in _FILLED or "default" in mapping_of(known.get(name))
            if value.get(name) is None and not filled:
                yield Mismatch(join(path, name), "is required")
        for key, member in value.items():
            inner = known.get(key, rest if isinstance(rest, dict) else None)
            if not isinstance(key, str):
                yield Mismatch(join(path, str(key)), f"the key must be a string, got {_shown(key)}")
            elif inner is not None:
                yield from self._value(member, inner, join(path, key), "")
            elif closed:
                yield Mismatch(join(path, key), "is not a field that Kubernetes knows here", unknown=True)


def mapping_of(value: Any) -> Schema:
    return value if isinstance(value, dict) else {}


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _wrong_type(value: Any, schema: Schema, named: str) -> str:
    """The type that the value must have; empty if it has it."""
    if named == "Quantity":
        return "" if isinstance(value, str | int | float) and not isinstance(value, bool) else "a quantity"
    if named == "IntOrString" or schema.get("x-kubernetes-int-or-string"):
        fits = isinstance(value, str | int | float) and not isinstance(value, bool)
        return "" if fits else "an integer or a string"
    if "oneOf" in schema or "anyOf" in schema or "allOf" in schema:
        return ""
    types = schema.get("type")
    type_ = next((name for name in types if name != "null"), None) if isinstance(types, list) else types
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    checks: dict[Any, tuple[bool, str]] = {
        "object": (isinstance(value, dict), "an object"),
        "array": (isinstance(value, list), "a list"),
        "string": (isinstance(value, str), "a string"),
        "boolean": (isinstance(value, bool), "a boolean"),
        "integer": (whole and not isinstance(value, bool), "an integer"),
        "number": (isinstance(value, int | float) and not isinstance(value, bool), "a number"),
    }
    fits, words = checks.get(type_, (True, ""))
    return "" if fits else words


def _scalar(path: str, value: Any, schema: Schema) -> Iterator[Mismatch]:
    allowed = schema.get("enum")
    if isinstance(allowed, list) and value not in allowed and value != "":  # an empty one gets the default
        yield Mismatch(path, f"must be one of {', '.join(map(str, allowed))}, got {_shown(value)}")
    if isinstance(value, str):
        yield from _size(path, len(value), schema, "Length", "character")
        if schema.get("format") == "byte" and not _base64(value):
            yield Mismatch(path, "must be text in base64")
        pattern = schema.get("pattern")
        if pattern and not _matches(pattern, value):
            yield Mismatch(path, f"must match the pattern {pattern}, got {_shown(value)}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        limit = _LIMITS.get(schema.get("format", ""))
        if limit and not -limit <= value < limit:
            yield Mismatch(path, f"must be an {schema['format']}, got {_shown(value)}")
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and value < low:
            yield Mismatch(path, f"must be at least {low}, got {_shown(value)}")
        if high is not None and value > high:
            yield Mismatch(path, f"must be at most {high}, got {_shown(value)}")


def _size(path: str, size: int, schema: Schema, what: str, noun: str) -> Iterator[Mismatch]:
    low, high = schema.get(f"min{what}"), schema.get(f"max{what}")
    if low is not None and size < low:
        yield Mismatch(path, f"must have at least {low} {noun}{'' if low == 1 else 's'}, got {size}")
    if high is not None and size > high:
        yield Mismatch(path, f"must have at most {high} {noun}{'' if high == 1 else 's'}, got {size}")


def _base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        return False
    return True


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # only in the grammar of Go
        return True


def defined(body: dict[str, Any]) -> dict[tuple[str, str], Schema]:
    """The schemas in a CustomResourceDefinition, by apiVersion and kind."""
    spec = mapping_of(body.get("spec"))
    kind = mapping_of(spec.get("names")).get("kind")
    definitions = {}
    for version in spec.get("versions") or []:
        schema = mapping_of(mapping_of(version).get("schema")).get("openAPIV3Schema")
        if isinstance(schema, dict) and kind:
            definitions[f"{spec.get('group')}/{version.get('name')}", str(kind)] = schema
    return definitions
