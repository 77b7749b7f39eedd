"""Tests of conflicts between environments: names, resources that exist once in an account, and ranges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from modules.loader import load
from modules.network.subnets_spec import KINDS
from tierra.specs import Refused, overlaps_beside, real_environments

SPEC = """project: {project}
region: us-east-1
account: "{account}"
target: aws
edge: {{zone: example.com, domain: {name}.example.com}}
delivery: {{repository: acme/platform, runner: [inside], oidc_provider: existing}}
"""


def specs(folder: Path, *named: tuple[str, str, str]) -> Path:
    for project, name, account in named:
        (folder / f"{name}.yaml").write_text(SPEC.format(project=project, name=name, account=account))
    return folder


HERE, THERE = "123456789012", "210987654321"


@pytest.mark.parametrize(
    "named",
    [
        (("acme", "prod", HERE), ("acme", "prod-eu", HERE)),
        (("acme", "prod", HERE), ("acme-prod", "eu", HERE)),
    ],
)
def test_a_name_that_is_a_prefix_of_another_is_refused(
    tmp_path: Path, named: tuple[tuple[str, str, str], ...]
) -> None:
    folder = specs(tmp_path, *named)
    with pytest.raises(Refused, match=r"names begin with acme-prod-eu, .*prod.yaml with acme-prod\n  rule: "):
        real_environments(folder)
    for _, name, _ in named:
        assert len(overlaps_beside(load(folder / f"{name}.yaml"), folder)) == 1


def test_different_names_or_accounts_are_accepted(tmp_path: Path) -> None:
    named = ("acme", "prod", HERE), ("acme", "production", HERE), ("acme", "prod-eu", THERE)
    folder = specs(tmp_path, *named)
    assert len(real_environments(folder)) == 3
    assert overlaps_beside(load(folder / "prod.yaml"), folder) == []


@pytest.mark.parametrize(
    ("named", "domain", "says"),
    [
        (
            (("acme", "prod-eu", HERE), ("acme-prod", "eu", HERE)),
            "",
            "names of both begin with acme-prod-eu\n",
        ),
        ((("acme", "one", HERE), ("acme", "two", HERE)), "app.example.com", "edge.domain: app.example.com\n"),
    ],
)
def test_resources_that_exist_once_in_an_account_are_refused_for_two(
    tmp_path: Path, named: tuple[tuple[str, str, str], ...], domain: str, says: str
) -> None:
    folder = specs(tmp_path, *named, ("acme", "apart", THERE))
    for file in folder.glob("*.yaml"):
        if domain:
            text = file.read_text().replace(f"{file.stem}.example.com", domain)
            file.write_text(text)
    for _, name, _ in named:
        [problem] = overlaps_beside(load(folder / f"{name}.yaml"), folder)
        assert says in problem
        assert "remedy:" in problem
    assert overlaps_beside(load(folder / "apart.yaml"), folder) == []


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (", oidc_provider: existing", "", "delivery.oidc_provider: both create it\n"),
        (
            "existing}",
            "existing, registry_scan: basic}",
            "delivery.registry_scan: basic and basic\n",
        ),
    ],
)
def test_settings_of_an_account_in_two_environments_are_refused(
    tmp_path: Path, before: str, after: str, says: str
) -> None:
    folder = specs(tmp_path, ("acme", "one", HERE), ("acme", "two", HERE), ("acme", "apart", THERE))
    for name in ("one", "two", "apart"):
        file = folder / f"{name}.yaml"
        was = file.read_text()
        file.write_text(was.replace(before, after))
        assert file.read_text() != was
    [problem] = overlaps_beside(load(folder / "one.yaml"), folder)
    assert says in problem
    assert "remedy:" in problem
    assert overlaps_beside(load(folder / "apart.yaml"), folder) == []


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("{cidr: 10.20.0.0/16}", "{cidr: 10.20.0.0/16}", ""),
        ("{cidr: 10.20.0.0/16, reserved: [10.0.0.0/14]}", "{cidr: 10.20.0.0/16}", ""),
        (
            "{cidr: 10.20.0.0/16, reserved: [10.0.0.0/14]}",
            "{cidr: 10.21.0.0/16, reserved: [10.0.0.0/14]}",
            "",
        ),
        (
            "{cidr: 10.20.0.0/16, reserved: [10.0.0.0/14]}",
            "{cidr: 10.20.0.0/17, reserved: [10.1.0.0/16]}",
            "both name 10.0.0.0/14 in network.routes or network.reserved",
        ),
        (
            "{cidr: 10.20.0.0/17, reserved: [10.20.128.0/17]}",
            "{cidr: 10.20.0.0/16}",
            "one names 10.20.128.0/17 in network.routes or network.reserved",
        ),
        (
            "{cidr: 10.20.0.0/16, routes: [{to: 10.0.0.0/8, via: tgw-0123456789abcdef0}]}",
            "{cidr: 10.20.0.0/17, reserved: [10.128.0.0/16]}",
            "both name 10.0.0.0/8 in network.routes or network.reserved",
        ),
    ],
)
def test_overlapping_networks_with_common_routes_are_refused(
    tmp_path: Path, first: str, second: str, says: str
) -> None:
    folder = specs(tmp_path, ("acme", "one", HERE), ("acme", "two", THERE))
    for name, network in (("one", first), ("two", second)):
        with (folder / f"{name}.yaml").open("a") as file:
            file.write(f"network: {network}\n")
    problems = overlaps_beside(load(folder / "one.yaml"), folder)
    assert len(problems) == bool(says)
    assert not says or says in problems[0]
    assert not says or "such as 10.2" in problems[0]


def existing(number: int, vpc: int = 0, **more: Any) -> dict[str, Any]:
    """A network in an existing VPC; each number gives other subnets."""
    places = {
        kind: {zone: number + 8 * KINDS.index(kind) + 4 * "ab".index(zone) for zone in "ab"} for kind in KINDS
    }
    return {
        "cidr": "10.20.0.0/16",
        "zones": ["a", "b"],
        "reserved": ["10.8.0.0/14"],
        "subnets": {
            kind: {zone: f"10.20.{octet}.0/22" for zone, octet in zones.items()}
            for kind, zones in places.items()
        },
        "existing": {
            "vpc": f"vpc-{vpc:08x}",
            **{
                kind: {zone: f"subnet-{octet:08x}" for zone, octet in zones.items()}
                for kind, zones in places.items()
            },
        },
        **more,
    }


VGW = {"routes": [{"to": "10.8.0.0/14", "via": "vgw-01234567"}]}


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (existing(0), existing(64), []),
        (existing(0, endpoints="all"), existing(64), []),
        (existing(0, endpoints="all"), existing(64, endpoints="all"), ["network.endpoints: all\n"]),
        (existing(0), existing(20), [f"network.existing: subnet-{20:08x}\n"]),
        (existing(0), existing(64, vpc=1), ["network.cidr: 10.20.0.0/16 and 10.20.0.0/16\n"]),
        (VGW, {"cidr": "10.30.0.0/16", **VGW}, ["network.routes: vgw-01234567\n"]),
    ],
)
def test_existing_networks_may_be_shared(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], says: list[str]
) -> None:
    folder = specs(tmp_path, ("acme", "one", HERE), ("acme", "two", THERE))
    for name, network in (("one", first), ("two", second)):
        with (folder / f"{name}.yaml").open("a") as file:
            file.write("compute: {nodes: {min: 4}}\n" + yaml.safe_dump({"network": network}))
    problems = overlaps_beside(load(folder / "one.yaml"), folder)
    assert len(problems) == len(says), problems
    assert all(each in problem for each, problem in zip(says, problems, strict=True))
