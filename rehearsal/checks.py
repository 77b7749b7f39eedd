"""The provider's own checks, made before AWS is called: values and combinations of arguments.

`rehearsal/rules/provider.json.gz` holds what `tools/provider_checks.py` read in the provider's sources,
`models.json.gz` what `tools/service_checks.py` read in the service models about other types, and the YAML
files what was added by hand. A rule is an object with one member:

    enum, enum_any_case   the values allowed
    range, length, items  minimum and maximum, null for no limit: numbers, characters, members
    match, no_match       a pattern
    is                    a kind of text: see FORMATS
    cidr_size             the shortest and the longest prefix of a network
    multiple              a number of which it must be a multiple
    any                   lists of rules, of which one must hold

Unknown values are never checked.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal.formats import FORMATS
from rehearsal.protocol import UNKNOWN, Object
from tierra.bindings.schema import Attribute, Block, Nested

Rule = dict[str, Any]
Steps = tuple[str | int, ...]
FOLDER = Path(__file__).parent / "rules"
GENERATED = FOLDER / "provider.json.gz"
MODELS = FOLDER / "models.json.gz"
GROUPS = ("conflicts", "exactly_one", "at_least_one", "together")
SHOWN = 12


@dataclass(frozen=True)
class Problem:
    """A value, or arguments together, that the provider refuses."""

    path: Steps
    summary: str
    source: str

    @property
    def detail(self) -> str:
        return f"The provider refuses it before it calls AWS. The rule is from {self.source}."


def read_checks() -> dict[str, dict[str, Any]]:
    """The checks of each type by kind ("resource", "data") and name: those generated, those of the YAML
    files over them. An argument in a YAML file replaces the generated one.

    Raises ValueError on an unknown key.
    """
    import yaml

    types = read_generated()
    for name, entry in read_generated(MODELS)["resource"].items():
        types["resource"].setdefault(name, entry)
    for file in sorted(FOLDER.glob("*.yaml")):
        for key, entry in (yaml.safe_load(file.read_text()) or {}).items():
            kind, name = ("data", key.removeprefix("data.")) if key.startswith("data.") else ("resource", key)
            unknown = set(entry) - {"source", "checks", *GROUPS}
            if unknown or "source" not in entry:
                raise ValueError(f"{file.name}: {key}: unknown keys {sorted(unknown)}, or no source")
            merge(types[kind].setdefault(name, {"source": entry["source"], "checks": {}}), entry)
    return types


def read_generated(file: Path = GENERATED) -> dict[str, dict[str, Any]]:
    types: dict[str, dict[str, Any]] = json.loads(gzip.decompress(file.read_bytes()))
    return types


def write_generated(file: Path, types: dict[str, dict[str, Any]]) -> None:
    """The same bytes for the same checks."""
    text = json.dumps(types, sort_keys=True, separators=(",", ":"))
    with file.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.encode())


def merge(into: dict[str, Any], entry: dict[str, Any]) -> None:
    sources = [*into["source"].split(", "), *entry["source"].split(", ")]
    into["source"] = ", ".join(dict.fromkeys(sources))
    into["checks"] = {**into["checks"], **entry.get("checks", {})}
    for group in GROUPS:
        if group in entry:
            into[group] = entry[group]


def usable(block: Block, entry: dict[str, Any]) -> dict[str, Any]:
    """The part of an entry that fits a schema: arguments that exist, rules for values of their type."""
    checks = {}
    for path, rules in entry.get("checks", {}).items():
        argument = find(block, path)
        fitting = []
        for rule in rules:
            if argument is not None and fits(argument, rule) and rule not in fitting:
                fitting.append(rule)
        if fitting:
            checks[path] = fitting
    result = {"source": entry["source"], "checks": checks}
    for group in GROUPS:
        listed = [
            paths
            for paths in entry.get(group, [])
            if _siblings(paths) and all(find(block, path) for path in paths)
        ]
        if listed:
            result[group] = listed
    return result if checks or len(result) > 2 else {}


def find(block: Block, path: str) -> Attribute | Nested | None:
    """The argument or block at a dotted path below a block, members of objects in attributes included."""
    name, _, rest = path.partition(".")
    attribute = block.attributes.get(name)
    if attribute is None or not rest:
        nested = block.blocks.get(name)
        return find(nested.block, rest) if nested and rest else attribute or nested
    type_: Any = attribute.type
    for step in rest.split("."):
        while isinstance(type_, list) and type_[0] in ("list", "set"):
            type_ = type_[1]
        if not isinstance(type_, list) or type_[0] != "object" or step not in type_[1]:
            return None
        type_ = type_[1][step]
    return Attribute(type_, optional=True)


def _siblings(paths: list[str]) -> bool:
    return len({path.rpartition(".")[0] for path in paths}) == 1


def fits(argument: Attribute | Nested, rule: Rule) -> bool:
    """Whether a rule applies to the values of an argument."""
    ((key, value),) = rule.items()
    if key == "items":
        return isinstance(argument, Nested) or (
            isinstance(argument.type, list) and argument.type[0] in ("list", "set")
        )
    if isinstance(argument, Nested):
        return False
    if argument.computed and not argument.optional and not argument.required:
        return False
    if key == "any":
        return all(fits(argument, member_rule) for rules in value for member_rule in rules)
    type_ = argument.type
    if isinstance(type_, list):
        type_ = type_[1] if type_[0] in ("list", "set") else "dynamic"
    if key == "multiple":
        return type_ == "number"
    if key == "range":
        return type_ in ("number", "string")
    if key == "enum":
        return type_ == ("string" if all(isinstance(member, str) for member in value) else "number")
    return type_ == "string"


def problems(block: Block, entry: dict[str, Any], config: Object) -> Iterator[Problem]:
    """The problems that the provider reports for a configuration of a type."""
    source = entry["source"]
    for path, rules in entry["checks"].items():
        last = find(block, path)
        for steps, value in values(block, config, path.split("."), ()):
            if isinstance(value, list):
                yield from _members(steps, value, rules, isinstance(last, Nested), source)
            else:
                yield from _of_value(steps, value, rules, source)
    for group in GROUPS:
        for paths in entry.get(group, []):
            yield from _together(block, config, group, paths, source)


def _members(
    steps: Steps, value: list[Any], rules: list[Rule], blocks: bool, source: str
) -> Iterator[Problem]:
    for rule in rules:
        if "items" in rule:
            low, high = rule["items"]
            few = low is not None and len(value) < low and (value or not blocks)
            if (UNKNOWN not in value and few) or (high is not None and len(value) > high):
                wanted = _span(low, high, "member")
                yield Problem(steps, f"expected {named(steps)} to have {wanted}, got {len(value)}", source)
    others = [rule for rule in rules if "items" not in rule]
    for index, member in enumerate(value):
        yield from _of_value((*steps, index), member, others, source)


def _of_value(steps: Steps, value: Any, rules: list[Rule], source: str) -> Iterator[Problem]:
    if value is None or value is UNKNOWN or isinstance(value, dict | list):
        return
    for rule in rules:
        if wanted := refused(rule, value):
            yield Problem(steps, f"expected {named(steps)} to {wanted}, got {_shown(value)}", source)
            return


def named(steps: Steps) -> str:
    """The address of an argument in its resource, as terraform prints one."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def refused(rule: Rule, value: Any) -> str:
    """What the value must do for the rule to hold; empty if it holds."""
    ((key, wanted),) = rule.items()
    return _RULES[key](wanted, value)


