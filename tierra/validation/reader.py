"""Reads one YAML file into plain values and records the line of each.

A spec may come from anyone who can open a pull request, so this reads a small and safe part of YAML: one
document, one mapping, text keys, no tags, bounded size, depth and aliases. Nothing in a file can run code or
exhaust memory.
"""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tierra.validation.errors import KeyPath, Problem, SpecError
from tierra.validation.messages import secret, short, shown
from tierra.validation.parser import DEEPEST, Node, Parser

LARGEST_FILE = 256 * 1024  # bytes; a spec with three hundred systems takes a quarter of it
MOST_VALUES = 20_000  # with aliases written out
# The keys that a spec must have.
LEAST = {"project": "acme", "region": "us-east-1"}

# The characters that YAML allows in a file, without those that reverse text or break lines on some screens.
_CONTROL = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass
class Document:
    """The values of a file, the line of every path, the source of every scalar, and what was refused."""

    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    texts: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    refused: set[KeyPath] = field(default_factory=set)
    moved: dict[KeyPath, KeyPath] = field(default_factory=dict)
    files: dict[KeyPath, str] = field(default_factory=dict)  # of values from another file

    def move(self, path: KeyPath, to: KeyPath) -> None:
        """Records that a key, with everything below it, has another path than in the file."""

        def now(old: KeyPath) -> KeyPath:
            return (*to, *old[len(path) :]) if old[: len(path)] == path else old

        written = self.written(path)
        self.lines = {now(old): line for old, line in self.lines.items()}
        self.texts = {now(old): text for old, text in self.texts.items()}
        self.refused = {now(old) for old in self.refused}
        self.moved = {now(old): origin for old, origin in self.moved.items()} | {to: written}

    def written(self, path: KeyPath) -> KeyPath:
        """A path as it is in the file."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.moved:
                return (*self.moved[path[:end]], *path[end:])
        return path

    def line(self, path: KeyPath) -> int:
        """The line of a path, or of the nearest one above it that the file has; line 1 for the root."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def file(self, path: KeyPath) -> str:
        """The other file that contains a path, or the nearest one above it; empty for this file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.files.get(path, "")

    def extend(self, base: Document, file: str) -> None:
        """Adds values of the document of another file that this one lacks: mappings are merged, and any other
        value of this one takes precedence."""

        def stays(path: KeyPath) -> bool:
            upper: Any = self.data
            lower: Any = base.data
            for depth, part in enumerate(path, 1):
                if not isinstance(upper, dict) or not isinstance(lower, dict):
                    return False
                if part not in upper:
                    return path[:depth] not in self.refused
                upper, lower = upper[part], lower[part]
            return False

        mine = {path for path in base.lines if stays(path)}
        self.files |= dict.fromkeys(mine, file)
        self.lines |= {path: base.lines[path] for path in mine}
        self.texts |= {path: text for path, text in base.texts.items() if path in mine}
        self.refused |= base.refused & mine
        self.problems += [replace(problem, file=file) for problem in base.problems]
        self.data = _merged(base.data, self.data)

    def shown(self, path: KeyPath) -> str:
        """The text in the file at a path, short enough for a message."""
        if secret(path):
            return "(hidden)"
        if self.texts.get(path):
            return short(self.texts[path])
        value: Any = self.data
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return "(missing)"
        return shown(value)


def _merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    result = {**lower, **upper}
    for key in lower.keys() & upper.keys():
        if isinstance(lower[key], dict) and isinstance(upper[key], dict):
            result[key] = _merged(lower[key], upper[key])
    return result


def read(path: Path, least: Mapping[str, str] = LEAST) -> Document:
    """The document in a file, which has at least these keys, with an example of each. Raises SpecError if
    nothing can be read; the document lists lesser problems."""
    file = path.as_posix()
    parser = Parser(file, _text(file, _content(file, path)), least)
    root = parser.root()
    document = Document(problems=parser.problems, refused=parser.refused)
    return _Expansion(file, document).fill(root)


def _stop(file: str, rule: str, remedy: str, line: int = 0, value: str = "") -> SpecError:
    return SpecError(file, [Problem("", value, rule, remedy, line)])


def _content(file: str, path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "folder" if stat.S_ISDIR(mode) else "device or pipe"
            raise _stop(
                file, f"a spec must be a file, and this is a {kind}", "name a file that ends in .yaml"
            )
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise _stop(file, "the file must exist", _neighbours(path)) from None
    except PermissionError:
        raise _stop(
            file, "the file must be readable, and permission is denied", f"run chmod u+r {file}"
        ) from None
    except (OSError, ValueError) as error:
        reason = short(str(getattr(error, "strerror", None) or error)).lower()
        raise _stop(
            short(file), f"the file must be readable: {reason}", "check the environment's name"
        ) from None
    if len(content) > LARGEST_FILE:
        rule = f"a spec must be at most {LARGEST_FILE // 1024} KiB"
        raise _stop(file, rule, "check that this is the right file; most specs are a page or two")
    return content


def _neighbours(path: Path) -> str:
    """Which environments there are, and which of them was probably meant."""
    try:
        files = sorted(path.parent.iterdir())
    except OSError:
        return f"check the folder: {path.parent.as_posix()} cannot be opened"
    names = [file.stem for file in files if file.suffix == ".yaml"]
    if path.with_suffix(".yml") in files:
        return f"rename {path.stem}.yml to {path.stem}.yaml"
    if not names:
        return f"write {path.name}; {path.parent.as_posix()} has no spec yet"
    close = difflib.get_close_matches(path.stem, names, n=1) or [
        name for name in names if name.startswith(path.stem)
    ]
    meant = f"use {close[0]}; " if close else ""
    return f"{meant}the environments that exist: {', '.join(names)}"


def _text(file: str, content: bytes) -> str:
    """The content as text, without a byte order mark; refuses other content, and tabs as indentation."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        value = f"byte 0x{content[error.start]:02x}"
        raise _stop(
            file, "a spec must be text in UTF-8", "save the file as UTF-8 in your editor", line, value
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if match := _CONTROL.search(text):
        line, value = text.count("\n", 0, match.start()) + 1, f"character U+{ord(match[0]):04X}"
        raise _stop(file, "a spec must not have control characters", "remove the character", line, value)
    lines = text.split("\n")
    tabs = [number for number, line in enumerate(lines, 1) if re.match(r" *\t\s*[^\s#]", line)]
    if tabs:
        others = f" (tabs on lines {', '.join(map(str, tabs[:9]))})" if tabs[1:] else ""
        rule = f"YAML must be indented with spaces, not tabs{others}"
        source = "(hidden)" if secret((lines[tabs[0] - 1],)) else short(lines[tabs[0] - 1])
        raise _stop(file, rule, "replace each tab by two spaces", tabs[0], source)
    return text


class _Expansion:
    """Copies the tree into a document, aliases expanded, and stops if they multiply without limit."""

    def __init__(self, file: str, document: Document) -> None:
        self.file = file
        self.document = document
        self._values = 0

    def fill(self, root: Node) -> Document:
        self.document.data = self._value(root, ()) or {}
        return self.document

    def _value(self, node: Node, path: KeyPath) -> Any:
        self._values += 1
        if self._values > MOST_VALUES:
            rule = f"a spec must have at most {MOST_VALUES} values, aliases written out"
            raise _stop(self.file, rule, "remove the aliases that repeat other aliases", node.line)
        if len(path) > DEEPEST:
            rule = f"values must be nested at most {DEEPEST} deep, aliases written out"
            raise _stop(self.file, rule, "remove the aliases that repeat other aliases", node.line)
        self.document.lines.setdefault(path, node.line)
        if node.refused:
            self.document.refused.add(path)
            return None
        if node.pairs is not None:
            return {
                key: item
                for key, item in self._items(node, path)
                if (*path, key) not in self.document.refused
            }
        if node.items is not None:
            return [self._value(item, (*path, index)) for index, item in enumerate(node.items)]
        self.document.texts[path] = node.text
        return node.value

    def _items(self, node: Node, path: KeyPath) -> list[tuple[str, Any]]:
        pairs = []
        for key, (line, item) in (node.pairs or {}).items():
            if not key.startswith("\0"):
                self.document.lines[*path, key] = line
                pairs.append((key, self._value(item, (*path, key))))
        return pairs
