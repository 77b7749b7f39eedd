"""Tests of the diagram: its boxes, arrows and marks agree with the Terraform and the plan."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import ENVIRONMENTS
from support.picturing import Bodies, generated, terraform

from modules.architecture import TIERS
from tierra.diagram import __main__ as diagram
from tierra.diagram import mermaid, svg
from tierra.diagram.graph import INTERNET, Box, Edge, Mark, Picture, Port
from tierra.diagram.layout import arrange
from tierra.diagram.read import picture_of
from tierra.diagram.terraform import Terraform

ROOT = Path(__file__).resolve().parents[1]
SVG = "{http://www.w3.org/2000/svg}"
PLACES = {
    "load_balancer": "load_balancer",
    "node": "nodes",
    "control_plane": "control_plane",
    "endpoint": "endpoint",
    "postgres": "engine",
    "redis": "engine",
    "documentdb": "engine",
}


def drawn(picture: Picture) -> ElementTree.Element:
    return ElementTree.fromstring(svg.render(picture, arrange(picture)))


def addresses(element: ElementTree.Element, of: str) -> set[str]:
    """The addresses that the boxes (data-id) or arrows (data-from) of a drawing represent."""
    groups = [group for group in element.iter(f"{SVG}g") if group.get(of)]
    return {address for group in groups for address in group.get("data-addresses", "").split()}


def box(picture: Picture, address: str) -> Box:
    """The box with this first address."""
    [match] = [each for each in picture.boxes() if each.addresses[:1] == (address,)]
    return match


# --- boxes and arrows -------------------------------------------------------------------------------------


def test_every_box_of_the_architecture_page_is_drawn() -> None:
    rows = re.findall(r"^\| [^|]+ \| `(\w+)` \|[^|]*\|(.*)\|$", (ROOT / "docs/diagram.md").read_text(), re.M)
    named = {f"{tier}/{address}" for tier, cell in rows for address in re.findall(r"`(\w+\.\w+)`", cell)}
    assert len(named) > 40
    picture = drawn(picture_of("production", "aws", terraform("production")))
    assert named - addresses(picture, "data-id") - addresses(picture, "data-from") == set()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_replicas_are_in_the_zone_of_the_terraform(name: str) -> None:
    bodies = generated(name)
    scene = arrange(picture_of(name, "aws", Terraform(bodies)))
    columns = {frame.box.title: frame.area for frame in scene.frames if frame.box.kind == "zone"}
    subnets = bodies["network"]["resource"]["aws_subnet"]
    assert set(columns) == {subnet["availability_zone"] for subnet in subnets.values()}
    checked = 0
    for kind in ("aws_db_instance", "aws_docdb_cluster_instance"):
        for role, values in bodies["data"]["resource"][kind].items():
            if match := re.search(r"zone_names\.(\w)\}", values.get("availability_zone", "")):
                area = scene[f"data/{kind}.{role}"].area
                column = columns[subnets[f"private_{match[1]}"]["availability_zone"]]
                assert column.x <= area.x < area.right <= column.right
                checked += 1
    assert checked >= 3


def test_a_certificate_lists_each_name_once() -> None:
    picture = picture_of("production", "aws", terraform("production"))
    [note] = box(picture, "edge/aws_acm_certificate.main").notes
    names = note.split(", ")
    assert len(names) == len(set(names)) >= 1


def test_a_cache_has_the_name_of_its_engine() -> None:
    bodies = generated("sandbox")
    address = "data/aws_elasticache_replication_group.redis"
    assert box(picture_of("sandbox", "rehearsal", Terraform(bodies)), address).title == "Redis 7.1"
    group = bodies["data"]["resource"]["aws_elasticache_replication_group"]["redis"]
    group.update(engine="valkey", engine_version="8.2")
    assert box(picture_of("sandbox", "rehearsal", Terraform(bodies)), address).title == "Valkey 8.2"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_systems_show_their_pods_and_their_stores(name: str) -> None:
    bodies = generated(name)
    picture = picture_of(name, "aws", Terraform(bodies))
    scene = arrange(picture)
    releases = bodies["systems"]["resource"]["helm_release"]
    systems = [each for each in releases if each != "databases" and not each.endswith("_namespace")]
    assert len(systems) == len([each for each in picture.boxes() if each.kind == "system"])
    for role in systems:
        values = json.loads(releases[role]["values"][0])
        frame = scene[f"systems/helm_release.{role}"]
        always = [runs for _, runs in frame.pods]
        assert (sum(always), len(always)) == (values["replicas"]["min"], values["replicas"]["max"])
        stores = json.loads(releases[f"{role}_namespace"]["values"][0])["stores"]
        engines = {5432: "PostgreSQL", 6379: "Redis", 27017: "DocumentDB"}
        uses = next(note for note in frame.box.notes if note.startswith("uses "))
        assert {name for name in engines.values() if name in uses} == {
            engines[each["port"]] for each in stores
        }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_arrows_are_security_group_rules(name: str) -> None:
    resources = generated(name)["network"]["resource"]
    into = resources["aws_vpc_security_group_ingress_rule"]
    out = resources["aws_vpc_security_group_egress_rule"]
    # No part of the platform is in the group of runners, so the picture has no box for it.
    into = {rule: values for rule, values in into.items() if "_from_runner_" not in rule}
    out = {rule: values for rule, values in out.items() if not rule.startswith("runner_")}
    picture = picture_of(name, "aws", terraform(name))
    rules = {f"network/aws_vpc_security_group_ingress_rule.{rule}" for rule in into}
    rules |= {f"network/aws_vpc_security_group_egress_rule.{rule}" for rule in out}
    assert addresses(drawn(picture), "data-from") == rules

    kinds = {each.id: each.kind for each in picture.boxes()} | {INTERNET: INTERNET}
    shown = Counter(
        (kinds[edge.source], kinds[edge.targets[0]], port.name)
        for edge in picture.edges
        for port in edge.ports
    )
    wanted: Counter[tuple[str, str, str]] = Counter()
    for rule in into.values():
        wanted[
            _place(rule.get("referenced_security_group_id")), _place(rule["security_group_id"]), _port(rule)
        ] += 1
    for rule in out.values():
        if "cidr_ipv4" in rule:
            wanted[_place(rule["security_group_id"]), INTERNET, _port(rule)] += 1
    assert shown == wanted


def _place(group: str | None) -> str:
    return PLACES[group.split(".")[1]] if group else INTERNET


def _port(rule: dict[str, Any]) -> str:
    return f"TCP {rule['from_port']}" if rule["ip_protocol"] == "tcp" else "any port"


def test_a_range_outside_the_vpc_is_not_the_internet() -> None:
    bodies = generated("sandbox")
    rules = bodies["network"]["resource"]["aws_vpc_security_group_ingress_rule"]
    rules["control_plane_from_10_8_0_0_22_443"] = {
        "security_group_id": "${aws_security_group.control_plane.id}",
        "ip_protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "cidr_ipv4": "10.8.0.0/22",
    }
    picture = picture_of("sandbox", "rehearsal", Terraform(bodies))
    [control_plane] = [box for box in picture.boxes() if box.kind == "control_plane"]
    assert any("API for 10.8.0.0/22 too" in note for note in control_plane.notes)
    assert not [
        edge for edge in picture.edges if edge.source == INTERNET and control_plane.id in edge.targets
    ]


def test_a_rule_without_its_counterpart_is_no_arrow() -> None:
    bodies = generated("sandbox")
    del bodies["network"]["resource"]["aws_vpc_security_group_egress_rule"]["node_to_redis_6379"]
    picture = picture_of("sandbox", "rehearsal", Terraform(bodies))
    assert "TCP 6379" not in {port.name for edge in picture.edges for port in edge.ports}


def test_an_unused_security_group_is_no_arrow() -> None:
    bodies = generated("production")
    endpoints = bodies["network"]["resource"]["aws_vpc_endpoint"]
    bodies["network"]["resource"]["aws_vpc_endpoint"] = {"s3": endpoints["s3"]}
    picture = picture_of("production", "aws", Terraform(bodies))
    rule = "network/aws_vpc_security_group_ingress_rule.endpoint_from_node_443"
    assert not [edge for edge in picture.edges if rule in edge.addresses]


def test_every_arrow_touches_its_boxes() -> None:
    picture = picture_of("production", "aws", terraform("production"))
    scene = arrange(picture)
    frames = {frame.box.id: frame.area for frame in scene.frames}
    for edge in picture.edges:
        ends = [line.points[-1] for line in scene.lines if line.edge is edge and line.head]
        for target in edge.targets:
            area = frames[target]
            touched = [area.x <= end.x <= area.right and area.y <= end.y <= area.bottom for end in ends]
            assert any(touched), (edge.source, target)


# --- the files --------------------------------------------------------------------------------------------


def _turned(value: Any) -> Any:
    """The same JSON with its keys in reverse order."""
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(value)}
    return [_turned(each) for each in value] if isinstance(value, list) else value


def test_the_same_terraform_gives_the_same_bytes() -> None:
    bodies = generated("production")
    turned = {tier: _turned(body) for tier, body in bodies.items()}
    first, second = (picture_of("production", "aws", Terraform(each)) for each in (bodies, turned))
    assert svg.render(first, arrange(first)) == svg.render(second, arrange(second))
    assert mermaid.render(first) == mermaid.render(second)


def test_the_drawing_is_self_contained_and_has_a_title() -> None:
    text = svg.render(picture := picture_of("production", "aws", terraform("production")), arrange(picture))
    assert re.findall(r"https?://[^\"' <]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(image|script|style|use|foreignObject)|href|url\(|@import", text)
    root = ElementTree.fromstring(text)
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title description")
    words = {part.get("id"): part.text or "" for part in root[:2]}
    assert words["title"].startswith("Architecture of acme production, AWS account 123456789012, us-east-1")
    assert "Nodes and pods to PostgreSQL 17 (TCP 5432)" in words["description"]


def test_names_are_escaped_in_drawing_and_chart() -> None:
    bodies = generated("sandbox")
    evil = '"]</text><script>alert(1)</script>&#39;%%{init}%%'
    release = bodies["systems"]["resource"]["helm_release"]["sistema_1"]
    release["values"] = [json.dumps(json.loads(release["values"][0]) | {"system": evil})]
    picture = picture_of("sandbox", "rehearsal", Terraform(bodies))
    root = drawn(picture)
    assert not list(root.iter(f"{SVG}script"))
    [group] = [
        each for each in root.iter(f"{SVG}g") if each.get("data-id") == "systems/helm_release.sistema_1"
    ]
    assert (group[0].text or "").startswith(evil)
    check_chart(picture)
    assert "<script" not in mermaid.render(picture)


LABEL = r'"(?:[A-Za-z0-9 .,:/()_-]|#\d+;|<br/>)+"'
NAME = r"[a-z][A-Za-z0-9_]*"
NODE = re.compile(rf"({NAME})(?:\[{LABEL}\]|\[\({LABEL}\)\]|\(\[{LABEL}\]\))")
SUBGRAPH = re.compile(rf"subgraph ({NAME})\[{LABEL}\]")
ARROW = re.compile(rf"({NAME}) (?:<?-->\|{LABEL}\||-\.->|~~~) ({NAME})(?: --> ({NAME}))?")
CLASS = re.compile(rf"classDef ({NAME}) [a-z0-9:,# -]+|class ({NAME}(?:,{NAME})*) ({NAME})")


def check_chart(picture: Picture) -> str:
    """Checks that the flowchart only uses the known part of Mermaid, and returns it."""
    text = mermaid.render(picture)
    begin, title, end, head, *lines = text.splitlines()
    assert (begin, end, head) == ("---", "---", "flowchart TB")
    assert re.fullmatch(r'title: "[\w .,:/-]+"', title)
    names: Counter[str] = Counter()
    depth = 0
    ends: set[str] = set()
    styles: set[str] = set()
    for line in map(str.strip, lines):
        if match := SUBGRAPH.fullmatch(line):
            names[match[1]] += 1
            depth += 1
        elif line == "end":
            depth -= 1
            assert depth >= 0
        elif match := NODE.fullmatch(line):
            names[match[1]] += 1
        elif match := ARROW.fullmatch(line):
            assert depth == 0
            ends |= {end for end in match.groups() if end}
        elif match := CLASS.fullmatch(line):
            styles |= {match[1]} if match[1] else set()
            assert match[1] or match[3] in styles
            ends |= set(match[2].split(",")) if match[2] else set()
        else:
            pytest.fail(f"not in the part of Mermaid that is used: {line}")
    assert depth == 0
    assert set(names.values()) == {1}
    assert ends <= set(names)
    return text


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_chart_is_mermaid_and_has_every_box_and_arrow(name: str) -> None:
    picture = picture_of(name, "aws", terraform(name))
    text = check_chart(picture)
    plain = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), text)
    for each in picture.boxes():
        if each.kind not in ("nat", "nodes_of_zone"):
            assert each.title in plain
        for note in each.notes:
            assert note in plain
    for edge in picture.edges:
        assert f'|"{edge.label(words=True)}"|' in text


# --- plans ------------------------------------------------------------------------------------------------


def planned(bodies: Bodies, before: Bodies, **actions: list[str]) -> dict[str, dict[str, Any]]:
    """Plans in the format of `terraform show -json`: resources in only one of the bodies are created or
    deleted; `actions` has the actions of other resources by name."""
    plans: dict[str, dict[str, Any]] = {}
    for tier in bodies:
        changes = []
        new, old = (_resources(each[tier]) for each in (bodies, before))
        for key in sorted(new | old):
            done = ["create"] if key not in old else ["delete"] if key not in new else ["no-op"]
            done = actions.get(f"{tier}__{key[0]}__{key[1]}", done)
            change = {"actions": done, "before": old.get(key), "after": new.get(key)}
            entry = {"address": ".".join(key), "mode": "managed", "type": key[0], "name": key[1]}
            changes.append(entry | {"change": change})
        plans[tier] = {"resource_changes": changes}
    return plans


def _resources(body: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {
        (kind, name): values for kind, named in body["resource"].items() for name, values in named.items()
    }


@pytest.fixture
def changed() -> Picture:
    """A plan that removes a replica and a system, adds a NAT gateway and a rule, changes Kong and replaces
    the certificate."""
    bodies, before = generated("production"), generated("production")
    del bodies["data"]["resource"]["aws_db_instance"]["replica_2"]
    for values in before["data"]["resource"]["aws_db_instance"].values():
        values["id"] = f"db-{len(values)}"
    gone = before["data"]["resource"]["aws_db_instance"]["replica_2"]
    gone |= {"availability_zone": "us-east-1b", "replicate_source_db": "acme-production-postgres"}
    for role in ("sistema_2", "sistema_2_namespace"):
        del bodies["systems"]["resource"]["helm_release"][role]
    del before["network"]["resource"]["aws_nat_gateway"]["b"]
    for kind, rule in (("ingress", "documentdb_from_node_27017"), ("egress", "node_to_documentdb_27017")):
        del before["network"]["resource"][f"aws_vpc_security_group_{kind}_rule"][rule]
    more = {
        "gateway__helm_release__kong": ["update"],
        "edge__aws_acm_certificate__main": ["create", "delete"],
    }
    return picture_of(
        "production", "aws", Terraform(bodies, planned(bodies, before, **more), frozenset({"data"}))
    )


def test_a_plan_marks_what_it_adds_changes_replaces_and_destroys(changed: Picture) -> None:
    marks = {each.addresses[0]: each.mark for each in changed.boxes() if each.mark and each.addresses}
    assert marks == {
        "network/aws_nat_gateway.b": Mark.ADDED,
        "gateway/helm_release.kong": Mark.CHANGED,
        "edge/aws_acm_certificate.main": Mark.REPLACED,
        "data/aws_db_instance.replica_2": Mark.DESTROYED,
        "systems/helm_release.sistema_2": Mark.DESTROYED,
    }
    assert box(changed, "data/aws_db_instance.replica_2").zone == "us-east-1b"
    assert box(changed, "systems/helm_release.sistema_2").badge == "-2"
    [edge] = [each for each in changed.edges if each.mark]
    assert edge.label() == "+ TCP 27017"


def test_shared_resources_are_counted_once() -> None:
    bodies = generated("production")
    nothing: Bodies = {tier: {"resource": {}} for tier in bodies}
    picture = picture_of("production", "aws", Terraform(bodies, planned(bodies, nothing)))
    for each in picture.boxes():
        assert sum(number for _, number in each.marks) == len(each.addresses) or each.kind == "redis"


def test_marks_do_not_depend_on_colour(changed: Picture) -> None:
    root = drawn(changed)
    for mark in Mark:
        groups = [group for group in root.iter(f"{SVG}g") if group.get("data-mark") == mark]
        for group in groups:
            texts = [text.text or "" for text in group.findall(f"{SVG}text")]
            assert any(text.startswith(mark.sign) for text in texts)
            sort = "forecast" if group.get("data-forecast") else "plan"
            assert f"{mark} by the {sort}" in (group[0].text or "")
        assert groups
    borders = {tuple(svg.MARKS[mark][2:]) for mark in Mark}
    assert len(borders) == len(Mark)
    words = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert all(f"{mark} by the plan" in words for mark in Mark)


def test_the_legend_counts_resources_without_a_box(changed: Picture) -> None:
    words = [text.text for text in drawn(changed).iter(f"{SVG}text")]
    assert "network +3" in words
    assert "systems -2" in words
    assert "data -1 (forecast)" in words
    assert "storage no changes" in words


def test_the_chart_has_marks_as_text(changed: Picture) -> None:
    text = check_chart(changed)
    assert "sistema-2 (2 destroyed)" in text
    assert '|"added TCP 27017"|' in text
    assert "us-east-1b: replica 2, db.r6g.large (destroyed)" in text
    assert "PostgreSQL 17 (forecast: destroyed)" in text
    # Another NAT gateway changes the box that represents all of them.
    assert "us-east-1b: way out of us-east-1b (added)" in text
    assert set(re.findall(r"classDef (\w+)", text)) == {
        "changed",
        "replaced",
        "destroyed",
        "changed_forecast",
    }


def test_without_a_plan_nothing_is_marked() -> None:
    picture = picture_of("production", "aws", terraform("production"))
    assert not [each for each in picture.boxes() if each.mark or each.marks]
    assert not [each for each in picture.edges if each.mark]
    assert "by the plan" not in svg.render(picture, arrange(picture))


def test_labels_start_with_unchanged_values() -> None:
    ports = (Port("TCP 1", Mark.DESTROYED), Port("TCP 2"), Port("TCP 3"), Port("UDP 3"))
    assert Edge("a", ("b",), ports, ()).label() == "TCP 2, 3, UDP 3; - TCP 1"


# --- the command ------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The output folder of the sandbox, with plans that add all of it."""
    bodies = generated("sandbox")
    nothing: Bodies = {tier: {"resource": {}} for tier in bodies}
    for tier, plan in planned(bodies, nothing).items():
        stack = tmp_path / "sandbox" / "stacks" / tier
        stack.mkdir(parents=True)
        for name in ("cdk.tf.json", "plan.config"):
            (stack / name).write_text(json.dumps(bodies[tier]))
        (stack / "plan.json").write_text(json.dumps(plan))
    return tmp_path / "sandbox"


