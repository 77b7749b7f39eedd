"""The table of versions, `tierra/aws/versions.yaml`: which versions a spec may name, and when AWS ends their
support.

No clock is read here, so that one spec always gives one result; tierra/report/calendar.py compares the table
with a date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tierra.versions import numbers

TABLE = Path(__file__).with_name("versions.yaml")
KUBERNETES, POSTGRES, REDIS, VALKEY = "kubernetes", "postgres", "redis", "valkey"
DOCUMENTDB, ADDONS, AUTOSCALER = "documentdb", "addons", "autoscaler"
PRODUCTS = (KUBERNETES, POSTGRES, REDIS, VALKEY, DOCUMENTDB)  # that have days
SOURCES = "sources"
_ABOUT = {"standard_until", "extended_until", "offered", "source", "read"}


@dataclass(frozen=True)
class Row:
    """A version of a product. `facts` are its other columns."""

    version: str
    source: str
    read: date
    standard_until: date | None
    extended_until: date | None
    offered: bool
    facts: Mapping[str, Any]


@cache
def rows(product: str) -> Mapping[str, Row]:
    """The rows of a product by version, the oldest first."""
    return parsed(_table()[product])


def parsed(section: Mapping[str, Mapping[str, Any]]) -> dict[str, Row]:
    """The rows of a section of the table."""
    return {
        version: Row(
            version,
            row["source"],
            row["read"],
            row.get("standard_until"),
            row.get("extended_until"),
            _offered(row),
            {name: value for name, value in row.items() if name not in _ABOUT},
        )
        for version, row in sorted(section.items(), key=lambda item: numbers(item[0]))
    }


def offered(product: str) -> list[str]:
    """The versions that a spec may name, the oldest first."""
    return [version for version, row in rows(product).items() if row.offered]


def as_of(product: str) -> date:
    """The day on which the oldest offered row was looked up."""
    return min(row.read for row in rows(product).values() if row.offered)


def parse_table(text: str) -> dict[str, Any]:
    """The table as it is written."""
    document: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return document


@cache
def _table() -> dict[str, Any]:
    return parse_table(TABLE.read_text(encoding="utf-8"))


def _offered(row: Mapping[str, Any]) -> bool:
    """Whether a version is offered: not if its support had already ended when it was looked up."""
    ends = row.get("extended_until")
    return row.get("offered", True) and (ends is None or ends > row["read"])
