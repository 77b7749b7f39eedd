"""The values in which what terraform knows of a resource differs before and after a change, one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from modules.wording import secret, shown

MASKED = "(sensitive)"


class Difference(NamedTuple):
    """One value of a resource: its path, and its text before and after, short, and masked where it is
    sensitive."""

    attribute: str
    was: str
    now: str


def differences(change: Mapping[str, Any]) -> list[Difference]:
    """Every value that a change in terraform's JSON touches; `tags_all` where it says more than `tags`."""
    masks = (change.get("before_sensitive"), change.get("after_sensitive"))
    found = list(_changed("", change["before"], change["after"], masks))
    tags = {each.attribute for each in found if re.match(r"tags(\.|$)", each.attribute)}
    twins = {f"tags_all{path.removeprefix('tags')}" for path in tags}
    return [each for each in found if each.attribute not in twins]


def _changed(path: str, was: Any, now: Any, masks: tuple[Any, Any]) -> Iterator[Difference]:
    """Lists of unequal length are one value."""
    if was == now or (_empty(was) and _empty(now)):
        return
    if True in masks or secret(tuple(path.split("."))):
        yield Difference(path, MASKED, MASKED)
    elif isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            below = (_mask(masks[0], key), _mask(masks[1], key))
            yield from _changed(f"{path}.{key}" if path else key, was.get(key), now.get(key), below)
    elif _objects(was) and _objects(now) and len(was) == len(now):
        for index, (one, other) in enumerate(zip(was, now, strict=True)):
            below = (_mask(masks[0], index), _mask(masks[1], index))
            yield from _changed(f"{path}[{index}]", one, other, below)
    elif _holds_mask(masks[0]) or _holds_mask(masks[1]):
        yield Difference(path, MASKED, MASKED)
    else:
        yield Difference(path, shown(was), shown(now))


def _mask(mask: Any, key: str | int) -> Any:
    """What terraform says about the value below a key: True, or more of the same."""
    if isinstance(mask, dict):
        return mask.get(str(key), False)
    if isinstance(mask, list) and isinstance(key, int):
        return mask[key] if key < len(mask) else False
    return mask


def _holds_mask(mask: Any) -> bool:
    if isinstance(mask, dict):
        return any(map(_holds_mask, mask.values()))
    return any(map(_holds_mask, mask)) if isinstance(mask, list) else mask is True


def _objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
