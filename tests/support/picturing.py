"""Pictures for tests of the diagram: those of the environments, and random ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise, product
from typing import Any

from conftest import output
from hypothesis import strategies as st

from modules.architecture import TIERS
from tierra.diagram.frames import POD
from tierra.diagram.graph import INTERNET, Box, Edge, Mark, Picture, Pods, Port, TierPlan
from tierra.diagram.scene import Area, Frame, Line, Scene
from tierra.diagram.terraform import Terraform
from tierra.diagram.text import width

Bodies = dict[str, dict[str, Any]]


def generated(environment: str) -> Bodies:
    """The root modules of an environment, by tier."""
    stacks = output(environment) / "stacks"
    return {tier: json.loads((stacks / tier / "cdk.tf.json").read_text()) for tier in TIERS}


def terraform(environment: str) -> Terraform:
    return Terraform(generated(environment))


# --- any picture ------------------------------------------------------------------------------------------

words = st.text(min_size=1, max_size=60) | st.sampled_from(
    ["PostgreSQL 17", "a-name-as-long-as-names-get-to-be", "W" * 80, "<b>&\"'</b>", "end", "Sistema 1"]
)
notes = st.lists(words, max_size=4).map(tuple)
pods = st.none() | st.builds(Pods, st.integers(0, 20), st.integers(20, 60))
marks = st.none() | st.sampled_from(Mark)
ports = st.lists(
    st.builds(Port, st.from_regex(r"(TCP|UDP) [1-9][0-9]{1,4}", fullmatch=True), marks), min_size=1
)


@st.composite
def boxes(draw: st.DrawFn, kind: str, name: str, **more: Any) -> Box:
    mark = draw(marks)
    counted = ((mark, draw(st.integers(1, 90))),) if mark else ()
    address = f"tier/aws_thing.{name}"
    values = {
        "notes": draw(notes),
        "pods": draw(pods) if kind in ("system", "kong", "nodes_of_zone") else None,
    }
    title = draw(words)
    return Box(name, kind, title, addresses=(address,), mark=mark, marks=counted, **values, **more)


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """Random pictures: any number of zones, systems and instances, any text, optional parts missing."""
    zones = tuple(f"us-east-1{letter}" for letter in "abcdef"[: draw(st.integers(1, 6))])

    def some(kind: str, most: int, least: int = 0) -> tuple[Box, ...]:
        first, second = draw(boxes(kind, kind)), draw(boxes(kind, kind))
        number = draw(st.integers(least, most))
        return tuple(replace((first, second)[n % 2], id=f"{kind}-{n}") for n in range(number))

    def zoned(kind: str, name: str, most: int = 1) -> tuple[Box, ...]:
        box = draw(boxes(kind, name))
        number = draw(st.integers(0, most))
        return tuple(replace(box, id=f"{name}-{z}-{n}", zone=z) for z in zones for n in range(number))

    def band(kind: str, *inside: Box) -> Box:
        return Box(kind, kind, kind.title(), boxes=inside)

    engines = tuple(
        Box(
            f"engine-{n}",
            "engine",
            "Engine",
            boxes=(draw(boxes("postgres", f"db-{n}")), *zoned("postgres", f"i-{n}", 3)),
        )
        for n in range(draw(st.integers(1, 4)))
    )
    systems = band("systems", *some("system", 34, least=1))
    kong, platform = draw(boxes("kong", "kong")), some("platform", 1)
    nodes = draw(boxes("nodes", "nodes", boxes=(kong, *platform, systems, *zoned("nodes_of_zone", "group"))))
    control = draw(boxes("control_plane", "control"))
    endpoints = some("endpoint", 2)
    eks = band("eks", nodes, control)  # represents no resource, so plans never mark it
    pairs = [
        (INTERNET, ["lb"]),
        ("lb", ["nodes"]),
        ("nodes", [INTERNET]),
        ("nodes", ["nodes"]),
        ("nodes", ["control"]),
        ("control", ["nodes"]),
        ("nodes", [engine.id for engine in engines]),
        ("control", [engines[0].id]),
        *(("nodes", [endpoint.id]) for endpoint in endpoints[:1]),
    ]
    chosen = [pair for pair in pairs if draw(st.booleans())]
    plan = st.builds(TierPlan, st.sampled_from(list(TIERS)), st.just(((Mark.ADDED, 12),)), st.booleans())
    return Picture(
        name=draw(words),
        region="us-east-1",
        location=draw(words),
        zones=zones,
        front=(draw(boxes("waf", "waf")), *some("dns", 2), *some("certificate", 2)),
        vpc=draw(boxes("vpc", "vpc")),
        public=band(
            "public", draw(boxes("load_balancer", "lb")), *zoned("nat", "nat"), *zoned("subnet", "public-net")
        ),
        private=band("private", eks, *endpoints, *zoned("subnet", "private-net")),
        database=band("database", *engines, *zoned("subnet", "database-net")),
        regional=band("regional", *some("bucket", 8)),
        monitoring=band("monitoring", *some("alarm", 14)),
        pipeline=band("pipeline", *some("registry", 6)),
        edges=tuple(Edge(start, tuple(ends), tuple(draw(ports)[:6]), ("a/b.c",)) for start, ends in chosen),
        plans=tuple(draw(st.lists(plan, max_size=9))),
    )


# --- rules of a drawing -----------------------------------------------------------------------------------


def badge_area(frame: Frame) -> Area | None:
    if not frame.badge:
        return None
    room = width(frame.badge.text, frame.badge.size, bold=True)
    return Area(frame.badge.x - 7, frame.badge.y - 15, room + 14, 21)


def segments(line: Line) -> Iterator[Area]:
    """The segments of a line."""
    for start, end in pairwise(line.points):
        left, top = min(start.x, end.x), min(start.y, end.y)
        yield Area(left - 1, top - 1, abs(start.x - end.x) + 2, abs(start.y - end.y) + 2)


def flaws(scene: Scene) -> list[str]:
    """Layout errors: boxes that overlap or stick out, text that leaves its box or overlaps other text, lines
    through text or boxes."""
    return [*_boxes(scene), *_texts(scene), *_lines(scene)]


def _boxes(scene: Scene) -> Iterator[str]:
    page = Area(0, 0, scene.width, scene.height)
    areas = {frame.box.id: frame.area for frame in scene.frames}
    for frame in scene.frames:
        if not page.holds(frame.area):
            yield f"{frame.box.id} is not on the page"
        for inner in frame.box.boxes:
            if not frame.area.holds(areas[inner.id]):
                yield f"{inner.id} is not in {frame.box.id}"
    leaves = [frame for frame in scene.frames if not frame.outer]
    for first, second in combinations(leaves, 2):
        if first.area.meets(second.area):
            yield f"{first.box.id} overlaps {second.box.id}"
    outers = [frame for frame in scene.frames if frame.outer and frame.box.kind != "zone"]
    for leaf, outer in product(leaves, outers):
        if leaf.area.meets(outer.area) and not outer.area.holds(leaf.area):
            yield f"{leaf.box.id} crosses the border of {outer.box.id}"


def _texts(scene: Scene) -> Iterator[str]:
    for frame in scene.frames:
        inside = [*(text.area for text in frame.texts), *(Area(p.x, p.y, POD, POD) for p, _ in frame.pods)]
        inside += [area for area in [badge_area(frame)] if area]
        inside += [Area(frame.icon.x, frame.icon.y, 24, 24)] if frame.icon else []
        for area in inside:
            if not frame.area.holds(area):
                yield f"something leaves {frame.box.id}"
        for first, second in combinations(inside, 2):
            if first.meets(second):
                yield f"two things meet in {frame.box.id}"
    free = [*scene.texts, *(label for line in scene.lines for label in line.labels)]
    titles = [text for frame in scene.frames if frame.outer for text in frame.texts]
    for first_text, second_text in combinations([*free, *titles], 2):
        if first_text.area.meets(second_text.area):
            yield f"{first_text.text!r} meets {second_text.text!r}"
    for text, frame in product(free, scene.frames):
        if not frame.outer and text.area.meets(frame.area):
            yield f"{text.text!r} is written over {frame.box.id}"
    for text in free:
        if not Area(0, 0, scene.width, scene.height).holds(text.area):
            yield f"{text.text!r} is not on the page"


def _lines(scene: Scene) -> Iterator[str]:
    texts = [text for frame in scene.frames for text in frame.texts]
    texts += [*scene.texts, *(label for line in scene.lines for label in line.labels)]
    leaves = [frame for frame in scene.frames if not frame.outer]
    for line in scene.lines:
        for part in segments(line):
            for text in texts:
                if part.meets(text.area):
                    yield f"a line crosses {text.text!r}"
            for frame in leaves:
                # It may touch its end boxes.
                within = Area(frame.area.x + 2, frame.area.y + 2, frame.area.width - 4, frame.area.height - 4)
                if part.meets(within):
                    yield f"a line crosses {frame.box.id}"
            for frame in scene.frames:
                badge = badge_area(frame)
                if badge and part.meets(badge):
                    yield f"a line crosses the mark of {frame.box.id}"