def _enum(wanted: list[Any], value: Any) -> str:
    return "" if value in wanted else f"be {_choice(wanted, value)}"


def _enum_any_case(wanted: list[str], value: str) -> str:
    return "" if value.lower() in [text.lower() for text in wanted] else f"be {_choice(wanted, value)}"


def _choice(wanted: list[Any], value: Any) -> str:
    """The allowed values; of very many, those most similar to the given one."""
    if len(wanted) == 1:
        return json.dumps(wanted[0])
    if len(wanted) <= SHOWN or not isinstance(value, str):
        return f"one of {', '.join(json.dumps(option) for option in wanted)}"
    near = get_close_matches(value, wanted, 5, 0.0)
    return f"one of {len(wanted)} values, such as {', '.join(json.dumps(option) for option in near)}"


def _range(wanted: list[Any], value: Any) -> str:
    if isinstance(value, str):
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return ""
        value = float(value)
    low, high = wanted
    if (low is None or value >= low) and (high is None or value <= high):
        return ""
    if high is None or low is None:
        return f"be at least {low}" if high is None else f"be at most {high}"
    return f"be in the range {low} to {high}"


def _length(wanted: list[Any], value: str) -> str:
    low, high = wanted
    size = len(value.encode())
    valid = (low is None or size >= low) and (high is None or size <= high)
    return "" if valid else f"have {_span(low, high, 'character')}"


def _span(low: int | None, high: int | None, noun: str) -> str:
    if low == high or low is None or high is None:
        number = high if low is None else low
        words = {(True, False): "at most ", (False, True): "at least "}.get((low is None, high is None), "")
        return f"{words}{number} {noun}{'' if number == 1 else 's'}"
    return f"{low} to {high} {noun}s"


