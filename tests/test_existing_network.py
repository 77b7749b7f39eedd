"""Tests of an existing network: it is looked up, used, and never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import Root
from support.picturing import flaws

from modules.architecture import TIERS, facts
from modules.spec import Environment
from tierra.diagram.layout import arrange
from tierra.diagram.read import picture_of
from tierra.diagram.terraform import Terraform
from tierra.validation.errors import SpecError

KINDS = ("public", "private", "database")
IDS = {
    kind: {zone: f"subnet-0123456789abcde{row}{column}" for column, zone in enumerate("abc")}
    for row, kind in enumerate(KINDS)
}
RANGES = {
    "public": {"a": "10.20.0.0/24", "b": "10.20.1.0/24", "c": "10.20.2.0/24"},
    "private": {"a": "10.20.32.0/22", "b": "10.20.64.0/22", "c": "10.20.96.0/22"},
    "database": {"a": "10.20.4.0/24", "b": "10.20.5.0/24", "c": "10.20.6.0/24"},
}
VPC = "vpc-0123456789abcdef0"
NETWORK = {"cidr": "10.20.0.0/16", "subnets": RANGES, "existing": {"vpc": VPC, **IDS}}


def created_types(root: Root) -> set[str]:
    return set(root.body["resource"])


def test_no_part_of_the_existing_network_is_created(variant: Callable[..., Mapping[str, Root]]) -> None:
    network = variant(network=NETWORK)["network"]
    assert created_types(network) == {
        *("aws_security_group", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"),
        *("aws_db_subnet_group", "aws_docdb_subnet_group", "aws_elasticache_subnet_group"),
        *("aws_kms_key", "aws_kms_alias"),
    }


def test_data_sources_match_the_spec_only(variant: Callable[..., Mapping[str, Root]]) -> None:
    network = variant(network=NETWORK)["network"]
    data = network.body["data"]
    vpc = data["aws_vpc"]["main"]
    assert vpc["id"] == VPC
    assert vpc["filter"] == [{"name": "cidr-block-association.cidr-block", "values": ["10.20.0.0/16"]}]
    [condition] = vpc["lifecycle"]["postcondition"]
    assert "enable_dns_support" in condition["condition"]
    for kind in KINDS:
        for zone in "abc":
            assert data["aws_subnet"][f"{kind}_{zone}"] == {
                "id": IDS[kind][zone],
                "vpc_id": VPC,
                "availability_zone": f"us-east-1{zone}",
                "cidr_block": RANGES[kind][zone],
            }
        value = network.body["output"][f"{kind}_subnet_ids"]["value"]
        assert value == {zone: f"${{data.aws_subnet.{kind}_{zone}.id}}" for zone in "abc"}
    assert network.body["output"]["vpc_id"]["value"] == "${data.aws_vpc.main.id}"
    assert network.body["output"]["nat_public_ips"]["value"] == []


def test_flow_logs_and_endpoints_are_created_only_if_enabled(
    variant: Callable[..., Mapping[str, Root]],
) -> None:
    network = variant(network={**NETWORK, "flow_log_days": 30, "endpoints": "all"})["network"]
    assert network["aws_flow_log.main"]["vpc_id"] == "${data.aws_vpc.main.id}"
    kinds = {each["vpc_endpoint_type"] for each in network.all("aws_vpc_endpoint").values()}
    assert kinds == {"Interface"}, "route tables are not Tierra's"
    subnets = network["aws_vpc_endpoint.ecr_api"]["subnet_ids"]
    assert subnets == [f"${{data.aws_subnet.private_{zone}.id}}" for zone in "abc"]


def test_there_are_no_alarms_and_dashboards_of_nat(variant: Callable[..., Mapping[str, Root]]) -> None:
    observability = variant(network=NETWORK)["observability"]
    assert not [name for name in observability.all("aws_cloudwatch_metric_alarm") if name.startswith("nat_")]
    assert "network" not in observability.all("aws_cloudwatch_dashboard")


def test_workflows_may_create_resources_in_that_vpc_only(variant: Callable[..., Mapping[str, Root]]) -> None:
    settings = {"repository": "acme/platform"}
    delivery = variant(network=NETWORK, delivery=settings)["delivery"]
    policy = delivery["aws_iam_policy.apply_network"]["policy"]
    assert f"arn:aws:ec2:us-east-1:*:vpc/{VPC}" in policy
    assert f"arn:aws:ec2:us-east-1:*:subnet/{IDS['private']['a']}" in policy
    plain = variant(environment="plain", delivery=settings)["delivery"]
    assert "apply_network" not in plain.all("aws_iam_policy")


def test_the_picture_shows_the_vpc_and_its_subnets_as_existing(
    variant: Callable[..., Mapping[str, Root]],
) -> None:
    roots = variant(network=NETWORK)
    picture = picture_of("trial", "rehearsal", Terraform({tier: roots[tier].body for tier in TIERS}))
    assert not flaws(arrange(picture))
    bands = (picture.vpc, picture.public, picture.private, picture.database)
    boxes = {box.id: box for band in bands for box in band.walk()}
    assert boxes["vpc"].notes[0] == "10.20.0.0/16, existing, not made by Tierra"
    for kind in KINDS:
        for zone in "abc":
            box = boxes[f"network/data.aws_subnet.{kind}_{zone}"]
            assert (box.title, box.zone) == (RANGES[kind][zone], f"us-east-1{zone}")
            assert box.notes == ("existing, not made by Tierra",)


def test_the_rehearsal_has_the_existing_network(
    environment: Callable[..., Environment],
) -> None:
    every = {VPC, *(each for kind in KINDS for each in IDS[kind].values())}
    assert set(facts(environment(network=NETWORK))["existing"]) == every
    routes = [{"to": "10.8.0.0/14", "via": "tgw-0123456789abcdef0"}]
    assert facts(environment(network={"routes": routes}))["existing"] == ["tgw-0123456789abcdef0"]


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in NETWORK.items() if name != key}


def with_ids(**changed: dict[str, str]) -> dict[str, Any]:
    return {**NETWORK, "existing": {"vpc": VPC, **IDS, **changed}}


@pytest.mark.parametrize(
    ("network", "rule"),
    [
        (without("cidr"), "cidr is required with network.existing"),
        (without("subnets"), "subnets is required with network.existing"),
        ({**NETWORK, "pods": "100.64.0.0/16"}, "pods must be left out with network.existing"),
        (
            {**NETWORK, "routes": [{"to": "10.8.0.0/14", "via": "tgw-0123456789abcdef0"}]},
            "routes must be left out with network.existing",
        ),
        (with_ids(private={"a": IDS["private"]["a"]}), "zone b has none"),
        (with_ids(private={**IDS["private"], "d": "subnet-0123456789abcdef0"}), "must be in the zones"),
        (with_ids(private=IDS["database"]), "each subnet must be listed once"),
        (with_ids(private={**IDS["private"], "a": "private-a"}), "must be the ID of a subnet"),
        ({**NETWORK, "existing": {**IDS, "vpc": "main"}}, "must be the ID of a VPC"),
    ],
)
def test_incomplete_or_changing_settings_of_an_existing_network_are_refused(
    environment: Callable[..., Environment], network: dict[str, Any], rule: str
) -> None:
    with pytest.raises(SpecError, match=rule):
        environment(network=network)
