"""Tests of the layout of the diagram: no overlaps, and no text outside of its box or crossed by lines, for
every environment, for extreme specs and for random pictures."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from conftest import ENVIRONMENTS, Variant
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.picturing import flaws, pictures, terraform

from tierra.diagram import mermaid, svg
from tierra.diagram.graph import Picture
from tierra.diagram.layout import arrange
from tierra.diagram.read import picture_of
from tierra.diagram.terraform import Terraform
from tierra.diagram.text import ELLIPSIS, cut, width, wrap

bounded = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FRAMEWORKS = ("django", "fastapi", "go")
NEEDS = (["postgres", "redis", "files"], [], ["postgres", "redis", "documentdb", "files"])
LARGE = {
    "project": "as-long-as-it-is",
    "network": {"zones": list("abcd"), "nat": "zone", "endpoints": "all", "cidr": "10.0.0.0/16"},
    "data": {"postgres": {"replicas": 5}, "redis": {"nodes": 6, "separate_broker": True}},
    "compute": {"nodes": {"instance_type": "m6i.4xlarge", "min": 6, "max": 60}},
    "systems": {
        f"a-rather-long-name-{number}": {
            "framework": FRAMEWORKS[number % 3],
            "needs": NEEDS[number % 3],
            **({"workers": 2, "beat": True} if number % 3 == 2 else {}),
        }
        for number in range(30)
    },
}
SMALL = {
    "network": {"zones": ["a", "b"], "nat": "single", "endpoints": "gateway"},
    "data": {"postgres": {"replicas": 0}, "redis": {"nodes": 1}, "documentdb": {"instances": 1}},
    "systems": {"one": {"framework": "go", "replicas": 1}},
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_drawings_of_the_environments_have_no_layout_errors(name: str) -> None:
    assert flaws(arrange(picture_of(name, "aws", terraform(name)))) == []


@pytest.mark.parametrize("spec", [SMALL, LARGE], ids=["small", "large"])
def test_drawings_of_small_and_large_specs_have_no_layout_errors(
    variant: Callable[..., Variant], spec: dict[str, object]
) -> None:
    roots = variant(**spec)
    picture = picture_of("trial", "aws", Terraform({tier: root.body for tier, root in roots.items()}))
    systems = [box.title for box in picture.boxes() if box.kind == "system"]
    assert len(systems) == len(roots.environment.systems)
    assert picture.zones == tuple(f"us-east-1{zone}" for zone in roots.environment.network.zones)
    assert flaws(arrange(picture)) == []


@bounded
@given(pictures())
def test_random_drawings_have_no_layout_errors_and_are_xml(picture: Picture) -> None:
    scene = arrange(picture)
    assert flaws(scene) == []
    root = ElementTree.fromstring(svg.render(picture, scene))
    drawn = {group.get("data-id") for group in root.iter("{http://www.w3.org/2000/svg}g")}
    assert {box.id for box in picture.boxes()} <= drawn
    assert mermaid.render(picture).split("\n")[2:4] == ["---", "flowchart TB"]


@bounded
@given(st.text(max_size=80), st.floats(6, 40), st.floats(20, 400), st.booleans())
def test_truncated_text_fits(text: str, size: float, room: float, bold: bool) -> None:
    short = cut(text, size, room, bold=bold)
    assert width(short, size, bold=bold) <= room or short == ELLIPSIS
    assert short == text or short.endswith(ELLIPSIS)


@bounded
@given(st.text("ab-/. ", max_size=80), st.floats(80, 400))
def test_wrapped_text_fits_and_only_loses_spaces(text: str, room: float) -> None:
    lines = wrap(text, 14, room)
    assert all(width(line, 14) <= room for line in lines)
    if not any(line.endswith(ELLIPSIS) for line in lines):
        assert "".join("".join(lines).split()) == "".join(text.split())
