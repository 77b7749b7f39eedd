"""Schemas in the form of terraform's protocol."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.protocol import messages
from tierra.bindings.schema import Attribute, Block, Nested


def schema(block: Block) -> Any:
    """The protocol's Schema message of a type."""
    return messages().Schema(version=0, block=_block(block))


def _block(block: Block) -> Any:
    pb = messages().Schema
    attributes = [_attribute(name, a) for name, a in block.attributes.items()]
    attributes += [_nested_attribute(name, n) for name, n in block.blocks.items() if n.attribute]
    return pb.Block(
        attributes=sorted(attributes, key=lambda a: a.name),
        block_types=[_nested_block(name, n) for name, n in sorted(block.blocks.items()) if not n.attribute],
    )


def _attribute(name: str, attribute: Attribute) -> Any:
    return messages().Schema.Attribute(
        name=name,
        type=json.dumps(attribute.type).encode(),
        required=attribute.required,
        optional=attribute.optional,
        computed=attribute.computed,
        write_only=attribute.write_only,
        sensitive=attribute.sensitive,
    )


def _nested_attribute(name: str, nested: Nested) -> Any:
    pb = messages().Schema
    inner = _block(Block(nested.block.attributes, nested.block.blocks)).attributes
    return pb.Attribute(
        name=name,
        nested_type=pb.Object(attributes=inner, nesting=getattr(pb.Object, nested.nesting.upper())),
        required=nested.required,
        optional=not nested.required,
        computed=nested.computed and not nested.required,
    )


def _nested_block(name: str, nested: Nested) -> Any:
    pb = messages().Schema
    counted = nested.nesting in ("list", "set")
    return pb.NestedBlock(
        type_name=name,
        block=_block(nested.block),
        nesting=getattr(pb.NestedBlock, nested.nesting.upper()),
        min_items=max(int(nested.required), nested.least) if counted else 0,
        max_items=max(int(nested.single), nested.most) if counted else 0,
    )
