"""Differences between two values in terraform's JSON of a plan, by structure rather than by text.

A text that contains JSON or YAML is compared as a structure; elements of a list are matched by their name, at
any position; in a list of plain values additions and removals count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

# Keys that identify an element of a list: statements of policies, WAF rules and variables of containers,
# tags.
IDENTITIES = ("Sid", "name", "key")


class Mark:
    """A placeholder for a value that is not shown."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


ABSENT = Mark("(nothing)")
UNKNOWN = Mark("(known after apply)")


class Masked:
    """A sensitive value: it can be compared but not shown."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "(sensitive)"

    def compared(self) -> str:
        return _canonical(self._value)


class Name(NamedTuple):
    """A position in a list: the element whose `key` is `value`."""

    key: str
    value: Any


class Edit(NamedTuple):
    """One difference. A path consists of keys of objects (str), indices in the old list, or for an added
    element in the new one (int), and names. A value that is missing on a side is ABSENT."""

    path: tuple[str | int | Name, ...]
    was: Any
    now: Any


def marked(value: Any, sensitive: Any = False, unknown: Any = False) -> Any:
    """A value with terraform's marks: sensitive parts are Masked, unknown ones UNKNOWN."""
    if sensitive is True:
        return Masked(value)
    if unknown is True:
        return UNKNOWN
    if isinstance(value, dict) or (value is None and isinstance(unknown, dict) and unknown):
        value = value or {}
        more = unknown if isinstance(unknown, dict) else {}
        keys = [*value, *(key for key in more if key not in value and holds(more[key], True))]
        return {key: marked(value.get(key), below(sensitive, key), below(more, key)) for key in keys}
    if isinstance(value, list):
        return [marked(member, below(sensitive, i), below(unknown, i)) for i, member in enumerate(value)]
    return value


def below(mask: Any, key: str | int) -> Any:
    """Terraform's marks of the value below a key: True, or a structure of marks."""
    if isinstance(mask, dict):
        return mask.get(str(key), False)
    if isinstance(mask, list) and isinstance(key, int):
        return mask[key] if key < len(mask) else False
    return mask


def holds(value: Any, wanted: Any) -> bool:
    """Whether a value, or anything inside it, is the wanted object or of the wanted class."""
    if isinstance(value, dict):
        return any(holds(member, wanted) for member in value.values())
    if isinstance(value, list):
        return any(holds(member, wanted) for member in value)
    return isinstance(value, wanted) if isinstance(wanted, type) else value is wanted


def parsed(text: Any) -> dict[str, Any] | list[Any] | None:
    """The structure of a text in JSON, or of several lines in YAML; None for any other."""
    if not isinstance(text, str):
        return None
    try:
        if text.lstrip()[:1] in ("{", "["):
            document = json.loads(text)
        elif "\n" in text and ":" in text:
            document = json.loads(json.dumps(_yaml(text), default=str))
        else:
            return None
    except (ValueError, TypeError, RecursionError):
        return None
    return document if isinstance(document, (dict, list)) else None


def _yaml(text: str) -> Any:
    """Raises ValueError for what is not YAML."""
    import yaml  # takes a fifth of the time that a small report takes, and few plans hold YAML

    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def diff(was: Any, now: Any) -> list[Edit]:
    """Every difference, in a stable order; none if both are equivalent."""
    return list(_diff((), was, now))


def _diff(path: tuple[str | int | Name, ...], was: Any, now: Any) -> Iterator[Edit]:
    if isinstance(was, str) and isinstance(now, str) and was != now:
        before, after = parsed(was), parsed(now)
        if before is not None and type(before) is type(after):
            yield from _diff(path, before, after)
            return
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            yield from _diff((*path, key), was.get(key, ABSENT), now.get(key, ABSENT))
    elif isinstance(was, list) and isinstance(now, list):
        yield from _of_lists(path, was, now)
    elif not _same(was, now):
        yield Edit(path, was, now)


def _of_lists(path: tuple[str | int | Name, ...], was: list[Any], now: list[Any]) -> Iterator[Edit]:
    if not was or not now:
        if was or now:
            yield Edit(path, was, now)
        return
    if key := _identity(was, now):
        ours, theirs = ({member[key]: member for member in side} for side in (was, now))
        for name in sorted({*ours, *theirs}, key=lambda name: (str(name), type(name).__name__)):
            yield from _diff((*path, Name(key, name)), ours.get(name, ABSENT), theirs.get(name, ABSENT))
        return
    gone, new = _unmatched(was, now)
    if not gone and not new:
        if not all(_same(before, after) for before, after in zip(was, now, strict=True)):
            yield Edit(path, was, now)  # another order
    elif len(gone) == len(new) and all(map(_structured, (*was, *now))):
        for index, position in zip(gone, new, strict=True):
            yield from _diff((*path, index), was[index], now[position])
    else:
        # Terraform's mark belongs to a position, and it is unknown which element has moved there.
        hide = Masked if holds(was, Masked) or holds(now, Masked) else lambda value: value
        yield from (Edit((*path, index), hide(was[index]), ABSENT) for index in gone)
        yield from (Edit((*path, index), ABSENT, hide(now[index])) for index in new)


def _structured(value: Any) -> bool:
    return isinstance(value, (dict, list)) or parsed(value) is not None


def _identity(was: list[Any], now: list[Any]) -> str | None:
    """The key that identifies the elements of both lists."""
    for key in IDENTITIES:
        sides = [
            [member.get(key) if isinstance(member, dict) else None for member in side] for side in (was, now)
        ]
        if all(
            all(isinstance(name, str) for name in names) and len(set(names)) == len(names) for names in sides
        ):
            return key
    return None


def _unmatched(was: list[Any], now: list[Any]) -> tuple[list[int], list[int]]:
    """The indices in each list of elements that are missing in the other."""
    left: dict[str, list[int]] = {}
    for index, member in enumerate(now):
        left.setdefault(_canonical(member), []).append(index)
    gone = []
    for index, member in enumerate(was):
        same = left.get(_canonical(member))
        if same:
            same.pop(0)
        else:
            gone.append(index)
    return gone, sorted(index for indexes in left.values() for index in indexes)


def _same(was: Any, now: Any) -> bool:
    return was is now or _canonical(was) == _canonical(now)


def _canonical(value: Any) -> str:
    """The same text for equal values. A mark differs from every value of terraform."""

    def plain(value: Any) -> Any:
        return {f"\0{value!r}": value.compared() if isinstance(value, Masked) else ""}

    return json.dumps(value, sort_keys=True, default=plain)
