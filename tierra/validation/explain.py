"""Turns pydantic's errors into a rule and a remedy in plain words, by the JSON schema."""

from __future__ import annotations

import difflib
import json
import re
from functools import cached_property
from typing import Any

from pydantic_core import ErrorDetails

from tierra.validation.errors import KeyPath
from tierra.validation.messages import NOTHING, choices, dotted, secret, shown
from tierra.validation.model import REFUSED, Violation
from tierra.validation.optional import OFF
from tierra.validation.syntax import scalar

Schema = dict[str, Any]


OTHERS = "others"  # alternatives of a key besides a section


class Explainer:
    """Explains the errors of one model; reads its JSON schema for types, limits, defaults and neighbours.
    `whole` names the model."""

    def __init__(self, schema: Schema, whole: str = "a spec") -> None:
        self.schema = schema
        self.whole = whole

    def violation(self, error: ErrorDetails, source: str) -> Violation:
        """The error as a violation from the root of the spec; `source` is the text in the file at its
        path."""
        path = place(error)
        context = error.get("ctx", {})
        if error["type"] == "rule":
            return Violation(path, context["rule"], context["remedy"])
        if error["type"] == "extra_forbidden":
            return self._unknown(path)
        if error["type"] == "missing":
            return self._missing(path)
        if error["type"] == "too_long":
            rule = f"there must be at most {context['max_length']}"
            return Violation(path, rule, "remove some", f"{len(error['input'])} of them")
        return self._unfit(path, error["input"], source)

    def meant(self, path: KeyPath) -> KeyPath | None:
        """The allowed key next to an unknown one that was probably meant."""
        allowed = self._at(path[:-1]).get("properties", {})
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(path[-1])).lower().replace("-", "_").replace(" ", "_")
        close = [plain] if plain in allowed else difflib.get_close_matches(plain, allowed, n=1, cutoff=0.6)
        return (*path[:-1], close[0]) if close else None

    def _unknown(self, path: KeyPath) -> Violation:
        key = str(path[-1])
        if known := self._at(path[:-1]).get(REFUSED, {}).get(key):
            return Violation(path, *known)
        allowed = list(self._at(path[:-1]).get("properties", {}))
        section = dotted(path[:-1])
        rule = f"the key must be one that {section or self.whole} has: {', '.join(allowed)}"
        elsewhere = [dotted(path[:-1]) or "the top level" for path in self._paths.get(key, ())]
        if secret(path):
            remedy = "remove the line: a spec must not contain secrets; replace the secret if it was shared"
            return Violation(path, rule, remedy)
        if meant := self.meant(path):
            return Violation(path, rule, f"did you mean {meant[-1]}?")
        if elsewhere:
            return Violation(path, rule, f"move it to {choices(elsewhere)}; check its indentation")
        return Violation(path, rule, "remove the line, or write one of these keys")

    def _missing(self, path: KeyPath) -> Violation:
        node = self._at(path)
        example = next(iter(node.get("examples", [])), None)
        rule = f"this key is required: {_sentence(node.get('description', 'it has no default'))}"
        above = f" below {dotted(path[:-1])}:" if path[:-1] else ""
        value = f" {_quote(example)}" if example is not None else ""
        return Violation(path, rule, f"add {path[-1]}:{value}{above}", "(missing)")

    def _unfit(self, path: KeyPath, value: Any, source: str) -> Violation:
        node = self._at(path)
        rule = f"must be {describe(node)}"
        if value is None:
            return Violation(path, rule, self._for_nothing(path, node))
        if isinstance(value, (bool, int, float)) and rule.startswith("must be text"):
            rule += f"; without quotes YAML reads a {'switch' if isinstance(value, bool) else 'number'}"
        required = path[-1] in self._at(path[:-1]).get("required", ())
        return Violation(path, rule, _remedy(node, value, source, required=required))

    def _for_nothing(self, path: KeyPath, node: Schema) -> str:
        """The remedy for a key or an item without a value."""
        if isinstance(path[-1], int):
            return "write a value after the -, or remove it"
        if path[-1] in self._at(path[:-1]).get("required", ()):
            example = next(iter(node.get("examples", [])), "…")
            return f"write a value after the colon: {path[-1]}: {_quote(example)}"
        default = node.get("default")
        known = f" to use the default, {shown(default)}" if default is not None else ""
        return f"write a value after the colon, or remove the line{known}"

    def _at(self, path: KeyPath) -> Schema:
        node = self._resolved(self.schema)
        for part in path:
            node = self._resolved(_below(node, part))
        return node

    def _resolved(self, node: Schema) -> Schema:
        """The node with references followed; of `X | None`, the X, and of a section that may be off, the
        section. Its own description and default win."""
        options = [option for option in node.get("anyOf", []) if option.get("type") != "null"]
        sections = [option for option in options if "$ref" in option] if len(options) > 1 else options
        if len(sections) == 1:
            others = [option for option in options if option is not sections[0]]
            own = {key: value for key, value in node.items() if key != "anyOf"}
            node = {**sections[0], **({OTHERS: others} if others else {}), **own}
        if "$ref" in node:
            target = self.schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
            node = self._resolved({**target, **{key: value for key, value in node.items() if key != "$ref"}})
        return node

    @cached_property
    def _paths(self) -> dict[str, list[KeyPath]]:
        """Every path in the schema, by the key that it ends in."""
        paths: dict[str, list[KeyPath]] = {}
        waiting: list[tuple[KeyPath, Schema]] = [((), self.schema)]
        for path, node in waiting:
            for name, below in self._resolved(node).get("properties", {}).items():
                paths.setdefault(name, []).append((*path, name))
                waiting.append(((*path, name), below))
        return paths


