"""Specs of earlier versions: read, and changed step by step into one of today, with the lines of their file kept.

A key that is renamed or gets another meaning makes a new version. It takes a function here that changes a spec
of the version before, named for what it does, and an entry in STEPS; `version` of a spec says what it was
written for, and a spec without one is of the first version. What changed is told on every synthesis, and
`make upgrade` writes it into the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from modules.errors import Problem, SpecError
from modules.reader import Document
from modules.section import KeyPath
from modules.wording import dotted, shown

OLDEST = 1


@dataclass(frozen=True)
class Change:
    """One key or value that a step changed. `written` is its path as it stands in the file, `key` its new name
    and `value` its new value, each None when it stays."""

    line: int
    written: KeyPath
    key: str | None = None
    value: Any = None

    def __str__(self) -> str:
        now = f"is {self.key} now" if self.key is not None else f"reads {shown(self.value)} now"
        return f"line {self.line}: {dotted(self.written)} {now}"


@dataclass
class Draft:
    """A spec that is being upgraded. Steps look at it and change it through this class alone, so that every
    change is told."""

    document: Document
    changes: list[Change] = field(default_factory=list)

    def get(self, path: KeyPath) -> Any:
        """The value at a path; None when there is none."""
        value: Any = self.document.data
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def rename(self, path: KeyPath, key: str) -> None:
        """Gives a key another name. Nothing happens without the key; where both names stand, the old one stays
        and is refused like any unknown key."""
        section = self.get(path[:-1])
        if not isinstance(section, dict) or path[-1] not in section or key in section:
            return
        self.changes.append(Change(self.document.line(path), self.document.written_at(path), key=key))
        items = {key if name == path[-1] else name: value for name, value in section.items()}
        section.clear()
        section.update(items)
        self.document.move(path, (*path[:-1], key))

    def replace(self, path: KeyPath, value: Any) -> None:
        """Gives a key another value."""
        section = self.get(path[:-1])
        if not isinstance(section, dict) or path[-1] not in section or section[path[-1]] == value:
            return
        self.changes.append(Change(self.document.line(path), self.document.written_at(path), value=value))
        section[path[-1]] = value


Step = Callable[[Draft], None]

# The version before, and the function that leads to the next. There has been one version so far.
STEPS: Mapping[int, Step] = {}
LATEST = OLDEST + len(STEPS)


def upgrade(file: str, document: Document, steps: Mapping[int, Step] = STEPS) -> list[Change]:
    """Changes a document into one of the latest version, and says what was changed.

    Raises SpecError for a spec that is newer than this program: nothing else about it can be judged. A version
    that is no version stays, for the model to refuse.
    """
    latest = OLDEST + len(steps)
    version = document.data.get("version", OLDEST)
    if not isinstance(version, int) or isinstance(version, bool) or version < OLDEST:
        return []
    if version > latest:
        readable = f"{OLDEST} to {latest}" if steps else str(OLDEST)
        rule = f"this Tierra reads specs of version {readable}, and this one was written for a newer Tierra"
        remedy = "use the Tierra that the others use who work on this environment; never lower the number"
        raise SpecError(file, [Problem("version", str(version), rule, remedy, document.line(("version",)))])
    draft = Draft(document)
    for number in range(version, latest):
        steps[number](draft)
    document.data.pop("version", None)  # by default the latest, which it is now
    return draft.changes
