"""The exception that users of Tierra see: the problem in a spec, its place, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# The keys and indices that lead to a value of a spec.
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing to change in a spec.

    `path` is the dotted key (`network.zones[1]`), or empty if the problem is the file itself; `value` is the
    text in the file, shortened to one line; `rule` is what must hold; `remedy` is what to do. `line` counts
    from 1, and 0 means no line, as for a file that does not exist. `file` is the file with the value, if that
    is not the spec itself.
    """

    path: str
    value: str
    rule: str
    remedy: str
    line: int = 0
    file: str = ""

    def text(self, file: str) -> str:
        """Three lines: place and value, rule, remedy."""
        file = self.file or file
        position = f"{file}:{self.line}" if self.line else file
        where = ": ".join(part for part in (position, self.path, self.value) if part)
        return f"{where}\n  rule:   {self.rule}\n  remedy: {self.remedy}"


class SpecError(Exception):
    """A spec that cannot be built. Contains every problem of the file, in the order of its lines. Its text
    shows the first `MOST_SHOWN` of them; only a file that is not a spec at all has more.
    """

    MOST_SHOWN = 100

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(
            sorted(
                set(problems), key=lambda problem: (problem.file, problem.line, problem.path, problem.rule)
            )
        )
        super().__init__(file, self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        heading = f"{self.file}: {counted(count, 'problem')}"
        shown = [problem.text(self.file) for problem in self.problems[: self.MOST_SHOWN]]
        more = [f"and {counted(count - len(shown), 'more problem')}"] if count > len(shown) else []
        return "\n\n".join([heading, *shown, *more])


def counted(count: int, noun: str) -> str:
    """`1 problem`, `2 problems`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
