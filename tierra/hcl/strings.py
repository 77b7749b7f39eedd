"""Terraform's template syntax: the strings of its JSON, as strings of its HCL.

Both are templates, and differ only in their quotes: in JSON a backslash means itself, so the text outside
`${…}` and `%{…}` must be escaped again, and the text inside must not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class HclError(Exception):
    """Something in the JSON that cannot be written as HCL; the message names it."""


class Fixed(str):
    """A line with fixed indentation, such as an empty one of a heredoc."""


class Part(NamedTuple):
    """A piece of a template: text, with its `$${` and `%%{` as they are, or else an expression or directive
    with its braces."""

    source: str
    text: bool


INDENT = "  "
MARKER = "EOT"
# From this many lines on, a text without a final line break becomes a heredoc with a function around it.
LINES_FOR_CHOMP = 3

_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}
_STRAY_RETURN = re.compile(r"\r(?!\n)")
_OPENING = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")


def split(template: str) -> list[Part]:
    """The parts of a template, in order; none is empty. An opening mark without a closing one is text, and so
    is everything after a carriage return without a line feed, as terraform reads it from JSON. Raises
    HclError for strip marks in a text of several lines: they strip less in JSON than in a quoted string.
    """
    if stray := _STRAY_RETURN.search(template):
        rest = _OPENING.sub(lambda mark: mark[0][0] + mark[0], template[stray.start() :])
        return [*split(template[: stray.start()]), Part(rest, True)]
    parts: list[Part] = []
    start = 0
    while opening := _OPENING.search(template, start):
        end = _closing(template, opening.end())
        if end is None:
            break
        parts += [Part(template[start : opening.start()], True), Part(template[opening.start() : end], False)]
        start = end
    if "\n" in template and any(_cuts(part.source) for part in parts if not part.text):
        raise HclError(f"{template!r}: `~` has no HCL in a text of several lines")
    return [part for part in (*parts, Part(template[start:], True)) if part.source]


def string(template: str, *, long: bool = True) -> list[str]:
    """The expression that has the value of a template, in lines.

    A template that is one expression becomes that expression; a text of several lines becomes a heredoc,
    unless `long` forbids it.
    """
    parts = split(template)
    if len(parts) == 1 and (bare := _bare(parts[0])):
        return [bare]
    if long and (lines := _heredoc(template, parts)):
        return lines
    return [f'"{"".join(_quoted(part) for part in parts)}"']


def plain(text: str) -> str:
    """A string with exactly this value."""
    return f'"{_escaped(literal(text))}"'


def literal(text: str) -> str:
    """The template that has exactly this text as its value."""
    return re.sub(r"([$%])\{", r"\1\1{", text)


def unescaped(part: Part) -> str:
    """The value of a part of that kind."""
    return re.sub(r"([$%])\1\{", r"\1{", part.source)


def reference(text: str) -> str:
    """The reference that Terraform's JSON contains as a string, with or without marks."""
    parts = split(text)
    return (len(parts) == 1 and _bare(parts[0])) or text


def _bare(part: Part) -> str | None:
    """The expression inside `${…}`; None if it is not valid without the marks."""
    if part.text or not part.source.startswith("${"):
        return None
    inside = part.source[2:-1].removeprefix("~").removesuffix("~").strip()
    return None if "\n" in inside or not inside else inside


def _quoted(part: Part) -> str:
    return _escaped(part.source) if part.text else part.source


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(character) or _printable(character) for character in text)


def _printable(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"  # half of a surrogate pair: terraform reads it from JSON as this, too
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _heredoc(template: str, parts: Sequence[Part]) -> list[str] | None:
    """The template as a heredoc; None if a quoted string is better or necessary."""
    ended = template.endswith("\n")
    lines = template.removesuffix("\n").split("\n")
    if not parts[-1:] or not parts[-1].text or not all(_fit(line) for line in lines):
        return None
    if (not ended and len(lines) < LINES_FOR_CHOMP) or template in ("", "\n"):
        return None
    taken = {line.strip() for line in lines}
    marker = next(name for name in _markers() if name not in taken)
    body = _indented(parts, lines)
    opening = f"<<-{marker}" if body else f"<<{marker}"
    inside = [opening, *(body or [Fixed(line) for line in lines]), marker]
    return inside if ended else [f"chomp({inside[0]}", *inside[1:], ")"]


def _indented(parts: Sequence[Part], lines: Sequence[str]) -> list[str] | None:
    """The lines for a heredoc that strips indentation; None if it would strip more, or less. It strips the
    common indentation of all lines, which must be only the added one; empty lines do not count.
    """
    broken = any("\n" in part.source for part in parts if not part.text)
    filled = [line for line in lines if line.strip()]
    if broken or not filled or all(line[0].isspace() for line in filled):
        return None
    return [INDENT + line if line.strip() else Fixed(line) for line in lines]


def _cuts(expression: str) -> bool:
    return expression[2] == "~" or expression.endswith("~}")


def _fit(line: str) -> bool:
    """Whether a line is the same in a file as in a string, and its indentation can be counted."""
    start = line.lstrip(" \t")[:1]
    plain_start = not start or not (start.isspace() or unicodedata.category(start).startswith("M"))
    return plain_start and all(character.isprintable() or character == "\t" for character in line)


def _markers() -> Iterator[str]:
    yield MARKER
    number = 2
    while True:
        yield f"{MARKER}{number}"
        number += 1


def _closing(template: str, start: int) -> int | None:
    """The end of an expression that began before `start`: after its closing brace."""
    position, depth = start, 1
    while position < len(template):
        character = template[position]
        if character == '"':
            end = _string_end(template, position + 1)
            if end is None:
                return None
            position = end
            continue
        depth += (character == "{") - (character == "}")
        position += 1
        if depth == 0:
            return position
    return None


def _string_end(template: str, start: int) -> int | None:
    """The end of a quoted string inside an expression, which may contain further expressions."""
    position = start
    while position < len(template):
        if template[position] == "\\":
            position += 2
        elif template[position] == '"':
            return position + 1
        elif _OPENING.match(template, position):
            end = _closing(template, position + 2)
            if end is None:
                return None
            position = end
        else:
            position += 1
    return None
