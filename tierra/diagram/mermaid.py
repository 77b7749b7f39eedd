"""The picture as a Mermaid flowchart, which GitHub draws in pull requests and Markdown files.

GitHub shows it small, and Mermaid puts boxes side by side unless an arrow connects them. So boxes that exist
once per zone are one box, with a line for each zone, and invisible arrows keep the bands below each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise, product

from tierra.diagram.graph import INTERNET, Box, Mark, Picture
from tierra.diagram.svg import titled

STYLES = {
    Mark.ADDED: "fill:#e4f5e8,stroke:#1a7034,stroke-width:3px,color:#1b2430",
    Mark.CHANGED: "fill:#fff3d1,stroke:#8a5a00,stroke-width:3px,color:#1b2430,stroke-dasharray:10 3",
    Mark.REPLACED: "fill:#f1e8ff,stroke:#7a3fd0,stroke-width:3px,color:#1b2430,stroke-dasharray:3 3",
    Mark.DESTROYED: "fill:#ffe8e9,stroke:#b81d28,stroke-width:3px,color:#1b2430,stroke-dasharray:7 5",
}
CYLINDERS = {"engine", "bucket", "backup"}
# Kinds that exist once per zone, and the title of all of them.
ZONED = {"subnet": "Subnets", "nat": "NAT gateways", "nodes_of_zone": "Nodes"}
ACROSS = 4
OUTSIDE = "outside"


def render(picture: Picture) -> str:
    """The flowchart. Its labels are quoted and their signs are entities, so that no name can end one."""
    vpc = [_folded(band) for band in (picture.public, picture.private, picture.database)]
    beside = [_folded(band) for band in (picture.regional, picture.monitoring)]
    pipeline = _folded(picture.pipeline)
    shown = [inner for box in (*picture.front, *vpc, *beside, pipeline) for inner in box.walk()]
    names = _names([picture.vpc, *shown])
    title = "".join(sign if sign.isalnum() or sign in " .,:/_-" else " " for sign in titled(picture))
    lines = ["---", f'title: "{title}"', "---", "flowchart TB", f'    {INTERNET}(["Internet"])']
    lines += [f'    subgraph aws["{_escaped(f"AWS {picture.region}")}"]']
    for box in picture.front:
        lines += _box(box, names, 2)
    lines += [f'        subgraph {names[picture.vpc.id]}["{_label(picture.vpc)}"]']
    for band in vpc:
        lines += _box(band, names, 3)
    lines += ["        end"]
    for band in beside:
        lines += _box(band, names, 2)
    lines += ["    end", f'    {OUTSIDE}(["Internet"])', *_box(pipeline, names, 1)]
    lines += [
        *_edges(picture, names),
        *_order(picture, names, vpc, beside, pipeline),
        *_marks(picture, shown, names),
    ]
    return "\n".join(lines) + "\n"


def _folded(box: Box) -> Box:
    """Merges the boxes of the same kind in all zones, and a database with its instances."""
    if box.kind == "engine":
        main, *instances = box.boxes
        notes = (*main.notes, *(_line(instance) for instance in instances))
        return replace(_merged(box.boxes, box.kind, main.title), id=box.id, notes=notes)
    boxes: list[Box] = []
    for kind, members in groupby(box.boxes, lambda inner: inner.kind):
        group = [_folded(inner) for inner in members]
        if kind in ZONED:
            notes = tuple(_line(inner) for inner in group)
            group = [replace(_merged(group, kind, ZONED[kind]), id=f"{box.id}_{kind}", notes=notes)]
        boxes += group
    return replace(box, boxes=tuple(boxes))


def _merged(boxes: Sequence[Box], kind: str, title: str) -> Box:
    marks = {member.mark for member in boxes}
    counts: Counter[Mark] = Counter()
    for member in boxes:
        counts.update(dict(member.marks))
    mark = marks.pop() if len(marks) == 1 else Mark.CHANGED
    counted = tuple((mark_, counts[mark_]) for mark_ in Mark if counts[mark_])
    forecast = any(member.forecast for member in boxes)
    return Box(kind, kind, title, mark=mark, marks=counted, forecast=forecast)


def _line(box: Box) -> str:
    """`us-east-1a: replica 1, db.r6g.large (added)`."""
    plain = box.kind == "nat" or (box.kind, box.title) == ("nodes_of_zone", "Nodes")
    words = box.notes if plain else [box.title, *box.notes]
    return f"{box.zone}: {', '.join(words)}" + (f" ({box.mark})" if box.mark else "")


def _names(boxes: Iterable[Box]) -> dict[str, str]:
    """Identifiers; their prefix keeps them from being `end` or another word of the language."""
    names = {box.id: "b_" + re.sub(r"\W", "_", box.id, flags=re.ASCII) for box in boxes}
    often = Counter(names.values())
    return {
        box_id: name if often[name] == 1 else f"{name}_{number}"
        for number, (box_id, name) in enumerate(names.items())
    }


def _escaped(text: str) -> str:
    """Characters that Mermaid could interpret are written as `#` and their number."""
    return re.sub(r"[^A-Za-z0-9 .,:/()_-]", lambda match: f"#{ord(match[0])};", text)


def _label(box: Box) -> str:
    # The mark last: a label that begins with a sign would be the item of a list.
    marks = ", ".join(f"{count} {mark}" if count > 1 else mark for mark, count in box.marks)
    marks = f"forecast: {marks}" if marks and box.forecast else marks
    title = f"{box.title} ({marks})" if marks else box.title
    # A frame shows only one line.
    return (" " if box.boxes or box.kind == "vpc" else "<br/>").join(map(_escaped, (title, *box.notes)))


def _box(box: Box, names: dict[str, str], depth: int) -> Iterator[str]:
    indent = "    " * depth
    if box.boxes:
        yield f'{indent}subgraph {names[box.id]}["{_label(box)}"]'
        for inner in box.boxes:
            yield from _box(inner, names, depth + 1)
        yield f"{indent}end"
    elif box.kind in CYLINDERS:
        yield f'{indent}{names[box.id]}[("{_label(box)}")]'
    else:
        yield f'{indent}{names[box.id]}["{_label(box)}"]'


def _edges(picture: Picture, names: dict[str, str]) -> Iterator[str]:
    """Arrows with ports. A frame cannot point at itself, so connections between pods are drawn between Kong
    and the systems."""
    kinds = {box.kind: names[box.id] for box in picture.boxes() if box.id in names}
    # A second internet at the end: arrows back to the first would turn the picture upside down.
    for edge in picture.edges:
        label = _escaped(edge.label(words=True))
        for target in edge.targets:
            source, destination, arrow = names.get(edge.source, INTERNET), names.get(target, OUTSIDE), "-->"
            if source == destination:
                source, destination, arrow = (
                    kinds.get("kong", source),
                    kinds.get("systems", destination),
                    "<-->",
                )
            if source == INTERNET and "waf" in kinds:
                yield f'    {INTERNET} -->|"{label}"| {kinds["waf"]} --> {destination}'
            else:
                yield f'    {source} {arrow}|"{label}"| {destination}'


def _order(
    picture: Picture, names: dict[str, str], vpc: list[Box], beside: list[Box], pipeline: Box
) -> Iterator[str]:
    """The steps of the pipeline, and invisible arrows from each row to the next."""
    for box in picture.front:
        if box.kind != "waf":
            yield f"    {INTERNET} ~~~ {names[box.id]}"
    steps = [names[box.id] for box in pipeline.boxes]
    for left, right in pairwise(steps):
        yield f"    {left} -.-> {right}"
    above = [names[box.id] for box in vpc[-1].boxes]
    for band in beside:
        for row in _rows(band, names):
            yield from _below(above, row)
            above = row
    yield from _below(above[:1], steps[:1])
    for systems in [box for band in vpc for box in band.walk() if box.kind == "systems"]:
        for upper, lower in pairwise(_rows(systems, names)):
            yield from _below(upper, lower)


def _rows(band: Box, names: dict[str, str]) -> list[list[str]]:
    every = [names[box.id] for box in band.boxes]
    return [every[start : start + ACROSS] for start in range(0, len(every), ACROSS)]


def _below(upper: list[str], lower: list[str]) -> Iterator[str]:
    for number, name in enumerate(lower if upper else []):
        yield f"    {upper[number % len(upper)]} ~~~ {name}"


def _marks(picture: Picture, shown: list[Box], names: dict[str, str]) -> Iterator[str]:
    marked = [box for box in (picture.vpc, *shown) if box.mark]
    for (mark, style), forecast in product(STYLES.items(), (False, True)):
        if ids := [names[box.id] for box in marked if (box.mark, box.forecast) == (mark, forecast)]:
            kind = f"{mark}_forecast" if forecast else mark
            white = re.sub("fill:#[0-9a-f]+", "fill:#ffffff", style) if forecast else style
            yield f"    classDef {kind} {white}"
            yield f"    class {','.join(ids)} {kind}"
