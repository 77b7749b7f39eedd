"""What is wrong with a release, and whether terraform stops for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

CORE = "Kubernetes, pkg/apis/core/validation/validation.go"


class Flaw(NamedTuple):
    """A place in an object, what is wrong there and where Kubernetes says so. Terraform only warns of what is
    not `sure`."""

    path: str
    says: str
    source: str
    sure: bool = True


Flaws = Iterator[Flaw]


def choice(value: Any, allowed: str, path: str, source: str = CORE) -> Flaws:
    """Nothing for one of the words that are allowed, and for none. The schemas do not list them."""
    if isinstance(value, str) and value and value not in allowed.split():
        yield Flaw(path, f"must be one of {', '.join(allowed.split())}, got {value!r}", source)


@dataclass(frozen=True)
class Finding:
    """A problem at `where`: an argument of the release, or an object that its chart makes and a place in it.

    `sure` problems stop terraform; of the others it warns. `later` ones can be judged only when the release
    is applied: what comes before may still change the cluster.
    """

    where: str
    says: str
    source: str
    sure: bool = True
    later: bool = False
