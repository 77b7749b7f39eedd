"""Values of Terraform's JSON as expressions of HCL, broken into lines."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from tierra.hcl.strings import INDENT, Fixed, literal, plain, split, string, unescaped

WIDTH = 100
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = {"for", "false", "null", "true"}
# Replaces an expression inside a JSON document while that is parsed; no text contains this character.
_HOLE = "\ue000"
_HOLES = re.compile(f"{_HOLE}(\\d+){_HOLE}")


class Number(str):
    """A number as it is written in JSON, which is the same in HCL."""


class Canonical(str):
    """A JSON text that equals the output of jsonencode, once its expressions have their values."""


Entry = tuple[str, list[str]]


def parse(text: str) -> Any:
    """The value of a JSON text, its numbers as they are written. Raises ValueError for a duplicate key."""
    return json.loads(text, parse_int=Number, parse_float=Number, object_pairs_hook=_pairs)


def value(of: Any) -> list[str]:
    """The expression, in lines; a string is a template."""
    if isinstance(of, Number):
        return [str(of)]
    if isinstance(of, str):
        return _base64(of) or string(of)
    if isinstance(of, dict):
        return _object([(_key(key), value(item)) for key, item in of.items()])
    if isinstance(of, list):
        return _list([value(item) for item in of])
    return [{None: "null", True: "true", False: "false"}[of]]


def fixed(of: Any) -> list[str]:
    """The expression of a value that is not a template in Terraform's JSON."""
    if isinstance(of, str) and not isinstance(of, Number):
        return [plain(of)]
    if isinstance(of, dict):
        return _object([(_key(literal(key)), fixed(item)) for key, item in of.items()])
    return _list([fixed(item) for item in of]) if isinstance(of, list) else value(of)


def json_document(template: str, *, compared: bool, is_text: Callable[[str], bool]) -> list[str] | None:
    """The JSON text as `jsonencode` of an expression, in lines; None if it must stay a text.

    jsonencode sorts keys, leaves out spaces and escapes `<`, `>` and `&`. Its text may therefore differ from
    this one, which matters unless the provider compares documents: `compared`. A text that is a single
    expression stays a text: it is converted unless `is_text` confirms that it is one.
    """
    if template[:1] not in ("{", "["):
        return None
    parts = split(template)
    expressions = [part.source for part in parts if not part.text]
    if _HOLE in template or any(expression.startswith("%") for expression in expressions):
        return None
    numbers = iter(range(len(expressions)))
    text = "".join(unescaped(part) if part.text else f"{_HOLE}{next(numbers)}{_HOLE}" for part in parts)
    try:
        content = parse(text)
    except (ValueError, RecursionError):
        return None
    same = isinstance(template, Canonical) or (not expressions and encoded(content) == text)
    if not (compared or same):
        return None
    return wrapped("jsonencode(", value(_filled(content, expressions, is_text)), ")")


def encoded(content: Any) -> str | None:
    """The text that jsonencode makes of a value without expressions; None if that is uncertain."""
    try:
        text = json.dumps(_numbers(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except ValueError:
        return None
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]|\\[bfu]", text):
        return None
    return re.sub("[<>&\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text)


def entries(of: Sequence[Entry]) -> list[str]:
    """Names and values, each on its own line; `terraform fmt` aligns their equals signs."""
    return [line for name, expression in of for line in wrapped(f"{name} = ", expression)]


def wrapped(before: str, lines: list[str], after: str = "") -> list[str]:
    """The lines with a prefix before the first and a suffix after the last."""
    first, *others = lines
    joined = [before + first, *others]
    return [*joined[:-1], joined[-1] + after] if after else joined


def indent(lines: Sequence[str]) -> list[str]:
    return [line if isinstance(line, Fixed) or not line else INDENT + line for line in lines]


def _base64(text: str) -> list[str] | None:
    """An encoded text of several lines, such as user data, as a call of base64encode."""
    if not re.fullmatch(r"[A-Za-z0-9+/]{40,}={0,2}", text):
        return None
    try:
        plain_text = base64.b64decode(text).decode()
    except ValueError:
        return None
    # terraform normalizes texts to NFC, and not every encoding ends like that of base64encode.
    same = unicodedata.normalize("NFC", plain_text) == plain_text
    lines = string(literal(plain_text))
    if not same or len(lines) == 1 or base64.b64encode(plain_text.encode()).decode() != text:
        return None
    return [f"base64encode({lines[0]}", *lines[1:], ")"]


def _object(of: Sequence[Entry]) -> list[str]:
    return ["{", *indent(entries(of)), "}"] if of else ["{}"]


def _list(items: Sequence[list[str]]) -> list[str]:
    line = f"[{', '.join(item[0] for item in items)}]"
    if all(len(item) == 1 for item in items) and (len(line) <= WIDTH or not items):
        return [line]
    lines: list[str] = []
    for item in items[:-1]:
        # The end of a heredoc must be alone on its line.
        lines += [*item, ","] if item[0].startswith("<<") else wrapped("", item, ",")
    last = items[-1]
    lines += last if last[0].startswith("<<") else wrapped("", last, ",")
    return ["[", *indent(lines), "]"]


def _key(template: str) -> str:
    """A key of an object: a name, a string, or an expression in parentheses."""
    if _NAME.fullmatch(template) and template not in _WORDS:
        return template
    parts = split(template)
    (text,) = string(template, long=False)
    return f"({text})" if len(parts) == 1 and not parts[0].text else text


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key comes twice")
    return members


def _filled(content: Any, expressions: Sequence[str], is_text: Callable[[str], bool]) -> Any:
    """The document with its texts as templates, with the expressions put back."""
    if isinstance(content, dict):
        return {
            _template(key, expressions): _filled(item, expressions, is_text) for key, item in content.items()
        }
    if isinstance(content, list):
        return [_filled(item, expressions, is_text) for item in content]
    if not isinstance(content, str) or isinstance(content, Number):
        return content
    template = _template(content, expressions)
    if template not in expressions or is_text(template):
        return template
    return f"${{tostring({template[2:-1].strip('~ ')})}}"


def _template(text: str, expressions: Sequence[str]) -> str:
    pieces = _HOLES.split(text)
    pieces[::2] = [literal(piece) for piece in pieces[::2]]
    pieces[1::2] = [expressions[int(number)] for number in pieces[1::2]]
    return "".join(pieces)


def _numbers(content: Any) -> Any:
    """The document with numbers in place of their texts. Raises ValueError for one that jsonencode may write
    differently."""
    if isinstance(content, Number):
        if not re.fullmatch(r"0|-?[1-9][0-9]{0,14}", content):
            raise ValueError(content)
        return int(content)
    if isinstance(content, dict):
        return {key: _numbers(item) for key, item in content.items()}
    return [_numbers(item) for item in content] if isinstance(content, list) else content
