"""The lines: allowed connections, and the path of the pipeline.

Lines from the internet, to it and between neighbours run straight. All others from one source share a
track in the channel, which branches to each target with the port written at the branch.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from tierra.diagram.columns import BETWEEN, PORTS, Columns
from tierra.diagram.graph import INTERNET, Edge, Picture
from tierra.diagram.scene import Line, Point, Scene, Text
from tierra.diagram.text import cut, wrap

PORT = 14
LEADING = 17

STRAIGHT = {
    ("load_balancer", "nodes"),
    ("nodes", "nodes"),
    ("nodes", "control_plane"),
    ("control_plane", "nodes"),
}


def channel_sources(picture: Picture) -> list[str]:
    """The sources with a track in the channel left of the bands."""
    kinds = {box.id: box.kind for box in picture.boxes()} | {INTERNET: INTERNET}
    return list(dict.fromkeys(edge.source for edge in picture.edges if _in_channel(edge, kinds)))


def _in_channel(edge: Edge, kinds: dict[str, str]) -> bool:
    source, target = kinds[edge.source], kinds[edge.targets[0]]
    if (source, target) in STRAIGHT:
        return False
    return not (source == INTERNET and target == "load_balancer") and target != INTERNET


def routes(picture: Picture, scene: Scene, columns: Columns) -> list[Line]:
    """Every line."""
    kinds = {frame.box.id: frame.box.kind for frame in scene.frames}
    sources = channel_sources(picture)
    lines: list[Line] = []
    beside: float = columns.across + 40
    for edge in picture.edges:
        source, target = kinds[edge.source], kinds[edge.targets[0]]
        if _in_channel(edge, kinds):
            lines += _track(edge, scene, columns, sources.index(edge.source))
        elif target == INTERNET:
            lines += _out(edge, scene, columns)
        elif source == INTERNET:
            lines += _into(edge, scene, columns)
        elif source == target:
            lines += _among(edge, scene)
        elif source == "load_balancer":
            lines += _down(edge, scene, columns)
        else:
            lines.append(_between(edge, scene, columns, beside))
            beside += max(text.area.width for text in lines[-1].labels) + 80
    return [*lines, *_pipeline(picture, scene)]


def _written(edge: Edge, x: float, y: float, room: float, most: int = 2) -> tuple[Text, ...]:
    """The ports of an edge in at most `most` lines, the last one at y."""
    lines = wrap(edge.label(), PORT, room)
    if len(lines) > most:
        lines[most - 1 :] = [cut(" ".join(lines[most - 1 :]), PORT, room)]
    top = y - (len(lines) - 1) * LEADING
    return tuple(Text(x, top + index * LEADING, line, PORT, color="line") for index, line in enumerate(lines))


def _centred(edge: Edge, x: float, top: float, room: float) -> tuple[Text, ...]:
    """The ports in the middle of the gap between two bands that begins at `top`."""
    lines = len(_written(edge, x, top, room))
    return _written(edge, x, top + BETWEEN / 2 + 5 + (lines - 1) * LEADING / 2, room)


def _track(edge: Edge, scene: Scene, columns: Columns, number: int) -> Iterable[Line]:
    x, source = columns.track(number), scene[edge.source].area
    # Each track arrives a little lower than the one before it.
    start = Point(source.x, source.middle.y)
    if edge.source == INTERNET:
        start = Point(x, source.bottom)
    areas = [scene[target].area for target in edge.targets]
    ends = [Point(area.x, area.middle.y + 24 * number) for area in areas]
    last = max(ends, key=lambda end: abs(end.y - start.y))
    yield Line((start, Point(x, start.y), Point(x, last.y)), edge=edge, head=False)
    for end in ends:
        labels = _written(edge, columns.band + 8, end.y - 6, PORTS - 22, 1 if number else 2)
        yield Line((Point(x, end.y), end), labels, edge)


def _out(edge: Edge, scene: Scene, columns: Columns) -> Iterable[Line]:
    """From the source to the internet, by way of the NAT gateways."""
    top, internet = scene[edge.source].area.y, scene[INTERNET].area.bottom
    for gateway in [frame for frame in scene.frames if frame.box.kind == "nat"]:
        zone = gateway.box.zone
        if zone not in columns.zones:
            continue
        x = columns.channel(zone)
        label = _centred(edge, 0, gateway.area.bottom + 16, columns.zone)
        yield Line(
            points=(Point(x, top), Point(x, gateway.area.bottom)),
            labels=tuple(_left_of(text, x - 8) for text in label),
            edge=edge,
        )
        yield Line(points=(Point(x, gateway.area.y), Point(x, internet)), edge=edge)


def _left_of(text: Text, end: float) -> Text:
    return Text(end - text.area.width, text.y, text.text, text.size, text.bold, text.color)


def _into(edge: Edge, scene: Scene, columns: Columns) -> Iterable[Line]:
    """Through the WAF to the load balancer."""
    x, y = columns.entry, scene[INTERNET].area.bottom
    stops = [frame for frame in scene.frames if frame.box.kind == "waf"]
    stops += [scene[target] for target in edge.targets]
    label = _centred(edge, x + 10, y, columns.zone)
    for stop in stops:
        yield Line(points=(Point(x, y), Point(x, stop.area.y)), labels=label, edge=edge)
        y, label = stop.area.bottom, ()


def _down(edge: Edge, scene: Scene, columns: Columns) -> Iterable[Line]:
    """From the load balancer to Kong, which its target group names among the pods."""
    area = scene[edge.source].area
    gateways = [frame for frame in scene.frames if frame.box.kind == "kong"] or [scene[edge.targets[0]]]
    x = columns.entry
    label = _centred(edge, 0, area.bottom + 16, x - columns.band - 20)
    labels = tuple(_left_of(text, x - 10) for text in label)
    yield Line(points=(Point(x, area.bottom), Point(x, gateways[0].area.y)), labels=labels, edge=edge)


def _among(edge: Edge, scene: Scene) -> Iterable[Line]:
    """Between Kong and the systems, both of which are pods."""
    left = [frame.area for frame in scene.frames if frame.box.kind == "kong"]
    right = [frame.area for frame in scene.frames if frame.box.kind == "systems"]
    for start, end in zip(left, right, strict=False):
        y = start.middle.y
        label = _written(edge, start.right + 8, y - 6, end.x - start.right - 16)
        yield Line((Point(start.right, y), Point(end.x, y)), label, edge, both=True)


def _between(edge: Edge, scene: Scene, columns: Columns, x: float) -> Line:
    """Up or down between two boxes, one above the other."""
    source, target = scene[edge.source].area, scene[edge.targets[0]].area
    down = source.y < target.y
    start, end = (source.bottom, target.y) if down else (source.y, target.bottom)
    label = _centred(edge, x + 10, min(start, end), columns.end - x)
    return Line(points=(Point(x, start), Point(x, end)), labels=label, edge=edge)


def _pipeline(picture: Picture, scene: Scene) -> Iterable[Line]:
    areas = [scene[box.id].area for box in picture.pipeline.boxes]
    for left, right in pairwise(areas):
        if left.y == right.y:
            yield Line((Point(left.right, left.middle.y), Point(right.x, left.middle.y)))
