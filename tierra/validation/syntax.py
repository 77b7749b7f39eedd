"""Meaning of plain YAML scalars, and plain words for errors of the YAML parser."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tierra.validation.errors import Problem
from tierra.validation.messages import secret, short

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_OTHER_BASE = re.compile(r"0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

# Part of the parser's message (libyaml and the pure Python parser word some differently) -> what to do.
_REMEDIES = (
    (
        "mapping values are not allowed",
        "check the indentation of this line, and put text with a colon in quotes",
    ),
    ("could not find expected ':'", "write key: value, with a space after the colon"),
    ("cannot start any token", "put text that starts with this character in quotes"),
    ("unknown escape", "use 'single quotes', in which a backslash is a backslash"),
    ("unexpected end of stream", "close the quotes or the bracket"),
    ("unexpected document separator", "close the quotes"),
    ("flow", "close the bracket, and put a comma between the values"),
    (
        "block mapping",
        "indent every key of a mapping by the same number of spaces, and remove lines that are not keys",
    ),
    ("block collection", "indent every - of a list by the same number of spaces"),
    ("anchor", "put text that starts with & in quotes"),
    ("alias", "put text that starts with * in quotes"),
    ("tag", "put text that starts with ! in quotes"),
    ("directive", "remove the line that starts with %"),
)


def scalar(text: str) -> Any:
    """The value of a plain scalar in the core schema of YAML 1.2: `no` and `1:30` are text, `010` is ten."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def hint(error: yaml.MarkedYAMLError, text: str) -> Problem:
    """The parser's complaint as a problem, with the line it points to and the likeliest remedy."""
    lines = text.split("\n")
    complaint, mark, opened = error.problem or "not YAML", error.problem_mark, error.context_mark
    if opened and (mark is None or "expected ':'" in complaint or "end of stream" in complaint):
        mark, opened = opened, None  # the problem is where the key or the quotes begin
    number = min(mark.line + 1, len(lines)) if mark else 1
    messages = (complaint, error.context or "")
    remedy = next(
        (remedy for message in messages for part, remedy in _REMEDIES if part in message),
        "check indentation, colons, quotes and brackets of this line and the one above",
    )
    if opened and opened.line + 1 < number:
        remedy += f"; the mistake may be on line {opened.line + 1}"
    source = lines[number - 1]
    value = "(hidden)" if secret((source,)) else short(source)
    return Problem("", value, f"the file must be YAML: {short(complaint)}", remedy, number)
