"""Every type of the providers, with its schema and the facts known about its behaviour, in one SQLite file.

`build` makes the file from the installed bindings and `rehearsal/facts/*.yaml`; a provider process then
reads only the types that a configuration uses.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from bindings.schema import Attribute, Block, Nested, TypeSchema

PROVIDERS = ("aws", "helm")
FACTS = Path(__file__).parent / "facts"
SENSITIVE = {
    "auth_token",
    "master_password",
    "master_password_wo",
    "password",
    "password_wo",
    "private_key",
    "secret_binary",
    "secret_string",
    "secret_string_wo",
}
# Optional in the bindings, and filled by the provider for every type that has them.
ALWAYS_COMPUTED = ("id", "arn", "region", "tags_all")
PREFIXED = ("name", "identifier", "cluster_identifier", "node_group_name", "bucket")


@dataclass(frozen=True)
class Facts:
    """What the bindings do not say about a type. Paths into nested blocks are dotted."""

    source: str = ""
    replace: list[str] = field(default_factory=list)
    computed: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    nested: list[str] = field(default_factory=list)
    changes: dict[str, list[str]] = field(default_factory=dict)
    id: str = ""
    arn: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    write_only: list[str] = field(default_factory=list)
    required_blocks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Type:
    """A type as the rehearsal provider knows it."""

    name: str
    block: Block
    facts: Facts


class Catalog:
    """Reads the file that `build` made."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)

    def names(self, provider: str, kind: str) -> set[str]:
        """The names of all types of a kind ("resource", "data", "provider", "ephemeral")."""
        query = "SELECT name FROM types WHERE provider = ? AND kind = ?"
        return {row[0] for row in self._database.execute(query, (provider, kind))}

    def load(self, provider: str, kind: str, names: set[str]) -> dict[str, Type]:
        """The types of that kind with those names; names that the provider lacks are left out."""
        query = "SELECT name, block, facts FROM types WHERE provider = ? AND kind = ? ORDER BY name"
        return {
            name: Type(name, _block(json.loads(block)), Facts(**json.loads(facts)))
            for name, block, facts in self._database.execute(query, (provider, kind))
            if name in names
        }


def build(path: Path) -> dict[str, int]:
    """Write the catalogue to `path`, atomically; the number of types per provider.

    Raises ValueError when a fact names an argument that its type does not have.
    """
    from bindings.compiled import schemas

    facts = read_facts()
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    counts = {}
    database = sqlite3.connect(temporary)
    with database:
        database.execute("CREATE TABLE types (provider TEXT, kind TEXT, name TEXT, block TEXT, facts TEXT)")
        for provider in PROVIDERS:
            rows = [_row(provider, schema, facts) for schema in schemas(provider)]
            database.executemany("INSERT INTO types VALUES (?, ?, ?, ?, ?)", rows)
            counts[provider] = len(rows)
    database.close()
    os.replace(temporary, path)
    return counts


def read_facts() -> dict[str, Facts]:
    """The facts of every type in `rehearsal/facts/`, by name. Raises ValueError on an unknown key."""
    import yaml

    known = {f.name for f in fields(Facts)}
    facts: dict[str, Facts] = {}
    for file in sorted(FACTS.glob("*.yaml")):
        for name, entry in (yaml.safe_load(file.read_text()) or {}).items():
            unknown = set(entry) - known
            if unknown or name in facts:
                raise ValueError(f"{file.name}: {name}: unknown key or second entry: {sorted(unknown)}")
            facts[name] = Facts(**entry)
    return facts


def _row(provider: str, schema: TypeSchema, facts: dict[str, Facts]) -> tuple[str, ...]:
    known = facts.get(schema.name, Facts()) if schema.kind != "data" else Facts()
    if schema.kind == "resource":
        _complete(schema.block, known)
    _apply(schema.name, schema.block, known)
    return (
        provider,
        schema.kind,
        schema.name,
        json.dumps(asdict(schema.block)),
        json.dumps(asdict(known)),
    )


def _complete(block: Block, facts: Facts) -> None:
    """Mark what every AWS resource computes, whether or not there are facts about its type."""
    for name in ALWAYS_COMPUTED:
        if name in block.attributes and not block.attributes[name].required:
            block.attributes[name].computed = True
    if not facts.source:
        for name in PREFIXED:
            if f"{name}_prefix" in block.attributes and name in block.attributes:
                block.attributes[name].computed = True


def _apply(name: str, block: Block, facts: Facts) -> None:
    """Overlay the facts on the schema of the type called `name`."""
    for path in [*facts.computed, *facts.defaults]:
        found = find(block, path)
        if isinstance(found, Attribute):
            found.computed = not found.required
        elif isinstance(found, Nested):
            found.computed = True
        else:
            raise ValueError(f"facts: {name} has no argument {path}")
    for path in facts.replace:
        if find(block, path) is None:
            raise ValueError(f"facts: {name} has no argument {path}")
    for path in facts.nested:
        nested = find(block, path)
        if isinstance(nested, Nested):
            nested.attribute = True
    for path in facts.required_blocks:
        nested = find(block, path)
        if isinstance(nested, Nested):
            nested.required = True
    _mark(block, set(facts.write_only))


def _mark(block: Block, write_only: set[str]) -> None:
    for name, attribute in block.attributes.items():
        attribute.write_only = attribute.optional and (name.endswith("_wo") or name in write_only)
        attribute.sensitive = name in SENSITIVE
    for nested in block.blocks.values():
        _mark(nested.block, write_only)


def find(block: Block, path: str) -> Attribute | Nested | None:
    """What stands at a dotted path in a block; None if nothing does."""
    first, _, rest = path.partition(".")
    if not rest:
        return block.attributes.get(first) or block.blocks.get(first)
    nested = block.blocks.get(first)
    return find(nested.block, rest) if nested else None


def _block(raw: dict[str, Any]) -> Block:
    return Block(
        {name: Attribute(**attribute) for name, attribute in raw["attributes"].items()},
        {
            name: Nested(**{**nested, "block": _block(nested["block"])})
            for name, nested in raw["blocks"].items()
        },
    )


@cache
def catalog_path() -> Path:
    """Where `make setup` puts the catalogue: `.rehearsal/` of the project."""
    return Path(__file__).resolve().parents[1] / ".rehearsal" / "catalog.sqlite"
