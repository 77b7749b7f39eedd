"""The drawing as SVG: one file without scripts and external fonts or images.

Each box is a group with `data-id` and `data-addresses`, its resources; each arrow names
the rules of the security groups in `data-addresses`. Marks differ in sign and border too, not in colour
alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from math import hypot
from xml.sax.saxutils import escape, quoteattr

from tierra.diagram.graph import INTERNET, Mark, Picture
from tierra.diagram.icons import ICONS
from tierra.diagram.scene import Area, Frame, Line, Point, Scene, Text
from tierra.diagram.text import width

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
COLORS = {"ink": "#1b2430", "soft": "#465365", "line": "#0b4f71", "paper": "#ffffff"}
UNKNOWN_TO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LINE, FLOW = "#0b6a94", "#3b48cc"

# Fill, border and dashes of outer frames.
OUTER = {
    "aws": ("#fbfcfe", "#232f3e", ""),
    "vpc": ("#ffffff", "#6d3fc0", ""),
    "zone": ("none", "#8494a7", "7 6"),
    "public": ("#eaf6e6", "#8fbf7d", ""),
    "private": ("#e7f2fa", "#86b4d6", ""),
    "database": ("#f1ecfa", "#b09ad6", ""),
    "eks": ("#ffffff", "#d9822b", ""),
    "nodes": ("#fdf5ea", "#dfb07a", ""),
    "systems": ("#ffffff", "#dfb07a", "4 4"),
    "engine": ("#ffffff", "#b09ad6", ""),
    "regional": ("#f3f7f0", "#9dbb8f", ""),
    "monitoring": ("#fcf0f5", "#d59ab5", ""),
    "pipeline": ("#eff0fd", "#a3a9e6", ""),
}
# Border, fill and dashes of marked boxes.
MARKS = {
    Mark.ADDED: ("#1a7034", "#e4f5e8", ""),
    Mark.CHANGED: ("#8a5a00", "#fff3d1", "10 3"),
    Mark.REPLACED: ("#7a3fd0", "#f1e8ff", "3 3"),
    Mark.DESTROYED: ("#b81d28", "#ffe8e9", "7 5"),
}


def render(picture: Picture, scene: Scene) -> str:
    """The SVG document."""
    wide, high = _number(scene.width), _number(scene.height)
    title = titled(picture)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}"'
        f' role="img" aria-labelledby="title description" font-family={quoteattr(FONT)}>',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(described(picture))}</desc>',
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>',
        *(_outer(frame) for frame in scene.frames if frame.outer),
        *(_line(line) for line in scene.lines),
        *(_leaf(frame) for frame in scene.frames if not frame.outer),
        *(_text(text) for line in scene.lines for text in line.labels),
        *(_text(text) for text in scene.texts),
        *(_key(sign, point) for sign, point in scene.keys),
        *_stamp(scene.stamp),
        "</svg>",
    ]
    return UNKNOWN_TO_XML.sub("\ufffd", "\n".join(lines) + "\n")


def titled(picture: Picture) -> str:
    """The title of the picture, on one line."""
    sort = "REHEARSAL of" if picture.rehearsal else "Architecture of"
    return ", ".join(
        filter(None, [f"{sort} {picture.name}", picture.location, picture.region, picture.source])
    )


def _stamp(area: Area | None) -> Iterable[str]:
    """The stamp of a rehearsal, which must not be mistaken for a real platform."""
    if area:
        yield _rect(area, 8, fill="#ffffff", stroke="#b81d28", stroke_width="4")
        texts = (("REHEARSAL", 34, 40), ("none of this is on AWS", 17, 64))
        for words, size, down in texts:
            text = Text(area.x, area.y + down, words, size, bold=True)
            yield _centred(text, area.width).replace(COLORS["ink"], "#b81d28")


def described(picture: Picture) -> str:
    """The picture in words, for screen readers."""
    names = {box.id: box.title for box in picture.boxes()} | {INTERNET: "Internet"}
    talks = []
    for edge in picture.edges:
        targets = " and ".join(names[target] for target in edge.targets)
        talks.append(f"{names[edge.source]} to {targets} ({edge.label(words=True)})")
    systems = [box.title for box in picture.boxes() if box.kind == "system"]
    return (
        f"A VPC in the zones {', '.join(picture.zones)}, with the systems {', '.join(systems)}."
        f" Allowed connections: {'; '.join(talks)}."
    )


def _number(value: float) -> str:
    return f"{round(value, 1):g}"


def _rect(area: Area, radius: int, **attributes: str) -> str:
    coordinates = zip(("x", "y", "width", "height"), area, strict=True)
    where = " ".join(f'{name}="{_number(value)}"' for name, value in coordinates)
    more = " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in attributes.items() if value)
    return f'<rect {where} rx="{radius}" {more}/>'


def _text(text: Text) -> str:
    bold = ' font-weight="bold"' if text.bold else ""
    struck = ' text-decoration="line-through"' if text.struck else ""
    attributes = f'x="{_number(text.x)}" y="{_number(text.y)}" font-size="{_number(text.size)}"'
    return f'<text {attributes} fill="{COLORS[text.color]}"{bold}{struck}>{escape(text.text)}</text>'


def _centred(text: Text, room: float) -> str:
    """Centred in the room at the right of its position, whatever the font."""
    middle = _text(replace(text, x=text.x + room / 2))
    return middle.replace("<text ", '<text text-anchor="middle" ')


def _group(frame: Frame, inside: Iterable[str]) -> str:
    box = frame.box
    addresses = f" data-addresses={quoteattr(' '.join(box.addresses))}" if box.addresses else ""
    mark = f' data-mark="{box.mark}"' if box.mark else ""
    mark += ' data-forecast="true"' if box.mark and box.forecast else ""
    description = ". ".join(filter(None, [box.title, *box.notes, box.change]))
    head = f"<g data-id={quoteattr(box.id)}{addresses}{mark}><title>{escape(description)}</title>"
    return "\n".join([head, *inside, "</g>"])


def _outer(frame: Frame) -> str:
    fill, stroke, dashes = OUTER[frame.box.kind]
    broad = "1.5"
    if frame.box.mark:
        (stroke, _, dashes), broad = MARKS[frame.box.mark], "3"
    area = _rect(frame.area, 10, fill=fill, stroke=stroke, stroke_width=broad, stroke_dasharray=dashes)
    return _group(frame, [area, *map(_text, frame.texts), *_badge(frame)])


def _leaf(frame: Frame) -> str:
    box = frame.box
    fill, stroke, broad, dashes = "#ffffff", "#66758a", "1.2", ""
    if box.mark:
        (stroke, fill, dashes), broad = MARKS[box.mark], "2.5"
        fill = "#ffffff" if box.forecast else fill
    parts = [_rect(frame.area, 7, fill=fill, stroke=stroke, stroke_width=broad, stroke_dasharray=dashes)]
    if frame.icon and box.kind in ICONS:
        color, path = ICONS[box.kind]
        parts.append(_drawn(path, color, frame.icon))
    parts += [_text(text) for text in frame.texts]
    parts += [_pod(point, always, box.kind) for point, always in frame.pods]
    return _group(frame, [*parts, *_badge(frame)])


def _drawn(path: str, color: str, point: Point) -> str:
    where = f'transform="translate({_number(point.x)} {_number(point.y)})"'
    style = f'fill="none" stroke="{color}" stroke-width="1.8" stroke-linejoin="round" stroke-linecap="round"'
    return f'<path {where} d="{path}" {style}/>'


def _pod(point: Point, always: bool, kind: str) -> str:
    color = ICONS[kind][0] if kind in ICONS else "#b8560a"
    fill, dashes = (color, "") if always else ("#ffffff", "2.5 2")
    area = Area(point.x, point.y, 13, 13)
    return _rect(area, 3, fill=fill, stroke=color, stroke_width="1.5", stroke_dasharray=dashes)


def _badge(frame: Frame) -> list[str]:
    if not (frame.badge and frame.box.mark):
        return []
    text = frame.badge
    room = width(text.text, text.size, bold=True)
    area, color = Area(text.x - 7, text.y - 15, room + 14, 21), MARKS[frame.box.mark][0]
    if not frame.box.forecast:
        return [_rect(area, 10, fill=color), _centred(text, room)]
    hollow = _rect(area, 10, fill="#ffffff", stroke=color, stroke_width="1.5", stroke_dasharray="3 2")
    return [hollow, _centred(text, room).replace(COLORS["paper"], color)]


def _line(line: Line) -> str:
    color = FLOW if line.edge is None else LINE
    dashes = ""
    if line.edge and line.edge.mark:
        color, _, dashes = MARKS[line.edge.mark]
    points = list(line.points)
    heads = []
    if line.head:
        heads.append(_head(points[-2], points[-1], color))
        points[-1] = _before(points[-2], points[-1])
    if line.both:
        heads.append(_head(points[1], points[0], color))
        points[0] = _before(points[1], points[0])
    path = " ".join(f"{_number(point.x)},{_number(point.y)}" for point in points)
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    drawn = f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2.2"{dash}/>'
    rules = f" data-addresses={quoteattr(' '.join(line.edge.addresses))}" if line.edge else ""
    ends = f" data-from={quoteattr(line.edge.source)}" if line.edge else ""
    title = f"<title>{escape(line.edge.label(words=True))}</title>" if line.edge else ""
    return f"<g{ends}{rules}>{title}{drawn}{''.join(heads)}</g>"


def _before(start: Point, end: Point, distance: float = 9) -> Point:
    """The point a little before the end, where the head of the arrow begins."""
    far = hypot(end.x - start.x, end.y - start.y) or 1
    part = distance / far
    return Point(end.x - (end.x - start.x) * part, end.y - (end.y - start.y) * part)


def _head(start: Point, end: Point, color: str) -> str:
    back = _before(start, end, 11)
    across = Point((end.y - back.y) * 0.5, (back.x - end.x) * 0.5)
    corners = [end, Point(back.x + across.x, back.y + across.y), Point(back.x - across.x, back.y - across.y)]
    path = " ".join(f"{_number(corner.x)},{_number(corner.y)}" for corner in corners)
    return f'<polygon points="{path}" fill="{color}"/>'


def _key(sign: str, point: Point) -> str:
    """A sign of the legend, 50 wide, vertically centred at its position."""
    x, y = point
    if sign in ("line", "pipeline"):
        color = LINE if sign == "line" else FLOW
        drawn = (
            f'<polyline points="{_number(x)},{_number(y)} {_number(x + 40)},{_number(y)}" stroke="{color}"'
        )
        return f'{drawn} stroke-width="2.2"/>{_head(Point(x, y), Point(x + 50, y), color)}'
    if sign in ("pod", "burst"):
        return _pod(Point(x + 30, y - 6.5), sign == "pod", "system")
    area = Area(x, y - 12, 50, 24)
    if sign == "forecast":
        return _rect(area, 10, fill="#ffffff", stroke=LINE, stroke_width="1.5", stroke_dasharray="3 2")
    mark = Mark(sign)
    stroke, fill, dashes = MARKS[mark]
    box = _rect(area, 7, fill=fill, stroke=stroke, stroke_width="2.5", stroke_dasharray=dashes)
    return box + _centred(Text(x, y + 5, mark.sign, 14, bold=True), 50).replace(COLORS["ink"], stroke)