def draw(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "argv", ["diagram", str(folder), "rehearsal", *TIERS])
    diagram.main()
    return (folder / "diagram.svg").read_text(encoding="utf-8")


def test_the_command_writes_and_names_both_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = draw(folder, monkeypatch)
    assert capsys.readouterr().out.split() == [
        *("diagram:", str(folder / "diagram.svg"), "diagram:", str(folder / "diagram.mmd")),
    ]
    assert 'data-mark="added"' in text
    assert "no AWS account" in text
    assert (folder / "diagram.mmd").read_text().startswith('---\ntitle: "REHEARSAL of acme sandbox,')
    assert sorted(path.name for path in folder.glob("diagram*")) == ["diagram.mmd", "diagram.svg"]


def test_a_stale_plan_is_left_out_with_a_note(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration = folder / "stacks" / "data" / "cdk.tf.json"
    configuration.write_text(configuration.read_text() + "\n")
    root = ElementTree.fromstring(draw(folder, monkeypatch))
    assert "saved plan of data" in capsys.readouterr().err
    marked = [group.get("data-addresses") or "" for group in root.iter(f"{SVG}g") if group.get("data-mark")]
    assert marked
    assert not [each for each in marked if "data/aws_db_instance.replica" in each]


def test_reading_terraform_does_not_change_it() -> None:
    bodies = generated("production")
    original = copy.deepcopy(bodies)
    picture = picture_of("production", "aws", Terraform(bodies))
    arrange(picture)
    assert bodies == original
