"""One box with its text, as large as the text needs; and rows and grids of such boxes."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from tierra.diagram.graph import Box, Mark
from tierra.diagram.scene import Area, Frame, Point, Scene, Text
from tierra.diagram.text import cut, width, wrapped

GAP = 20
PAD = 12
ICON = 24
TITLE, NOTE = 17, 15
LINE = 20
POD, POD_STEP = 13, 18
MOST_PODS = 40


class Badge:
    """The sign of a change, in the upper right corner of a box."""

    size = 14
    pad = 7

    @classmethod
    def room(cls, box: Box) -> float:
        """Its width, with the gap at its left; 0 for an unchanged box."""
        return width(box.badge, cls.size, bold=True) + 2 * cls.pad + 8 if box.badge else 0

    @classmethod
    def at(cls, box: Box, area: Area) -> Text | None:
        if not box.badge:
            return None
        left = area.right - 6 - cls.pad - width(box.badge, cls.size, bold=True)
        return Text(left, area.y + 21, box.badge, cls.size, bold=True, color="paper")


def _indent(box: Box) -> float:
    return PAD if box.kind == "subnet" else PAD + ICON + 8


def _notes(box: Box, room: float) -> list[str]:
    return wrapped(box.notes, NOTE, room - _indent(box) - PAD)


def _per_row(box: Box, room: float) -> int:
    return int((room - _indent(box) - PAD) // POD_STEP)


def _pods(box: Box) -> int:
    return box.pods.most if box.pods and box.pods.most <= MOST_PODS else 0


def height(box: Box, room: float) -> float:
    """The height of a box of this width."""
    rows = ceil(_pods(box) / _per_row(box, room))
    return max(34, PAD + LINE + len(_notes(box, room)) * LINE + rows * POD_STEP + (6 if rows else 0) + 6)


def leaf(box: Box, area: Area) -> Frame:
    """A box without inner boxes."""
    left, y = area.x + _indent(box), area.y + PAD + 11
    room = area.right - left - max(PAD, Badge.room(box))
    struck = box.mark is Mark.DESTROYED
    plain = box.kind == "subnet"
    title = cut(box.title, NOTE if plain else TITLE, room, bold=not plain)
    texts = [Text(left, y, title, NOTE if plain else TITLE, bold=not plain, struck=struck)]
    for note in _notes(box, area.width):
        y += LINE
        texts.append(Text(left, y, note, NOTE, color="soft"))
    icon = None if plain else Point(area.x + PAD, area.y + PAD - 5)
    return Frame(
        box, area, texts=tuple(texts), icon=icon, badge=Badge.at(box, area), pods=_positions(box, area, y)
    )


def _positions(box: Box, area: Area, y: float) -> tuple[tuple[Point, bool], ...]:
    """The position of each pod, and whether it always runs."""
    row = _per_row(box, area.width)
    left = area.x + _indent(box)
    return tuple(
        (Point(left + number % row * POD_STEP, y + 12 + number // row * POD_STEP), number < box.pods.least)
        for number in range(_pods(box))
        if box.pods
    )


def outer(box: Box, area: Area, *, left: float = PAD, room: float = 0, channel: float = 0) -> Frame:
    """A frame around others, its title `left` from its left border and at most `room` wide. The channel at
    its right stays free of text."""
    struck = box.mark is Mark.DESTROYED
    free = area._replace(width=area.width - channel)
    room = min(room or free.width, free.width - left - PAD - Badge.room(box))
    title = cut(box.title, TITLE, room, bold=True)
    text = Text(area.x + left, area.y + 24, title, TITLE, bold=True, struck=struck)
    return Frame(box, area, outer=True, texts=(text,) if title else (), badge=Badge.at(box, free))


def columns(number: int, room: float, least: float, gap: float = GAP) -> int:
    """The number of columns for so many boxes, each with at least that width, in rows of about equal
    length."""
    most = max(1, int((room + gap) // (least + gap)))
    return ceil(number / ceil(number / most)) if number else 1


def grid(scene: Scene, boxes: Sequence[Box], area: Area, least: float, gap: float = GAP) -> float:
    """Places boxes in rows from the top of an area, each row as high as its highest box. Returns the lower
    end; the height of the area is ignored."""
    if not boxes:
        return area.y
    across = columns(len(boxes), area.width, least, gap)
    room = (area.width - (across - 1) * gap) / across
    y = area.y
    for start in range(0, len(boxes), across):
        row = boxes[start : start + across]
        high = max(height(box, room) for box in row)
        for index, box in enumerate(row):
            scene.frames.append(leaf(box, Area(area.x + index * (room + gap), y, room, high)))
        y += high + gap
    return y - gap
