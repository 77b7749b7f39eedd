"""Builds a tree with paths and lines from the YAML parser's events; refuses what a spec must not contain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from tierra.validation.errors import KeyPath, Problem, SpecError
from tierra.validation.messages import dotted, secret, short
from tierra.validation.syntax import hint, scalar

DEEPEST = 20
MOST_ALIASES = 100


@dataclass
class Node:
    """A value of the file: a mapping has `pairs`, a list `items`, anything else a `value` and its source."""

    line: int
    text: str = ""
    value: Any = None
    pairs: dict[str, tuple[int, Node]] | None = None
    items: list[Node] | None = None
    path: KeyPath = ()
    key: str | None = None  # of a mapping being read: the key whose value comes next
    key_line: int = 0
    closed: bool = True
    refused: bool = False

    @property
    def scalar(self) -> bool:
        return self.pairs is None and self.items is None


class Parser:
    """Reads one document. Problems after which a tree can still be built are collected in `problems`; others
    raise SpecError."""

    def __init__(self, file: str, text: str, least: Mapping[str, str]) -> None:
        self.file = file
        self.least = least
        self.text = text
        self.problems: list[Problem] = []
        self.refused: set[KeyPath] = set()
        self._open: list[Node] = []
        self._anchors: dict[str, Node] = {}
        self._aliases = 0
        self._root: Node | None = None

    def root(self) -> Node:
        """The mapping at the top of the file."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents = 0
        try:
            for event in yaml.parse(self.text, Loader=loader):
                line = event.start_mark.line + 1 if event.start_mark else 1
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    self._stop(
                        line, "---", "a file must contain one spec", "remove the --- and what follows it"
                    )
                self._take(event, line)
        except yaml.MarkedYAMLError as error:
            raise SpecError(self.file, [*self.problems, hint(error, self.text)]) from None
        except yaml.YAMLError:
            self._stop(1, "", "the file must be YAML", "check its first lines")
        return self._mapping(self._root)

    def _mapping(self, root: Node | None) -> Node:
        if root is None or (root.scalar and root.value is None and not root.refused):
            *others, last = self.least
            remedy = f"write at least {': and '.join([':, '.join(others), last])}:"
            self._stop(1, "", "the file must have keys; it is empty", remedy)
        if root.pairs is None:
            glued = re.match(r"[A-Za-z_]+:\S", root.text)
            remedy = (
                "put a space after the colon"
                if glued
                else "start each line with a key, such as {}: {}".format(*next(iter(self.least.items())))
            )
            value = short(root.text) if root.scalar else "a list"
            self._stop(root.line, value, "a spec must be a mapping of keys to values", remedy)
        return root

    def _take(self, event: yaml.Event, line: int) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._attach(self._alias(event.anchor or "", line), line)
        elif isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and not event.style
            node = Node(line, event.value if plain else f'"{event.value}"', event.value)
            node.value = scalar(event.value) if plain else event.value
            self._add(event, node)
        elif isinstance(event, yaml.CollectionStartEvent):
            mapping = isinstance(event, yaml.MappingStartEvent)
            node = Node(line, closed=False, pairs={} if mapping else None, items=None if mapping else [])
            self._add(event, node)
            self._open.append(node)
            if len(self._open) > DEEPEST:
                rule = f"values must be nested at most {DEEPEST} deep"
                self._stop(line, short(dotted(node.path)), rule, "close the brackets, or use fewer levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop().closed = True

    def _add(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, node: Node) -> None:
        self._attach(node, node.line)
        if event.anchor:
            self._anchors[event.anchor] = node
        if event.tag is not None:
            tag = short(event.tag.replace("tag:yaml.org,2002:", "!!"))
            node.refused = True
            self._refuse(
                node.path,
                node.line,
                tag,
                "a spec must not have YAML tags: a value is text, a number, true, false, a list or a mapping",
                f"remove {tag}, and put text in quotes",
            )

    def _alias(self, name: str, line: int) -> Node:
        shown = f"*{short(name)}"
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            self._stop(
                line, shown, f"a spec must have at most {MOST_ALIASES} aliases", "write the values out"
            )
        node = self._anchors.get(name)
        if node is None:
            self._stop(
                line,
                shown,
                "an alias must repeat an anchor (&name) above it",
                f'put text in quotes: "{shown}"',
            )
        if not node.closed:
            self._stop(
                line, shown, "an alias must not be inside the value that it repeats", "write the value out"
            )
        return node

    def _attach(self, node: Node, line: int) -> None:
        """Puts a value at the parser's position: the root, an item, a key, or the value of the previous
        key."""
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if parent.items is not None:
            node.path = node.path or (*parent.path, len(parent.items))
            parent.items.append(node)
        elif parent.pairs is None or parent.key is None:
            parent.key, parent.key_line = self._key(parent, node, line), line
            node.path = node.path or (*parent.path, parent.key)
        else:
            node.path = node.path or (*parent.path, parent.key)
            parent.pairs[parent.key] = (parent.key_line, node)
            parent.key = None

    def _key(self, parent: Node, node: Node, line: int) -> str:
        """The text of a key. A refused one gets a name that no file can contain, so that its value has a
        place."""
        pairs = parent.pairs or {}
        nowhere = f"\0{line}.{len(pairs)}"
        if not node.scalar:
            self._refuse(
                parent.path,
                line,
                "",
                "a key must be text, not a list or a mapping",
                "write a name before the colon",
            )
        elif not isinstance(node.value, str):
            value = node.text or "(nothing)"
            remedy = f'put it in quotes: "{value}"' if node.text else "write a name before the colon"
            self._refuse((*parent.path, nowhere), line, value, "a key must be text", remedy, at=parent.path)
        elif node.text == "<<":
            rule = "a spec must not have merge keys (YAML 1.2 dropped them)"
            self._refuse((*parent.path, nowhere), line, "<<", rule, "write the keys out", at=parent.path)
        elif node.value in pairs:
            path = (*parent.path, node.value)
            first = pairs[node.value][0]
            rule = f"a key must appear once in its mapping; this one is on line {first} already"
            self._refuse((*parent.path, nowhere), line, "", rule, "keep one of the two", at=path)
        else:
            return node.value
        return nowhere

    def _refuse(
        self, path: KeyPath, line: int, value: str, rule: str, remedy: str, at: KeyPath | None = None
    ) -> None:
        """Records a problem; the value at `path` is left out. `at` is the path to show, if another."""
        self.refused.add(path)
        marked = path if at is None else at
        self.problems.append(
            Problem(dotted(marked), "(hidden)" if secret(marked) else value, rule, remedy, line)
        )

    def _stop(self, line: int, value: str, rule: str, remedy: str) -> NoReturn:
        raise SpecError(self.file, [*self.problems, Problem("", value, rule, remedy, line)])
