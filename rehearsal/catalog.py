"""Every type of the providers, with its schema and the facts known about its behaviour, in one SQLite file.

`build` makes the file from the schemas that the repository keeps, the tables of `rehearsal.tables` and
`rehearsal/facts/*.yaml`; a provider process then reads only the types that a configuration uses.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal import checks, tables, waf
from rehearsal.tables import Row
from tierra.bindings.schema import Attribute, Block, Nested, TypeSchema

FACTS = Path(__file__).parent / "facts"
# Optional in the bindings, and set by the provider for every type that has them; used for types without a
# row.
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
    documents: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Type:
    """A type with all that the rehearsal provider knows about it."""

    name: str
    block: Block
    facts: Facts


class Catalog:
    """Reads the file that `build` made."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)

    def load(
        self, provider: str, kind: str, names: set[str] | None = None, words: set[str] | None = None
    ) -> dict[str, Type]:
        """The types of a kind ("resource", "data", "provider"), those called `names` or all of them.

        Names that the provider lacks are left out. If `words` are given, only those WAF statements are loaded
        that are among them; all of them are larger than everything else.
        """
        if names is None:
            names = {name for (name,) in self._query("SELECT name", provider, kind)}
        types = {}
        for name in sorted(names):
            for block, facts in self._query("SELECT block, facts", provider, kind, name):
                types[name] = Type(name, _block(json.loads(block)), Facts(**json.loads(facts)))
                if kind == "resource":
                    waf.complete(name, types[name].block, words)
        return types

    def checks(self, provider: str, type_: Type, kind: str) -> dict[str, Any]:
        """What the provider checks of a type; empty when nothing is known."""
        key = (provider, kind, type_.name)
        select = "SELECT checks FROM checks WHERE provider = ? AND kind = ? AND name = ?"
        row = self._database.execute(select, key).fetchone()
        return json.loads(row[0]) if row else {}

    def _query(self, select: str, *key: str) -> list[tuple[Any, ...]]:
        where = " AND ".join(f"{column} = ?" for column in ("provider", "kind", "name")[: len(key)])
        return self._database.execute(f"{select} FROM types WHERE {where}", key).fetchall()


def build(path: Path) -> dict[str, int]:
    """Write the catalogue to `path`, atomically; the number of types per provider.

    Raises ValueError when a fact names an argument that its type does not have.
    """
    from tierra.bindings import providers

    facts, known = read_facts(), checks.read_checks()
    rows = tables.read_rows()
    temporary = path.with_suffix(f".{os.getpid()}.new")  # two builds may run at once; the last one wins
    temporary.unlink(missing_ok=True)
    counts = {}
    database = sqlite3.connect(temporary)
    with database:
        database.execute(
            "CREATE TABLE types (provider TEXT, kind TEXT, name TEXT, block TEXT, facts TEXT,"
            " PRIMARY KEY (provider, kind, name))"
        )
        database.execute(
            "CREATE TABLE checks (provider TEXT, kind TEXT, name TEXT, checks TEXT,"
            " PRIMARY KEY (provider, kind, name))"
        )
        for provider, stored in providers.read_providers().items():
            schemas = stored.schemas
            resources = {schema.name: schema.block for schema in schemas if schema.kind == "resource"}
            entries = [
                _row(provider, schema, facts, resources, rows.get((schema.kind, schema.name), Row()))
                for schema in schemas
            ]
            database.executemany("INSERT INTO types VALUES (?, ?, ?, ?, ?)", entries)
            checks_ = [(provider, *row) for schema in schemas for row in _checks(schema, known)]
            database.executemany("INSERT INTO checks VALUES (?, ?, ?, ?)", checks_)
            counts[provider] = len(entries)
    database.close()
    os.replace(temporary, path)
    return counts


