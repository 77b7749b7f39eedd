"""What is wrong with a release, and whether terraform stops for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A problem at `where`: an argument of the release, or an object that its chart makes and a place in it.

    `sure` problems stop terraform; of the others it warns. `later` ones can be judged only when the release is
    applied: what comes before may still change the cluster.
    """

    where: str
    says: str
    source: str
    sure: bool = True
    later: bool = False

    @property
    def text(self) -> str:
        return f"{self.where}: {self.says} ({self.source})"
