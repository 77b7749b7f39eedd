"""Blocks in Terraform's JSON as blocks of HCL.

In JSON a block and an object look the same; the schema tells which of the two HCL needs. It is that of the
bindings, with the facts of the rehearsal, which the embedded provider also uses to refuse the wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal import ephemeral
from rehearsal.catalog import Catalog, Facts, Type
from tierra.bindings.schema import Attribute, Block, Nested
from tierra.hcl import owning
from tierra.hcl.strings import HclError, reference
from tierra.hcl.values import Entry, entries, fixed, indent, json_document, value

# Types of terraform itself, which have only arguments.
BUILT_IN = ("terraform_data", "terraform_remote_state")
FIRST = ("count", "for_each", "provider")
CONDITIONS = ("precondition", "postcondition")
_PATH = re.compile(r"\$\{[\w.-]+\}")
_ATTRIBUTE = re.compile(r"\$\{(?P<data>data\.)?(?P<type>[a-z0-9]+_[a-z0-9_]+)\.[\w-]+\.(?P<name>\w+)\}")


@dataclass
class Body:
    """The lines between two braces: paragraphs separated by empty lines."""

    first: list[Entry] = field(default_factory=list)
    arguments: list[Entry] = field(default_factory=list)
    blocks: list[list[str]] = field(default_factory=list)
    last: list[list[str]] = field(default_factory=list)

    def lines(self) -> list[str]:
        tags = [entry for entry in self.arguments if entry[0] == "tags"]
        others = [entry for entry in self.arguments if entry[0] != "tags"]
        paragraphs = [entries(self.first), entries([*others, *tags]), *self.blocks, *self.last]
        return [line for paragraph in paragraphs if paragraph for line in ("", *paragraph)][1:]


class Schemas:
    """The types of the providers, loaded when they are needed."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: dict[tuple[str, str], Type] = {}

    def find(self, kind: str, name: str) -> Type:
        """The type called `name`, of the kind "resource", "data", "ephemeral" or "provider".

        Raises HclError if the bindings do not have it.
        """
        key = (kind, name)
        if kind == "ephemeral" and name in ephemeral.TYPES:
            self._known[key] = Type(name, ephemeral.TYPES[name], Facts())
        elif key not in self._known:
            provider = name.partition("_")[0]
            for type_ in self._catalog.load(provider, kind, {name}).values():
                self._known[key] = type_
        if key not in self._known:
            raise HclError(f"{kind} {name}: the bindings have no such type")
        return self._known[key]

    def is_text(self, expression: str) -> bool:
        """Whether the value of an expression, `${aws_vpc.main.id}`, is certainly a string. Attributes have a
        type. Outputs of other tiers are strings, or lists or maps of them (tierra/terraform/outputs.py), and
        neither of the latter is valid where a string is required. Locals are generated here.
        """
        if owning.LOCAL.fullmatch(expression):
            return True
        match = _ATTRIBUTE.fullmatch(expression)
        if not match or match["type"] in BUILT_IN:
            return (
                expression.startswith("${data.terraform_remote_state.")
                and _PATH.fullmatch(expression) is not None
            )
        attribute = self.find("data" if match["data"] else "resource", match["type"]).block.attributes
        return match["name"] in attribute and attribute[match["name"]].type == "string"


def block(header: str, lines: list[str]) -> list[str]:
    """A block with that header; an empty one takes one line."""
    return [f"{header} {{", *indent(lines), "}"] if lines else [f"{header} {{}}"]


def element(schemas: Schemas, kind: str, name: str, arguments: Mapping[str, Any]) -> list[str]:
    """The lines inside the braces of a resource, data source or ephemeral resource of the type `name`."""
    own = dict(arguments)
    body = Body(first=[(key, _first(key, own.pop(key))) for key in FIRST if own.get(key) is not None])
    if (lifecycle := own.pop("lifecycle", None)) is not None:
        body.last.append(block("lifecycle", _lifecycle(lifecycle)))
    if (before := own.pop("depends_on", None)) is not None:
        body.last.append(entries([("depends_on", references(before))]))
    if name in BUILT_IN:
        body.arguments = [(key, value(item)) for key, item in own.items()]
    else:
        type_ = schemas.find(kind, name)
        _Filler(schemas, type_).fill(body, type_.block, own)
    return body.lines()


def configured(schemas: Schemas, name: str, arguments: Mapping[str, Any]) -> list[str]:
    """The lines inside the braces of the provider `name`."""
    own = dict(arguments)
    body = Body([(key, fixed(own.pop(key))) for key in ("alias", "version") if key in own])
    type_ = schemas.find("provider", name)
    _Filler(schemas, type_).fill(body, type_.block, own)
    return body.lines()


@dataclass(frozen=True)
class _Filler:
    """Writes arguments and nested blocks of an element of that type."""

    schemas: Schemas
    type: Type

    def fill(self, body: Body, schema: Block, arguments: Mapping[str, Any], path: str = "") -> None:
        """Adds them according to the schema of the block at `path`. Raises HclError for names that the schema
        does not have, or whose type it leaves open."""
        for name, item in arguments.items():
            inner = f"{path}.{name}" if path else name
            argument = schema.attributes.get(name) or schema.blocks.get(name)
            if argument is None or (isinstance(argument, Attribute) and argument.type == "dynamic"):
                raise HclError(f"{inner}: the bindings do not say what this is in HCL")
            if isinstance(argument, Attribute) or argument.attribute:
                body.arguments.append((name, self._argument(item, inner)))
            else:
                body.blocks += self._nested(name, argument, item, inner)

    def _nested(self, name: str, nested: Nested, item: Any, path: str) -> list[list[str]]:
        """The blocks for an object, or for each object of a list."""
        lines = []
        for arguments in item if isinstance(item, list) else [item]:
            if arguments is None:
                continue
            if not isinstance(arguments, dict):
                raise HclError(f"{path} is a block, and its value is none")
            body = Body()
            self.fill(body, nested.block, arguments, path)
            lines.append(block(name, body.lines()))
        return lines

    def _argument(self, item: Any, path: str) -> list[str]:
        """The expression of an argument; a JSON document as jsonencode, if that changes nothing."""
        if isinstance(item, str):
            compared = path in self.type.facts.documents
            read = json_document(item, compared=compared, is_text=self.schemas.is_text)
            if read:
                return read
        return value(item)


def _first(key: str, item: Any) -> list[str]:
    return [reference(item)] if key == "provider" else value(item)


def references(item: Any) -> list[str]:
    """References, which Terraform's JSON writes as strings; a value that is not a list is a word such as
    `all`."""
    if isinstance(item, str):
        return [item]
    names = [reference(name) for name in item]
    if len(names) < 2:
        return [f"[{', '.join(names)}]"]
    return ["[", *indent([f"{name}," for name in names]), "]"]


def _lifecycle(item: Any) -> list[str]:
    (rules,) = item if isinstance(item, list) else [item]
    body = Body()
    for name, rule in rules.items():
        if name in CONDITIONS:
            body.blocks += conditions(name, rule)
        elif name in ("ignore_changes", "replace_triggered_by"):
            body.arguments.append((name, references(rule)))
        else:
            body.arguments.append((name, value(rule)))
    return body.lines()


def conditions(name: str, item: Any) -> list[list[str]]:
    """The blocks of a check, such as a precondition, or of several."""
    rules = item if isinstance(item, list) else [item]
    return [block(name, entries([(key, value(of)) for key, of in rule.items()])) for rule in rules]
