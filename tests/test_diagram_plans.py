"""Tests of the diagram with real plans: a first plan with forecasts, and plans that destroy resources."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from support.picturing import flaws
from support.project import Copy, Project, planned, succeeded
from support.shrinking import shrunk

from modules.architecture import TIERS
from tierra.diagram import __main__ as diagram
from tierra.diagram import mermaid, svg
from tierra.diagram.graph import Box, Mark, Picture
from tierra.diagram.layout import arrange
from tierra.diagram.read import picture_of
from tierra.diagram.terraform import load


def checked_picture(folder: Path) -> Picture:
    """The picture of the sandbox, of which the layout is checked."""
    terraform, stale = load(folder / "cdktf.out" / "sandbox", TIERS)
    assert stale == []
    picture = picture_of("sandbox", "rehearsal", terraform)
    assert flaws(arrange(picture)) == []
    return picture


def by_address(picture: Picture) -> dict[str, Box]:
    return {box.addresses[0]: box for box in picture.boxes() if box.addresses}


def test_first_plan_marks_all_boxes_as_added_and_forecasts_as_such(tmp_path: Path) -> None:
    project = Copy(tmp_path / "tierra", planned())
    picture = checked_picture(project.folder)
    for box in picture.boxes():
        if box.addresses or box.kind == "redis":
            assert box.mark is Mark.ADDED, box.id
    boxes = by_address(picture)
    assert not boxes["network/aws_vpc.main"].forecast
    for address in ("data/aws_db_instance.postgres", "systems/helm_release.sistema_1"):
        assert boxes[address].forecast
    assert all(picture.zone_mark(zone).mark is Mark.ADDED for zone in picture.zones)

    succeeded(project.make("diagram"))
    folder = project.folder / "cdktf.out" / "sandbox"
    drawing, chart = ((folder / f"diagram.{kind}").read_text() for kind in ("svg", "mmd"))
    assert 'data-addresses="network/aws_nat_gateway.a' in drawing
    assert re.search(r'"data/aws_db_instance\.replica_1" data-mark="added" data-forecast="true"', drawing)
    stamps = sorted(json.loads(plan.read_text())["timestamp"] for plan in folder.glob("stacks/*/plan.json"))
    for text in (drawing, chart):
        assert f"{stamps[0][:10]} {stamps[0][11:16]}" in text
        assert "REHEARSAL" in text
    succeeded(project.make("diagram"))
    assert (drawing, chart) == tuple((folder / f"diagram.{kind}").read_text() for kind in ("svg", "mmd"))


def test_destroyed_resources_are_drawn_and_marked() -> None:
    picture = checked_picture(shrunk())
    boxes = by_address(picture)
    assert picture.zones == ("us-east-1a", "us-east-1b", "us-east-1c")
    assert [picture.zone_mark(zone).mark for zone in picture.zones] == [None, None, Mark.DESTROYED]
    destroyed = {address for address, box in boxes.items() if box.mark is Mark.DESTROYED}
    assert destroyed >= {
        "systems/helm_release.sistema_2",
        "systems/helm_release.sistema_3",
        "data/aws_db_instance.replica_2",
        "network/aws_subnet.public_c",
        "network/aws_subnet.private_c",
        "network/aws_subnet.database_c",
        "compute/aws_eks_node_group.c",
    }
    assert boxes["data/aws_db_instance.replica_2"].zone == "us-east-1b"
    nodes = [box for box in picture.boxes() if box.kind == "redis" and box.title.startswith("node")]
    assert [box.mark for box in nodes] == [None, Mark.DESTROYED, Mark.DESTROYED]
    [alarms] = [box for box in picture.boxes() if box.kind == "alarm"]
    assert any(note.startswith("destroyed: ") for note in alarms.notes)
    assert dict(alarms.marks)[Mark.DESTROYED] > 3
    [registry] = [box for box in picture.boxes() if box.kind == "registry"]
    assert "destroyed: sistema_2, sistema_3" in registry.notes
    [gateway] = [box for box in picture.boxes() if box.kind == "nat"]
    assert gateway.notes == ("way out of us-east-1a, us-east-1b",)
    chart = mermaid.render(picture)
    assert re.search(r"sistema-2 \([^)]*destroyed\)", chart)


# --- title and commit -------------------------------------------------------------------------------------


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the spec of a sandbox, committed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "environments").mkdir()
    spec = tmp_path / "environments" / "sandbox.yaml"
    spec.write_text("version: 1\n")
    identity = ("-c", "user.name=Tierra", "-c", "user.email=tierra@example.com", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "spec")):
        subprocess.run(["git", *identity, *arguments], check=True)
    return spec


def test_diagram_names_the_commit_of_the_spec(specs: Path) -> None:
    commit = diagram.commit(specs)
    assert re.fullmatch("[0-9a-f]{7,}", commit)
    assert diagram.commit(specs.with_name("other.yaml")) == ""
    specs.write_text("version: 2\n")
    assert diagram.commit(specs) == f"{commit}, edited since"


def test_diagram_names_no_commit_outside_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert diagram.commit(tmp_path / "sandbox.yaml") == ""
    monkeypatch.setenv("PATH", "")
    assert diagram.commit(tmp_path / "sandbox.yaml") == ""


def test_title_names_environment_account_region_and_commit(project: Project) -> None:
    terraform, _ = load(project.folder / "cdktf.out" / "sandbox", TIERS)
    rehearsed, real = (picture_of("sandbox", target, terraform, "1a2b3c4") for target in ("rehearsal", "aws"))
    version = "no saved plans, environments/sandbox.yaml at 1a2b3c4"
    assert svg.titled(rehearsed) == f"REHEARSAL of acme sandbox, no AWS account, us-east-1, {version}"
    assert svg.titled(real) == f"Architecture of acme sandbox, AWS account 123456789012, us-east-1, {version}"
    assert "REHEARSAL" not in svg.render(real, arrange(real))
    assert ">REHEARSAL<" in svg.render(rehearsed, arrange(rehearsed))
