"""The contents of a diagram, before it is drawn: nested boxes, and allowed connections. Both renderers read
it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

INTERNET = "internet"


class Mark(StrEnum):
    """The action of a saved plan on a resource."""

    ADDED = "added"
    CHANGED = "changed"
    REPLACED = "replaced"
    DESTROYED = "destroyed"

    @property
    def sign(self) -> str:
        """As terraform writes it."""
        return {"added": "+", "changed": "~", "replaced": "-/+", "destroyed": "-"}[self.value]


# The number of resources by mark, in the order of Mark; unchanged ones are left out.
Marks = tuple[tuple[Mark, int], ...]


class Pods(NamedTuple):
    """The minimum and maximum number of pods of a system, or of nodes of a group."""

    least: int
    most: int


@dataclass(frozen=True)
class Box:
    """A box of the picture. `addresses` are its resources, `<tier>/<type>.<name>`; `mark` is the change of
    the box, `marks` are the changes of its resources, with their numbers; `forecast`: the marks are from a
    forecast, not from a plan that can be applied."""

    id: str
    kind: str
    title: str
    notes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    zone: str | None = None
    pods: Pods | None = None
    mark: Mark | None = None
    marks: Marks = ()
    boxes: tuple[Box, ...] = ()
    forecast: bool = False

    def walk(self) -> Iterator[Box]:
        """This box and all inner boxes."""
        yield self
        for box in self.boxes:
            yield from box.walk()

    @property
    def badge(self) -> str:
        """`+` for a box with one change, `+3 ~1` for one with several."""
        if len(self.marks) == 1 and self.marks[0][1] == 1:
            return self.marks[0][0].sign
        return " ".join(f"{mark.sign}{count}" for mark, count in self.marks)

    @property
    def change(self) -> str:
        """The change of the box in words; empty if there is none."""
        return f"{self.mark} by the {'forecast' if self.forecast else 'plan'}" if self.mark else ""


class Port(NamedTuple):
    """`TCP 443`, and the change of the rules that open it."""

    name: str
    mark: Mark | None = None


@dataclass(frozen=True)
class Edge:
    """`source` may open connections to each of `targets` (ids of boxes), at `ports`; `addresses` are the
    rules of the security groups that allow it."""

    source: str
    targets: tuple[str, ...]
    ports: tuple[Port, ...]
    addresses: tuple[str, ...]
    mark: Mark | None = None

    def label(self, *, words: bool = False) -> str:
        """`TCP 80, 443; + TCP 8443`: unchanged ones first; with `words`, `added` instead of the sign."""
        parts = []
        for mark in (None, *Mark):
            names = [port.name for port in self.ports if port.mark is mark]
            if names:
                lead = "" if mark is None else f"{mark.value if words else mark.sign} "
                parts.append(lead + _protocol_once(names))
        return "; ".join(parts)


def _protocol_once(ports: list[str]) -> str:
    previous, words = "", []
    for port in ports:
        protocol, _, number = port.partition(" ")
        words.append(number if protocol == previous else port)
        previous = protocol
    return ", ".join(words)


@dataclass(frozen=True)
class TierPlan:
    """The changes of the saved plan of a tier, including resources that are not drawn, and its time (as
    terraform writes it; empty if unknown). `forecast`: as in the report."""

    tier: str
    marks: Marks
    forecast: bool
    created: str = ""


@dataclass(frozen=True)
class Picture:
    """The platform, from the internet down. `location` is the account, `source` the drawn files;
    `rehearsal`: nothing of it is on AWS. `pipeline` is drawn from left to right."""

    name: str
    region: str
    location: str
    zones: tuple[str, ...]
    front: tuple[Box, ...]
    vpc: Box
    public: Box
    private: Box
    database: Box
    regional: Box
    monitoring: Box
    pipeline: Box
    edges: tuple[Edge, ...]
    plans: tuple[TierPlan, ...]
    source: str = ""
    rehearsal: bool = False

    def zone_mark(self, zone: str) -> Box:
        """The box of a zone; it has the mark that all its subnets share."""
        subnets = [box for box in self.boxes() if box.kind == "subnet" and box.zone == zone]
        marks = {box.mark for box in subnets}
        mark = marks.pop() if len(marks) == 1 else None
        forecast = any(box.forecast for box in subnets)
        counted = ((mark, 1),) if mark else ()
        return Box(f"zone/{zone}", "zone", zone, mark=mark, marks=counted, forecast=forecast)

    def boxes(self) -> Iterator[Box]:
        """Every box, the outer before the inner."""
        for box in (*self.front, self.vpc, self.public, self.private, self.database):
            yield from box.walk()
        for box in (self.regional, self.monitoring, self.pipeline):
            yield from box.walk()
