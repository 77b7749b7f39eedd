"""Removes invalid values from a spec, so that rules over several keys can check the rest in the same run."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from tierra.validation.errors import KeyPath


def sound_part(
    data: dict[str, Any], errors: Iterable[ErrorDetails], stand_ins: Mapping[str, Any]
) -> tuple[dict[str, Any], set[KeyPath]]:
    """The data without its refused values, and the paths that differ from the file. A refused item removes
    its list, and a missing key its mapping, up to the nearest key that can be left out. `stand_ins` replace
    required keys at the top.
    """
    rest: dict[str, Any] = copy.deepcopy(data)
    unsound: set[KeyPath] = set()
    for error in errors:
        parts = tuple(part for part in error["loc"] if part != "[key]")
        if error["type"] == "missing" and len(parts) > 1:
            parts = parts[:-1]
        removed = _without(rest, parts)
        unsound.add(removed or parts)
    for key, value in stand_ins.items():
        if key not in rest:
            rest[key] = value
            unsound.add((key,))
    return rest, unsound


def _without(data: dict[str, Any], path: KeyPath) -> KeyPath | None:
    """Removes the value at a path with its list, if any, and returns the removed path."""
    node: Any = data
    holder: tuple[dict[str, Any], str, KeyPath] | None = None
    in_list = False
    for depth, part in enumerate(path):
        if isinstance(node, dict) and part in node:
            if not in_list:
                holder = (node, str(part), path[: depth + 1])
            node = node[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            in_list = True
            node = node[part]
        else:
            break
    if holder is None:
        return None
    mapping, key, gone = holder
    del mapping[key]
    return gone
