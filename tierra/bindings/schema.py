"""The argument schema of a provider's types, in terraform's own terms.

`compiled.py` reads it from bindings; `providers.py` keeps it in the repository.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CtyType = str | list[Any]


@dataclass(slots=True)
class Attribute:
    """One argument or computed attribute; `type` is cty's JSON form, such as `["set", "string"]`."""

    type: CtyType
    required: bool = False
    optional: bool = False
    computed: bool = False
    write_only: bool = False
    sensitive: bool = False


@dataclass(slots=True)
class Nested:
    """A nested block. `single`: a list or set of them has at most one; `least` and `most` are the minimum and
    maximum number of blocks beyond that; 0 means no limit.

    `attribute` marks a nested attribute of the plugin framework; `computed` one that the provider fills in.
    """

    block: Block
    nesting: str
    required: bool = False
    single: bool = False
    attribute: bool = False
    computed: bool = False
    least: int = 0
    most: int = 0


@dataclass(slots=True)
class Block:
    """The arguments and nested blocks between one pair of braces."""

    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: dict[str, Nested] = field(default_factory=dict)

    def object_type(self) -> CtyType:
        """The cty object type of a value of this block."""
        members: dict[str, CtyType] = {name: a.type for name, a in self.attributes.items()}
        for name, nested in self.blocks.items():
            inner = nested.block.object_type()
            members[name] = inner if nested.nesting == "single" else [nested.nesting, inner]
        return ["object", members]

    @property
    def dynamic(self) -> bool:
        """Whether the block contains a value of type `any`, which terraform refuses inside a set."""
        return any(a.type == "dynamic" for a in self.attributes.values()) or any(
            nested.block.dynamic for nested in self.blocks.values()
        )

    def find(self, path: str) -> Attribute | Nested | None:
        """The argument or block at a dotted path below this block; None if there is none."""
        first, _, rest = path.partition(".")
        if not rest:
            return self.attributes.get(first) or self.blocks.get(first)
        nested = self.blocks.get(first)
        return nested.block.find(rest) if nested else None


@dataclass(frozen=True, slots=True)
class TypeSchema:
    """A resource type, a data source type, or the provider's own configuration.

    `kind` is "resource", "data" or "provider".
    """

    kind: str
    name: str
    block: Block
