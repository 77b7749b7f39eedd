"""The differences between a resource before and after a change, value by value, as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tierra.plans.structures import ABSENT, Edit, Mark, Masked, Name, diff, holds, marked, parsed
from tierra.validation.messages import secret

MASKED = "(sensitive)"
WIDEST = 240


class Difference(NamedTuple):
    """One value of a resource: its path, and its text before and after, on one line, and masked where it is
    sensitive."""

    attribute: str
    was: str
    now: str


def sides(change: Mapping[str, Any]) -> tuple[Any, Any]:
    """The values before and after a change in terraform's JSON, with sensitive and unknown ones marked; None
    if the resource does not exist."""
    unknown = False if change["after"] is None else change.get("after_unknown", False)
    was = None if change["before"] is None else marked(change["before"], change.get("before_sensitive"))
    now = None if change["after"] is None else marked(change["after"], change.get("after_sensitive"), unknown)
    return was, now


def differences(change: Mapping[str, Any]) -> list[Difference]:
    """Every value that a change in terraform's JSON touches; `tags_all` only where it differs from `tags`."""
    return described(diff(*(side or {} for side in sides(change))))


def described(edits: list[Edit]) -> list[Difference]:
    """The texts of differences, without those between two empty values."""
    differences = [_difference(edit) for edit in edits if not (_empty(edit.was) and _empty(edit.now))]
    tags = {
        difference.attribute for difference in differences if re.match(r"tags(\.|$)", difference.attribute)
    }
    copies = {f"tags_all{path.removeprefix('tags')}" for path in tags}
    return [difference for difference in differences if difference.attribute not in copies]


def _difference(edit: Edit) -> Difference:
    # The position of an element is of no interest.
    element = (
        bool(edit.path) and isinstance(edit.path[-1], int) and (edit.was is ABSENT or edit.now is ABSENT)
    )
    attribute = dotted(edit.path[:-1] if element else edit.path)
    if holds(edit.was, Masked) or holds(edit.now, Masked):
        return Difference(attribute, MASKED, MASKED)
    # The title of a statement is descriptive and contains no secret.
    words = [part.value if isinstance(part, Name) else part for part in edit.path if _names(part)]
    hidden = secret(tuple(word for word in words if isinstance(word, str)))
    return Difference(attribute, text(edit.was, hidden), text(edit.now, hidden))


def _names(part: str | int | Name) -> bool:
    return not isinstance(part, Name) or part.key != "Sid"


def dotted(path: tuple[str | int | Name, ...]) -> str:
    """`rule[rate].statement.limit`."""
    written = ""
    for part in path:
        if isinstance(part, str):
            written += f".{part}" if written else part
        else:
            written += f"[{part.value if isinstance(part, Name) else part}]"
    return _line(written)


def text(value: Any, hidden: bool = False) -> str:
    """A value on one line, cut at WIDEST characters. Texts below a key that sounds like a secret are masked,
    unless they are an ARN, which is a name and not a secret."""
    if value is ABSENT or value is None:
        return "(nothing)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if hidden and value and not value.startswith("arn:"):
            return MASKED
        document = parsed(value)
        return _line(value) or '""' if document is None else text(document)
    if isinstance(value, (dict, list)):
        return _line(json.dumps(_plain(value, hidden), ensure_ascii=False))
    return repr(value)


def _plain(value: Any, hidden: bool) -> Any:
    """A structure without secrets and marks."""
    if isinstance(value, dict):
        pair = secret(tuple(text for text in (value.get("name"), value.get("key")) if isinstance(text, str)))
        return {
            key: _plain(member, hidden or secret((str(key),)) or (pair and key == "value"))
            for key, member in value.items()
            if not _empty(member)
        }
    if isinstance(value, list):
        return [_plain(member, hidden) for member in value]
    if isinstance(value, str) and value:
        document = None if hidden else parsed(value)
        return text(value, hidden) if document is None else _plain(document, hidden)
    return repr(value) if isinstance(value, (Mark, Masked)) else value


def _line(words: str) -> str:
    """One line of printable characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in words[: WIDEST * 4])
    line = re.sub(r"\s+", " ", line).strip()
    return line if len(line) <= WIDEST and len(words) <= WIDEST * 4 else f"{line[: WIDEST - 1]}…"


def _empty(value: Any) -> bool:
    return value is None or value is ABSENT or value in ("", [], {})
