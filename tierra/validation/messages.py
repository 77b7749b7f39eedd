"""Values and paths of a spec in messages: short, on one line, and never a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from tierra.validation.errors import KeyPath

WIDEST = 60
# Words for "not at all"; what is spelled like one of them (zone, none) is not what was meant.
NOTHING = ("none", "no", "off", "false", "never", "disabled")
_SECRET = re.compile(r"passw|secret|credential|private_?key|access_?key|api_?key|token", re.IGNORECASE)


def dotted(path: KeyPath) -> str:
    """`network.zones[1]`; keys that are not plain words are quoted, as in `tags["cost center"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z0-9_-]{1,60}", part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(short(part), ensure_ascii=False)}]"
    return text


def short(text: str) -> str:
    """At most `WIDEST` characters of a text, on one line, without control characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text[: WIDEST * 4])
    line = re.sub(r"\s+", " ", line).strip()
    return line if len(line) <= WIDEST and len(text) <= WIDEST * 4 else f"{line[: WIDEST - 1]}…"


def shown(value: Any) -> str:
    """A value in YAML's one-line form, shortened."""
    if value is None:
        return "(nothing)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return short("{" + ", ".join(f"{key}: {shown(item)}" for key, item in list(value.items())[:9]) + "}")
    if isinstance(value, (list, tuple)):
        return short("[" + ", ".join(shown(item) for item in value[:20]) + "]")
    return short(str(value)) or '""'


def secret(path: KeyPath) -> bool:
    """Whether a key of this path sounds like one whose value must not be printed."""
    return any(isinstance(part, str) and _SECRET.search(part) for part in path)


def choices(options: Iterable[Any]) -> str:
    """`a, b or c`."""
    *others, last = [shown(option) for option in options]
    return f"{', '.join(others)} or {last}" if others else last