# Types of JSON Schema, as the schema names them.
NUMBERS = ("integer", "number")


def place(error: ErrorDetails) -> KeyPath:
    """The path of an error in the file; pydantic adds a part to it if the key is wrong, not its value."""
    return tuple(part for part in error["loc"] if part != "[key]")


def describe(node: Schema) -> str:
    """What a schema allows, as a continuation of "must be …"."""
    if "anyOf" in node:
        return " or ".join(describe(option) for option in node["anyOf"] if option.get("type") != "null")
    if "const" in node:
        return shown(node["const"])
    if "enum" in node:
        return choices(node["enum"])
    kind = node.get("type")
    if kind in NUMBERS:
        low, high = node.get("minimum"), node.get("maximum")
        limits = f" from {low} to {high}" if low is not None and high is not None else ""
        return f"a {'whole ' if kind == 'integer' else ''}number{limits}"
    if kind == "boolean":
        return "true or false"
    example = next(iter(node.get("examples", [])), None)
    such_as = f", such as {_quote(example)}" if example is not None else ""
    if kind == "array":
        return f"a list{such_as}"
    if kind == "object":
        keys = node.get("properties")
        others = "".join(f", or {describe(alternative)}" for alternative in node.get(OTHERS, ()))
        named = f"a mapping with the keys {', '.join(keys)}" if keys else "a mapping of keys to values"
        return f"{named}{others}" if keys else f"{named}{such_as}"
    return f"text{such_as}"


def _below(node: Schema, part: str | int) -> Schema:
    value: Any = {}
    if isinstance(part, int):
        value = node.get("items", {})
    elif part in node.get("properties", {}):
        value = node["properties"][part]
    elif "patternProperties" in node:
        value = next(iter(node["patternProperties"].values()))
    elif isinstance(node.get("additionalProperties"), dict):
        value = node["additionalProperties"]
    return value if isinstance(value, dict) else {}


def _may_be_off(node: Schema) -> bool:
    options = [each.get("const") for each in node.get("anyOf", ())]
    return OFF in (*options, *node.get("enum", ()))


