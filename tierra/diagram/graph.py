"""The contents of a diagram, before it is drawn: nested boxes, and allowed connections. Both renderers read
it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

INTERNET = "internet"


class Mark(StrEnum):
    """What a saved plan does with a resource."""

    ADDED = "added"
    CHANGED = "changed"
    REPLACED = "replaced"
    DESTROYED = "destroyed"

    @property
    def sign(self) -> str:
        """As terraform writes it."""
        return {"added": "+", "changed": "~", "replaced": "-/+", "destroyed": "-"}[self.value]


# How many resources each mark has, in the order of Mark; what stays as it is, is left out.
Marks = tuple[tuple[Mark, int], ...]


class Pods(NamedTuple):
    """Of a system, or nodes of a group: at least, and at most under load."""

    least: int
    most: int


@dataclass(frozen=True)
class Box:
    """A thing in the picture. `addresses` are the resources that it stands for, `<tier>/<type>.<name>`;
    `mark` is what happens to the box, `marks` how many of its resources that and other things happen to;
    `forecast` says that this is from a forecast, not from a plan that can be applied."""

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
        """This box and all that is in it."""
        yield self
        for box in self.boxes:
            yield from box.walk()

    @property
    def badge(self) -> str:
        """`+` for a box that one thing happens to, `+3 ~1` for one with several resources."""
        if len(self.marks) == 1 and self.marks[0][1] == 1:
            return self.marks[0][0].sign
        return " ".join(f"{mark.sign}{count}" for mark, count in self.marks)

    @property
    def said(self) -> str:
        """What happens to the box, in words; empty when nothing does."""
        return f"{self.mark} by the {'forecast' if self.forecast else 'plan'}" if self.mark else ""


class Port(NamedTuple):
    """`TCP 443`, and what happens to the rules that open it."""

    name: str
    mark: Mark | None = None


@dataclass(frozen=True)
class Edge:
    """`source` may open connections to each of `targets` (ids of boxes), at `ports`; `addresses` are
    the rules of the security groups that say so."""

    source: str
    targets: tuple[str, ...]
    ports: tuple[Port, ...]
    addresses: tuple[str, ...]
    mark: Mark | None = None

    def label(self, *, words: bool = False) -> str:
        """`TCP 80, 443; + TCP 8443`: those first that stay; with `words`, `added` for its sign."""
        said = []
        for mark in (None, *Mark):
            names = [port.name for port in self.ports if port.mark is mark]
            if names:
                lead = "" if mark is None else f"{mark.value if words else mark.sign} "
                said.append(lead + _protocol_once(names))
        return "; ".join(said)


def _protocol_once(ports: list[str]) -> str:
    said, words = "", []
    for port in ports:
        protocol, _, number = port.partition(" ")
        words.append(number if protocol == said else port)
        said = protocol
    return ", ".join(words)


@dataclass(frozen=True)
class TierPlan:
    """What the saved plan of a tier does to all resources, drawn or not, and when it was made (as terraform
    writes it; empty when it does not say). `forecast`: as in the report."""

    tier: str
    marks: Marks
    forecast: bool
    made: str = ""


@dataclass(frozen=True)
class Picture:
    """The platform, from the internet down. `place` says whose it is, `source` what was drawn; `rehearsal`
    means that none of it is on AWS. `pipeline` is walked from left to right."""

    name: str
    region: str
    place: str
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
        """The box of a zone: what happens to all its subnets happens to it."""
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
