"""The result of the layout, which a renderer draws: frames, lines and texts, in pixels from the upper
left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tierra.diagram.graph import Box, Edge
from tierra.diagram.text import width


class Point(NamedTuple):
    x: float
    y: float


class Area(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> Point:
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    def holds(self, area: Area) -> bool:
        """Whether the other is inside this one."""
        inside = self.x <= area.x and area.right <= self.right
        return inside and self.y <= area.y and area.bottom <= self.bottom

    def meets(self, area: Area) -> bool:
        """Whether the two share more than a border."""
        beside = area.right <= self.x or self.right <= area.x
        return not (beside or area.bottom <= self.y or self.bottom <= area.y)


@dataclass(frozen=True)
class Text:
    """A line of text; `x` is its left end, `y` its base line."""

    x: float
    y: float
    text: str
    size: float
    bold: bool = False
    color: str = "ink"
    struck: bool = False

    @property
    def area(self) -> Area:
        """The largest area that it covers: ascenders and descenders of DejaVu Sans."""
        room = width(self.text, self.size, bold=self.bold)
        return Area(self.x, self.y - 0.93 * self.size, room, 1.17 * self.size)


@dataclass(frozen=True)
class Frame:
    """A box at its position, with its texts. An `outer` one contains other frames."""

    box: Box
    area: Area
    outer: bool = False
    texts: tuple[Text, ...] = ()
    icon: Point | None = None
    badge: Text | None = None
    pods: tuple[tuple[Point, bool], ...] = ()


@dataclass(frozen=True)
class Line:
    """An arrow along its points; `edge` is None for steps of the pipeline. `both`: a head at each end."""

    points: tuple[Point, ...]
    labels: tuple[Text, ...] = ()
    edge: Edge | None = None
    head: bool = True
    both: bool = False


@dataclass
class Scene:
    """A drawing. Frames are in the order of drawing, the outer before the inner."""

    width: float = 0
    height: float = 0
    frames: list[Frame] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    keys: list[tuple[str, Point]] = field(default_factory=list)
    stamp: Area | None = None

    def __getitem__(self, box_id: str) -> Frame:
        return next(frame for frame in self.frames if frame.box.id == box_id)