def _remedy(node: Schema, value: Any, source: str, *, required: bool = False) -> str:
    kinds = [option.get("type", "string") for option in node.get("anyOf", [node])]
    options = [shown(option) for option in node.get("enum", [])]
    example = next(iter(node.get("examples", [])), None)
    if {"string", "array"} <= set(kinds) and not isinstance(value, str) and isinstance(example, str):
        return f"write it like {_quote(example)}"
    if isinstance(value, dict):
        return (
            "write the items in brackets: [a, b]"
            if "array" in kinds
            else "write one value, not a mapping of keys"
        )
    if isinstance(value, list):
        return _for_list(kinds, value, options)
    if "object" in kinds:
        off = any(alternative.get("const") == OFF for alternative in node.get(OTHERS, ()))
        if off and str(value).strip().lower() in NOTHING:
            return f"write {OFF}"
        if "default" in node and node["default"] is None and str(value).strip().lower() in NOTHING:
            return "remove the line: it is off by default"
        named = "patternProperties" in node or isinstance(node.get("additionalProperties"), dict)
        if named and not required and str(value).strip().lower() in NOTHING:
            return "remove the line to use the default"
        keys = list(node.get("properties", {}))
        switches = [key for key in keys if _may_be_off(node["properties"][key])]
        if switches and switches[0] == keys[0] and str(value).strip().lower() in NOTHING:
            return f"write below it: {', '.join(f'{key}: {OFF}' for key in switches)}"
        return "write its keys below it, indented by two spaces"
    if "array" in kinds:
        if not isinstance(value, str):
            return f"write a list, such as {shown(next(iter(node.get('examples', [])), ['a', 'b']))}"
        if node.get("default") == [] and value.strip().lower() in NOTHING:
            return "remove the line: the list is empty by default"
        return f"write it in brackets: {shown([item.strip() for item in value.split(',')])}"
    if any(kind in NUMBERS for kind in kinds):
        return _for_number(node, value)
    if options:
        if source in options and not isinstance(value, str):
            return f"put it in quotes: {_quote(source)}"
        close = _closest(value, options)
        return f"write {close}" if close else f"write {choices(options)}"
    if "boolean" in kinds:
        return _for_switch(value)
    if "pattern" in node and example and not re.search(node["pattern"], source):
        return f"write it like {_quote(example)}"
    return f"put it in quotes: {_quote(source)}"


def _for_list(kinds: list[str], value: list[Any], options: list[str]) -> str:
    if "object" in kinds:
        return "write keys and values, without - or brackets"
    if options and any(shown(item) not in options for item in value):
        return f"write {choices(options)}"
    return (
        f"write one value, without brackets: {shown(value[0])}"
        if len(value) == 1
        else "write one value, not a list"
    )


def _closest(value: Any, options: list[str]) -> str | None:
    text = str(value).strip().lower()
    if isinstance(value, bool) and "off" in options:
        return None if value else "off"
    if text in NOTHING and text not in options:
        return "off" if "off" in options else None
    if text in options:
        return text
    matches = difflib.get_close_matches(text, options, n=1, cutoff=0.6)
    # A slip is rarely in the first letter: `one` is no misspelt `zone`.
    return next((match for match in matches if match[0] == text[0]), None)


def _for_switch(value: Any) -> str:
    text = str(value).strip().lower()
    if text in ("yes", "on", "y", "1", "true", "enabled"):
        return "write true, without quotes"
    if text in ("no", "off", "n", "0", "false", "disabled"):
        return "write false, without quotes"
    return "write true or false, without quotes"


def _for_number(node: Schema, value: Any) -> str:
    """The number that was meant if it is legal, else the nearest one that is."""
    number: Schema = next(
        (option for option in node.get("anyOf", [node]) if option.get("type") in NUMBERS), {}
    )
    never = any(option.get("const") == "never" for option in node.get("anyOf", []))
    if never and str(value).strip().lower() in ("off", "no", "none", "false", "0"):
        return "write never"
    match = re.match(r"\s*([-+]?[0-9][0-9_,]{0,12}(?:\.[0-9]{1,6})?)(?![0-9])", str(value))
    if isinstance(value, bool) or not match:
        return f"write {describe(number)}{', or never' if never else ''}"
    meant = float(re.sub("[_,]", "", match[1]))
    nearest = _nearest(number, int(meant) if number["type"] == "integer" or meant.is_integer() else meant)
    bare = "" if isinstance(value, (int, float)) else ", without quotes or unit"
    return f"write {nearest}{', or never' if never else bare}"


def _nearest(node: Schema, number: float) -> float:
    """The nearest legal number: from a list the next larger one, from a range the nearest."""
    if legal := node.get("enum"):
        return next((int(number_) for number_ in legal if number_ >= number), int(legal[-1]))
    nearest: float = max(node.get("minimum", number), min(node.get("maximum", number), number))
    return nearest


def _quote(value: Any) -> str:
    """A value as it must be written in YAML to keep its type."""
    if isinstance(value, str):
        bare = value.strip('"')
        plain = re.match(r"[A-Za-z]", bare) and isinstance(scalar(bare), str)
        return bare if plain else json.dumps(bare, ensure_ascii=False)
    return shown(value)


def _sentence(text: str) -> str:
    """The first clause of a description, for use within a sentence."""
    first = re.split(r"[.;] ", text, maxsplit=1)[0].rstrip(".")
    return first[:1].lower() + first[1:] if not first[:2].isupper() else first