def _match(wanted: str, value: str) -> str:
    return "" if _pattern(wanted).search(value) else f"match the pattern {wanted.replace(chr(92) + 'Z', '$')}"


_HYPHENS = {
    "^-": "not begin with a hyphen",
    r"-\Z": "not end with a hyphen",
    "--": "not have two hyphens in a row",
}


def _no_match(wanted: str, value: str) -> str:
    if wanted in _HYPHENS:
        return _HYPHENS[wanted] if _pattern(wanted).search(value) else ""
    return (
        f"not match the pattern {wanted.replace(chr(92) + 'Z', '$')}"
        if _pattern(wanted).search(value)
        else ""
    )


def _is(kind: str, value: str) -> str:
    return FORMATS[kind](value)


def _cidr_size(wanted: list[int], value: str) -> str:
    if FORMATS["cidr"](value):
        return FORMATS["cidr"](value)
    low, high = wanted
    size = int(value.rpartition("/")[2])
    return "" if low <= size <= high else f"be a network of /{low} to /{high}"


def _multiple(wanted: int, value: Any) -> str:
    return "" if isinstance(value, str) or value % wanted == 0 else f"be a multiple of {wanted}"


def _any(wanted: list[list[Rule]], value: Any) -> str:
    refusals = [next((words for rule in rules if (words := refused(rule, value))), "") for rules in wanted]
    return "" if "" in refusals else " or ".join(dict.fromkeys(refusals))


_RULES: dict[str, Callable[[Any, Any], str]] = {
    "enum": _enum,
    "enum_any_case": _enum_any_case,
    "range": _range,
    "length": _length,
    "match": _match,
    "no_match": _no_match,
    "is": _is,
    "cidr_size": _cidr_size,
    "multiple": _multiple,
    "any": _any,
}


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}…"


def values(block: Block | None, value: Any, path: list[str], steps: Steps) -> Iterator[tuple[Steps, Any]]:
    """Every known value at a dotted path, with its steps."""
    if not isinstance(value, dict):
        return
    name, *rest = path
    nested_value = value.get(name)
    if nested_value is None or nested_value is UNKNOWN:
        return
    if not rest:
        yield (*steps, name), nested_value
        return
    nested = block.blocks.get(name) if block else None
    inside = nested.block if nested else None
    if isinstance(nested_value, list):
        for index, member in enumerate(nested_value):
            yield from values(inside, member, rest, (*steps, name, index))
    elif nested and nested.nesting == "map" and isinstance(nested_value, dict):
        for key, member in nested_value.items():
            yield from values(inside, member, rest, (*steps, name, key))
    else:
        yield from values(inside, nested_value, rest, (*steps, name))


def _together(block: Block, config: Object, group: str, paths: list[str], source: str) -> Iterator[Problem]:
    parent = paths[0].rpartition(".")[0]
    names = [path.rpartition(".")[2] for path in paths]
    parents: Iterator[tuple[Steps, Any]] = iter([((), config)])
    if parent:
        parents = _objects(block, config, parent)
    for steps, parent_value in parents:
        state = [_state(parent_value.get(name)) for name in names]
        given = [name for name, is_set in zip(names, state, strict=True) if is_set is True]
        maybe = None in state
        words = ""
        if group == "conflicts" and state[0] is True and len(given) > 1:
            words = f"{given[0]} conflicts with {' and '.join(given[1:])}; only one of them may be set"
        elif group == "exactly_one" and len(given) > 1:
            words = f"only one of {', '.join(names)} may be set, got {' and '.join(given)}"
        elif group in ("exactly_one", "at_least_one") and not given and not maybe:
            words = (
                f"{'exactly' if group == 'exactly_one' else 'at least'} one of {', '.join(names)} must be set"
            )
        elif group == "together" and state[0] is True and False in state:
            missing = [name for name, is_set in zip(names, state, strict=True) if is_set is False]
            words = f"{names[0]} needs {' and '.join(missing)} to be set as well"
        if words:
            about = given[0] if given else names[0]
            yield Problem((*steps, about), f"{named(steps)}: {words}" if steps else words, source)


def _objects(block: Block, config: Object, parent: str) -> Iterator[tuple[Steps, Any]]:
    for steps, value in values(block, config, parent.split("."), ()):
        if isinstance(value, list):
            yield from (
                ((*steps, index), member) for index, member in enumerate(value) if isinstance(member, dict)
            )
        elif isinstance(value, dict):
            yield steps, value


def _state(value: Any) -> bool | None:
    """Whether an argument is set; None if that is unknown or doubtful."""
    if value is UNKNOWN or value == {} or value == "":
        return None
    return value is not None and value != []
