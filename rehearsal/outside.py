"""Objects in the account that the rehearsal did not create.

A data source that finds nothing in the account makes up an object: from then on it exists for every
reference. REHEARSAL_EXISTS names more, separated by commas: ids, names and ARNs, each with * for any text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from rehearsal.cloud import Cloud
from rehearsal.protocol import Object

# The types under which rules find these values and the account itself.
OUTSIDE, OWNER = "outside", "account"
VARIABLE = "REHEARSAL_EXISTS"


def answered(cloud: Cloud, state: Object) -> None:
    """Records the names, ids and ARNs that a data source returned."""
    if not cloud.remembers:
        return
    for value in set(_identities(state)):
        cloud.write_note(OUTSIDE, value, {"value": value})


def around(cloud: Cloud, account_id: str, type_name: str) -> Iterable[Object]:
    """The objects of a type; for OUTSIDE the values that exist besides and the patterns of the user, for
    OWNER the account."""
    if type_name == OWNER:
        return [{"id": account_id}]
    if type_name != OUTSIDE:
        return cloud.all(type_name)
    given = [pattern.strip() for pattern in os.environ.get(VARIABLE, "").split(",")]
    return [*cloud.notes(OUTSIDE), *({"pattern": pattern} for pattern in given if pattern)]


def matches(outside: Iterable[Mapping[str, Any]], value: str) -> bool:
    """Whether one of these values or patterns matches a value."""
    return any(
        value == note["value"] if "value" in note else fnmatchcase(value, str(note["pattern"]))
        for note in outside
    )


def _identities(state: Object) -> Iterator[str]:
    for name, value in state.items():
        if name in ("id", "ids", "arn", "arns", "name", "names") or name.endswith(
            ("_id", "_ids", "_arn", "_name")
        ):
            yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    for member in value if isinstance(value, list) else [value]:
        if isinstance(member, str) and member:
            yield member
