"""Specs of earlier versions: translated step by step into the present format.

A key that gets another name, place or meaning makes a new version of the spec. It needs a function here that
changes a spec of the previous version, named after the change, and a line in STEPS. `version` is the version
of a file; the default is the first. Each synthesis reports what was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tierra.validation.errors import KeyPath, Problem, SpecError
from tierra.validation.messages import dotted, shown
from tierra.validation.reader import Document

OLDEST = 1


@dataclass
class Old:
    """A spec that is being upgraded. Steps look at it and change it through this class alone, so that every
    change is reported and problems still have the lines of the file."""

    document: Document
    changes: list[str] = field(default_factory=list)

    def get(self, path: KeyPath) -> Any:
        """The value at a path; None when there is none."""
        value: Any = self.document.data
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def move(self, path: KeyPath, to: KeyPath) -> None:
        """Gives a key another name or place. If that place is taken, or cannot exist, the old key stays, and
        is refused like any unknown one."""
        source = self.get(path[:-1])
        if not isinstance(source, dict) or path[-1] not in source:
            return
        target = self._section(to[:-1])
        if target is None or to[-1] in target:
            return
        self._tell(path, f"is {dotted(to)} now")
        target[str(to[-1])] = source.pop(path[-1])
        self.document.move(path, to)

    def replace(self, path: KeyPath, value: Any) -> None:
        """Gives an existing key another value."""
        section = self.get(path[:-1])
        if not isinstance(section, dict) or path[-1] not in section or section[path[-1]] == value:
            return
        self._tell(path, f"reads {shown(value)} now")
        section[path[-1]] = value
        self.document.texts.pop(path, None)

    def _section(self, path: KeyPath) -> dict[str, Any] | None:
        """The mapping at a path, created if there is none; None if something else is there."""
        section = self.document.data
        for part in path:
            if section.get(str(part)) is None:
                section[str(part)] = {}
            section = section[str(part)]
            if not isinstance(section, dict):
                return None
        return section

    def _tell(self, path: KeyPath, what: str) -> None:
        self.changes.append(f"line {self.document.line(path)}: {dotted(self.document.written(path))} {what}")


Step = Callable[[Old], None]

# By the version that a step starts from. There has been one version so far.
STEPS: Mapping[int, Step] = {}
LATEST = OLDEST + len(STEPS)


def upgrade(file: str, document: Document, steps: Mapping[int, Step] = STEPS) -> list[str]:
    """Changes a document into one of the latest version, and returns the changes, a line each. Raises
    SpecError for a spec that is newer than this program, because its other keys cannot be checked. An invalid
    version stays, and the model refuses it.
    """
    latest = OLDEST + len(steps)
    version = document.data.get("version", OLDEST)
    if not isinstance(version, int) or isinstance(version, bool) or version < OLDEST:
        return []
    if version > latest:
        readable = f"versions {OLDEST} to {latest}" if steps else f"version {OLDEST}"
        rule = f"the version must be one that this Tierra reads, {readable}; a newer Tierra wrote this spec"
        remedy = "update Tierra to the release that your team uses here; do not lower the number"
        raise SpecError(file, [Problem("version", str(version), rule, remedy, document.line(("version",)))])
    old = Old(document)
    for number in range(version, latest):
        steps[number](old)
    document.data.pop("version", None)  # the default is the latest, which it is now
    return old.changes
