"""Generated Terraform as a provider gets it: configurations in the form of the type's schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rehearsal.catalog import Type
from rehearsal.planning import null
from rehearsal.protocol import UNKNOWN, Object
from tierra.bindings.schema import Block, CtyType, Nested

META = (
    "lifecycle",
    "depends_on",
    "provider",
    "for_each",
    "count",
    "provisioner",
    "connection",
    "//",
    "dynamic",
)
_TEMPLATE = re.compile(r"(?<![$%])[$%]\{")


def configured(block: Block, raw: Any) -> Object:
    """The configuration of a block, with UNKNOWN for expressions."""
    config = null(block)
    for name in raw.get("dynamic", {}):
        config[name] = UNKNOWN
    for name, value in raw.items():
        if name in META and name not in config:
            continue
        nested = block.blocks.get(name)
        if nested:
            config[name] = _nested(nested, value)
        else:
            config[name] = _value(block.attributes[name].type, value)
    return config


def _nested(nested: Nested, value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return UNKNOWN if value else value
    if nested.nesting == "map":
        return {key: configured(nested.block, item) for key, item in value.items()}
    listed = value if isinstance(value, list) else [value]
    blocks = [configured(nested.block, item) for item in listed]
    return blocks if nested.nesting in ("list", "set") else blocks[0]


def _value(type_: CtyType, value: Any) -> Any:
    if isinstance(value, str):
        if _TEMPLATE.search(value):
            return UNKNOWN
        value = value.replace("$${", "${").replace("%%{", "%{")
        return float(value) if type_ == "number" else value
    if isinstance(type_, list):
        inner = type_[1]
        if isinstance(value, list):
            return [_value(inner, item) for item in value]
        if isinstance(value, dict):
            types = inner if isinstance(inner, dict) else dict.fromkeys(value, inner)
            return {key: _value(types.get(key, "string"), item) for key, item in value.items()}
    if type_ == "string" and value is not None and not isinstance(value, dict | list):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def each(body: dict[str, Any], types: dict[str, dict[str, Type]]) -> Iterator[tuple[str, Type, str, Object]]:
    """Kind, type, name and configuration of each resource and data source of a root module."""
    for kind, section in (("resource", "resource"), ("data", "data")):
        for type_name, named in body.get(section, {}).items():
            if type_name in types[kind]:
                type_ = types[kind][type_name]
                for name, raw in named.items():
                    yield kind, type_, name, configured(type_.block, raw)
