"""The rules that a release violates, and which violations stop terraform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

CORE = "Kubernetes, pkg/apis/core/validation/validation.go"


class Flaw(NamedTuple):
    """A path in an object, the problem there and the source of the rule. If it is not `sure`, terraform only
    warns."""

    path: str
    message: str
    source: str
    sure: bool = True


Flaws = Iterator[Flaw]


def choice(value: Any, allowed: str, path: str, source: str = CORE) -> Flaws:
    """Yields a flaw for a word that is not allowed. The schemas do not list the allowed words."""
    if isinstance(value, str) and value and value not in allowed.split():
        yield Flaw(path, f"must be one of {', '.join(allowed.split())}, got {value!r}", source)


@dataclass(frozen=True)
class Violation:
    """A violated rule at `where`: an argument of the release, or an object of its chart and a path in it.
    `sure` violations stop terraform; the others are warnings. `later` ones can be checked only when the
    release is applied, because earlier resources may still change the cluster.
    """

    where: str
    message: str
    source: str
    sure: bool = True
    later: bool = False