def _checks(schema: TypeSchema, known: dict[str, dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The checks of a type that fit its schema."""
    entry = known.get(schema.kind, {}).get(schema.name)
    block = schema.block
    if entry and schema.kind == "resource" and schema.name in waf.TYPES:
        block = copy.deepcopy(block)
        waf.complete(schema.name, block)
    if entry and (fitting := checks.usable(block, entry)):
        yield schema.kind, schema.name, json.dumps(fitting)


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


def _row(
    provider: str, schema: TypeSchema, facts: dict[str, Facts], resources: dict[str, Block], row: Row
) -> tuple[str, ...]:
    alias = schema.name.replace("aws_alb", "aws_lb", 1)
    known = facts.get(schema.name, facts.get(alias, Facts())) if schema.kind == "resource" else Facts()
    if schema.kind == "resource":
        known = _complete(schema.block, known, row)
    elif schema.kind == "data" and not row.schema:
        _answering(schema.block, resources.get(schema.name, Block()))
    if provider == "helm":
        _nested_attributes(schema.block)
    _apply(schema.name, schema.block, known)
    _mark(schema.block, row if row.schema else None, {*known.write_only, *row.write_only})
    return (
        provider,
        schema.kind,
        schema.name,
        json.dumps(asdict(schema.block)),
        json.dumps(asdict(known)),
    )


def _complete(block: Block, facts: Facts, row: Row) -> Facts:
    """Mark the attributes that every AWS resource computes, and that a new region replaces the resource.

    A type without facts takes both from CloudFormation: arguments that CloudFormation cannot update replace
    the resource, and defaults are chosen by AWS where the provider computes them, otherwise planned.
    """
    for name in () if row.schema else ALWAYS_COMPUTED:
        if name in block.attributes and not block.attributes[name].required:
            block.attributes[name].computed = True
    replace, defaults, values = [*facts.replace], facts.defaults, facts.values
    if not facts.source:
        chosen = {name for name in row.defaults if name in row.computed or block.attributes[name].computed}
        values = {**{name: row.defaults[name] for name in chosen}, **values}
        defaults = {**{name: row.defaults[name] for name in row.defaults.keys() - chosen}, **defaults}
        replace += row.replace
        named = [name for name in PREFIXED if name in block.attributes]
        prefixes = [f"{name}_prefix" for name in named if f"{name}_prefix" in block.attributes]
        replace += [name for name in (*named, *prefixes) if name not in replace]
        for name in (*prefixes, *(prefix.removesuffix("_prefix") for prefix in prefixes)):
            block.attributes[name].computed = not block.attributes[name].required
    if "region" in block.attributes and "region" not in replace:
        replace.append("region")
    source = facts.source or row.cloudformation
    return dataclasses.replace(facts, source=source, replace=replace, defaults=defaults, values=values)


def _answering(block: Block, resource: Block) -> None:
    """Mark the optional arguments of a data source that it returns when they are not given."""
    for name, attribute in block.attributes.items():
        answered = name in ALWAYS_COMPUTED or name in resource.attributes
        if answered and attribute.optional and attribute.type == "string":
            attribute.computed = True


def _nested_attributes(block: Block) -> None:
    """The helm provider, of the newer plugin framework, has attributes of objects and no blocks."""
    for name, nested in block.blocks.items():
        nested.attribute = name != "timeouts"
        _nested_attributes(nested.block)


def _apply(name: str, block: Block, facts: Facts) -> None:
    """Overlay the facts on the schema of the type called `name`."""
    for path in [*facts.computed, *facts.defaults]:
        argument = block.find(path)
        if isinstance(argument, Attribute):
            argument.computed = not argument.required
        elif isinstance(argument, Nested):
            argument.computed = True
        else:
            raise ValueError(f"facts: {name} has no argument {path}")
    for path in [*facts.replace, *facts.documents]:
        if block.find(path) is None:
            raise ValueError(f"facts: {name} has no argument {path}")
    for path in facts.nested:
        nested = block.find(path)
        if isinstance(nested, Nested):
            nested.attribute = True
    for path in facts.required_blocks:
        nested = block.find(path)
        if isinstance(nested, Nested):
            nested.required = True


def _mark(block: Block, row: Row | None, write_only: set[str], prefix: str = "") -> None:
    """Overlay the table's row; without one, sensitive arguments are recognized by name."""
    for name, attribute in block.attributes.items():
        path = f"{prefix}{name}"
        listed = name in write_only or path in write_only
        attribute.write_only = attribute.optional and (name.endswith("_wo") or listed)
        attribute.sensitive = path in row.sensitive if row else bool(tables.SENSITIVE.search(name))
        if row and path in row.computed:
            attribute.computed = not attribute.required
    for name, nested in block.blocks.items():
        path = f"{prefix}{name}"
        if row and path in row.items:
            nested.least, nested.most = row.items[path]
            nested.required, nested.single = nested.least > 0, nested.most == 1
        _mark(nested.block, row, write_only, f"{path}.")


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
