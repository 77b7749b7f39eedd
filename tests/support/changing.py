"""Changes of a spec: for each key of the schema one or more other values, in an environment where they have
an effect.

Values are derived from environments/schema.json, or are in changes.yaml where they cannot be derived.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from modules.spec import Environment
from support.reading import parsed_file
from tierra.validation.optional import OFF
from tools.schema import FILE

TABLE = Path(__file__).parents[1].joinpath("changes.yaml")
EACH_DAY = 1
TOGETHER = "together"
DAY = re.compile(r"\d{4}-\d\d-\d\d")
Node = Mapping[str, Any]
Keys = tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """`key` is that of the schema, with * for names that users choose. `edits` are paths of the spec with
    their new values. `back` says whether AWS can revert it."""

    key: str
    value: str
    base: str
    edits: tuple[tuple[Keys, Any], ...]
    back: bool = True

    def __str__(self) -> str:
        return f"{self.key}={self.value}"

    @property
    def before(self) -> dict[str, Any]:
        return bases()[self.base]

    @property
    def after(self) -> dict[str, Any]:
        return edited(self.before, self.edits)


@cache
def table() -> dict[str, Any]:
    loaded: dict[str, Any] = parsed_file(TABLE)
    return loaded


@cache
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


@cache
def leaves() -> dict[str, Node]:
    """Every key whose value can change separately: values, lists, maps, optional sections."""
    return dict(_leaves(schema(), ()))


def _leaves(section: Node, path: Keys) -> Iterator[tuple[str, Node]]:
    for key, node in section["properties"].items():
        key_path = (*path, key)
        inner, optional = _section(node)
        if inner is None or optional:
            yield ".".join(key_path), node
        if inner is not None:
            yield from _leaves(inner, key_path)
        each = node.get("additionalProperties")
        if isinstance(each, dict) and "$ref" in each:
            yield from _leaves(_resolved(each), (*key_path, "*"))


def _section(node: Node) -> tuple[Node | None, bool]:
    """The section that a key contains, if any, and whether it is optional: null differs from {}, or it may be
    off."""
    options = node.get("anyOf", ())
    for each in (node, *options):
        if "$ref" in each:
            return _resolved(each), "default" in node or any(option.get("const") == OFF for option in options)
    return None, False


def _resolved(node: Node) -> Node:
    definition: Node = schema()["$defs"][node["$ref"].rpartition("/")[2]]
    return definition


@cache
def bases() -> dict[str, dict[str, Any]]:
    """The specs of the environments in changes.yaml, by name."""
    specs: dict[str, dict[str, Any]] = {}
    spec: dict[str, Any] = {}
    for name, base in table()["bases"].items():
        specs[name] = spec = _merged(spec, base["spec"])
    return specs


def _merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**deepcopy(dict(base)), **deepcopy(dict(overrides))}
    for key in base.keys() & overrides.keys():
        if isinstance(base[key], dict) and isinstance(overrides[key], dict):
            merged[key] = _merged(base[key], overrides[key])
    return merged


def base_of(key: str) -> str:
    """The name of the environment in which a key changes."""
    for name, base in table()["bases"].items():
        if any(f"{key}.".startswith(f"{each.rstrip('.')}.") for each in base.get("keys", ())):
            return str(name)
    return next(iter(bases()))


def changeable() -> list[str]:
    """The keys that can change in an applied environment."""
    return [key for key in leaves() if key not in table()["elsewhere"] and key not in table()["refused"]]


@cache
def changes() -> tuple[Change, ...]:
    """Every change, in the order of the schema; none for keys without suggested values."""
    return tuple(change for key in changeable() for change in _changes(key))


def _changes(key: str) -> Iterator[Change]:
    name = base_of(key)
    spec = bases()[name]
    path = concrete(key, spec)
    for row in table()["values"].get(key, ()):
        value = deepcopy(row.get("to"))
        if row.get("add"):
            value = {**_at(spec, path, {}), **value}
        if row.get("remove"):
            value = {each: item for each, item in _at(spec, path, {}).items() if each != row["remove"]}
        further_edits = [(tuple(other.split(".")), new) for other, new in row.get("with", {}).items()]
        label = f"without {row['remove']}" if row.get("remove") else _short(row["to"])
        yield Change(key, label, name, ((path, value), *further_edits), row.get("back", True))
    if key in table()["values"]:
        return
    node = leaves()[key]
    current = _at(spec, path, node.get("default"))
    for value in other_values(node, current):
        if value != current and legal(replaced(spec, path, value)):
            yield Change(key, _short(value), name, ((path, value),))
            if "enum" not in node or node["type"] != "string":
                return


@cache
def together(base: str) -> Change:
    """As many changes of an environment as fit into a valid spec together: one of each key without special
    expectations."""
    edits: list[tuple[Keys, Any]] = []
    keys: set[str] = set()
    for change in changes():
        unconditional = change.back and not {change.key, str(change)} & table()["expect"].keys()
        if change.base != base or change.key in keys or not unconditional:
            continue
        if legal(edited(bases()[base], [*edits, *change.edits])):
            edits += change.edits
            keys.add(change.key)
    return Change(TOGETHER, base, base, tuple(edits))


def edited(spec: Mapping[str, Any], edits: Iterable[tuple[Keys, Any]]) -> dict[str, Any]:
    """A copy of a spec with other values."""
    copy = deepcopy(dict(spec))
    for path, value in edits:
        _put(copy, path, value)
    return copy


def concrete(key: str, spec: Mapping[str, Any]) -> Keys:
    """The path of a key in a spec: * is the first name there."""
    path: Keys = ()
    for part in key.split("."):
        path = (*path, next(iter(_at(spec, path, {})), "*") if part == "*" else part)
    return path


def legal(spec: Mapping[str, Any]) -> bool:
    """Whether a spec is valid."""
    try:
        Environment.model_validate(deepcopy(dict(spec)))
    except ValidationError:
        return False
    return True


def other_values(node: Node, current: Any) -> Iterator[Any]:
    """Values that the schema suggests, the most likely first. Some may be invalid."""
    for example in node.get("examples", ()):
        if isinstance(example, dict) and isinstance(current, dict):
            yield {**current, **example}
        elif example != current:
            yield example
    kinds = [each for each in node.get("anyOf", ()) if each.get("type") != "null"]
    for each in kinds or [node]:
        yield from _others(each, current)
    if kinds and current is not None and any(each.get("type") == "null" for each in node["anyOf"]):
        yield None


def _others(node: Node, current: Any) -> Iterator[Any]:
    kind = node.get("type")
    if kind == "boolean":
        yield not current
    elif "enum" in node:
        position = node["enum"].index(current) if current in node["enum"] else -1
        yield from (*node["enum"][position + 1 :], *node["enum"][: max(position, 0)])
    elif kind in ("integer", "number"):
        yield from _numbers(node, current)
    elif kind == "array":
        items, present = node["items"], list(current) if isinstance(current, list) else []
        for item in (*items.get("examples", ()), *items.get("enum", ()), "more"):
            if item not in present and len(present) < node.get("maxItems", 99):
                yield [*present, item]
    elif kind == "object":
        present = dict(current or {})
        yield {**present, "More": "more"}
    elif kind == "string":
        yield from _texts(node, current)


def _numbers(node: Node, current: Any) -> Iterator[Any]:
    minimum, maximum = node.get("minimum", 0), node.get("maximum", 10**6)
    if isinstance(current, (int, float)) and not isinstance(current, bool):
        yield from (each for each in (current + 1, current - 1) if minimum <= each <= maximum)
    else:
        yield from (minimum, min(minimum + 1, maximum), maximum)


def _texts(node: Node, current: Any) -> Iterator[str]:
    """Examples, then the current text with its last number increased, then with a word added."""
    yield from (each for each in node.get("examples", ()) if each != current)
    if not isinstance(current, str):
        return
    number = re.compile(r"(.*?)(\d+)(\D*)", re.S).fullmatch(current) or re.search(
        r"^(.*\D)(\d+)(\D*)$", current, re.S
    )
    if number:
        next_number = str(int(number[2]) + 1).zfill(len(number[2]))
        yield f"{number[1]}{next_number}{number[3]}"
    yield f"{current}-2"
    yield f"{current}2"


def _at(spec: Mapping[str, Any], path: Keys, default: Any) -> Any:
    value: Any = spec
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return default
        value = value[part]
    return value


def replaced(spec: Mapping[str, Any], path: Keys, value: Any) -> dict[str, Any]:
    """A copy of the spec with this value at this path."""
    return edited(spec, [(path, value)])


def _put(spec: dict[str, Any], path: Keys, value: Any) -> None:
    section = spec
    for part in path[:-1]:
        section[part] = dict(section.get(part) or {})
        section = section[part]
    section[path[-1]] = deepcopy(value)


def _short(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
    short = re.sub(r"[\s\"{}\[\]]+", "", text)
    return short if len(short) <= 60 else short[:59] + "…"


def every() -> list[Change]:
    """Every change separately, and for each environment many changes together."""
    return [*map(together, bases()), *changes()]


def chosen(selection: str) -> list[Change]:
    """The changes of a day (2026-02-28), all (`all`), or those of keys and patterns, separated by spaces.

    Raises pytest.UsageError for a key or pattern without changes."""
    if selection == "all":
        return every()
    if DAY.fullmatch(selection):
        return [together(next(iter(bases()))), *Random(selection).sample(changes(), EACH_DAY)]
    selected: list[Change] = []
    for pattern in selection.split():
        matching = [each for each in every() if each.key == pattern or fnmatchcase(str(each), pattern)]
        if not matching:
            raise pytest.UsageError(f"--changes: nothing of tests/changes.yaml is called {pattern}")
        selected += matching
    return selected
