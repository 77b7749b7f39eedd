"""Tests of the network tier: its generated Terraform."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network
from itertools import combinations
from typing import Any

import pytest
from conftest import Root

from modules.spec import Environment
from tierra.validation.errors import SpecError

KINDS = ("public", "private", "database")


def targets(network: Root, table: str) -> dict[str, dict[str, Any]]:
    """The routes of a table, by destination."""
    reference = f"${{aws_route_table.{table}.id}}"
    routes = network.all("aws_route").values()
    return {
        route["destination_cidr_block"]: route for route in routes if route["route_table_id"] == reference
    }


def rules(network: Root, way: str) -> dict[str, dict[str, Any]]:
    return network.all(f"aws_vpc_security_group_{way}_rule")


def test_every_zone_has_a_subnet_of_each_kind(network: Root) -> None:
    environment = network.environment
    expected = {
        f"{kind}_{zone}": (
            f"{environment.region}{zone}",
            str(getattr(environment.network.layout, kind)[zone]),
        )
        for kind in KINDS
        for zone in environment.network.zones
    }
    actual = {
        name: (subnet["availability_zone"], subnet["cidr_block"])
        for name, subnet in network.all("aws_subnet").items()
    }
    assert actual == expected


def test_subnets_are_disjoint_and_inside_the_vpc(network: Root) -> None:
    vpc = ip_network(network["aws_vpc.main"]["cidr_block"])
    ranges = [ip_network(subnet["cidr_block"]) for subnet in network.all("aws_subnet").values()]
    assert all(subnet.subnet_of(vpc) for subnet in ranges)
    assert not any(first.overlaps(second) for first, second in combinations(ranges, 2))


def test_vpc_and_nat_addresses_are_protected(network: Root) -> None:
    guarded = network.environment.protection
    kinds = ("vpc", "subnet", "db_subnet_group", "docdb_subnet_group", "elasticache_subnet_group", "eip")
    for kind in kinds:
        resources = network.all(f"aws_{kind}")
        assert resources
        for name, arguments in resources.items():
            assert arguments.get("lifecycle", {}).get("prevent_destroy", False) is guarded, f"{kind} {name}"


def test_no_subnet_assigns_public_addresses(network: Root) -> None:
    assert {subnet["map_public_ip_on_launch"] for subnet in network.all("aws_subnet").values()} == {False}


def test_subnets_have_the_tags_of_the_load_balancer_controller(network: Root) -> None:
    roles = {
        name: {key: value for key, value in subnet["tags"].items() if key.startswith("kubernetes.io/")}
        for name, subnet in network.all("aws_subnet").items()
    }
    for name, tags in roles.items():
        kind = name.split("_")[0]
        expected = {
            "public": {"kubernetes.io/role/elb": "1"},
            "private": {"kubernetes.io/role/internal-elb": "1"},
            "database": {},
        }
        assert tags == expected[kind], name


def test_no_tag_is_both_set_and_ignored(roots: dict[str, Root]) -> None:
    for root in roots.values():
        [ignored] = root.body["provider"]["aws"][0]["ignore_tags"]
        prefixes = tuple(ignored["key_prefixes"])
        for terraform_type, name, arguments in root.each():
            clashing = [key for key in arguments.get("tags", {}) if key.startswith(prefixes)]
            assert not clashing, f"{terraform_type}.{name}: would be a difference in every plan"


def test_database_subnets_have_no_route_to_the_internet(network: Root) -> None:
    assert targets(network, "database") == {}
    for zone in network.environment.network.zones:
        association = network[f"aws_route_table_association.database_{zone}"]
        assert association["route_table_id"] == "${aws_route_table.database.id}"
    assert "route" not in network["aws_route_table.database"]


def test_every_subnet_has_one_route_table(network: Root) -> None:
    tied = sorted(tie["subnet_id"] for tie in network.all("aws_route_table_association").values())
    assert tied == sorted(f"${{aws_subnet.{name}.id}}" for name in network.all("aws_subnet"))


def test_private_subnets_route_to_nat_and_public_ones_to_the_internet_gateway(network: Root) -> None:
    settings = network.environment.network
    public = targets(network, "public")["0.0.0.0/0"]
    assert public["gateway_id"] == "${aws_internet_gateway.main.id}"
    for zone in settings.zones:
        nat = zone if settings.nat == "zone" else settings.zones[0]
        route = targets(network, f"private_{zone}")["0.0.0.0/0"]
        assert route["nat_gateway_id"] == f"${{aws_nat_gateway.{nat}.id}}"
        assert network[f"aws_route_table_association.private_{zone}"] == {
            "subnet_id": f"${{aws_subnet.private_{zone}.id}}",
            "route_table_id": f"${{aws_route_table.private_{zone}.id}}",
        }


def test_each_nat_gateway_is_in_the_public_subnet_of_its_zone(network: Root) -> None:
    settings = network.environment.network
    zones = set(settings.zones) if settings.nat == "zone" else {settings.zones[0]}
    assert set(network.all("aws_nat_gateway")) == zones
    for zone in zones:
        gateway = network[f"aws_nat_gateway.{zone}"]
        assert gateway["subnet_id"] == f"${{aws_subnet.public_{zone}.id}}"
        assert gateway["allocation_id"] == f"${{aws_eip.nat_{zone}.allocation_id}}"
        assert gateway["depends_on"] == ["aws_internet_gateway.main"]


def test_default_objects_of_the_vpc_are_adopted_and_empty(network: Root) -> None:
    group = network["aws_default_security_group.main"]
    assert "ingress" not in group
    assert "egress" not in group
    assert network["aws_default_route_table.main"]["route"] == []
    access_list = network["aws_default_network_acl.main"]
    assert "ingress" not in access_list
    assert "egress" not in access_list


def test_every_subnet_has_the_network_acl_of_its_kind(network: Root) -> None:
    for kind in KINDS:
        expected = [f"${{aws_subnet.{kind}_{zone}.id}}" for zone in network.environment.network.zones]
        assert network[f"aws_network_acl.{kind}"]["subnet_ids"] == expected


def test_network_acl_entries_have_unique_ordered_numbers(network: Root) -> None:
    numbers = [
        (rule["network_acl_id"], rule["egress"], rule["rule_number"])
        for rule in network.all("aws_network_acl_rule").values()
    ]
    assert len(numbers) == len(set(numbers))


def test_only_replies_from_outside_the_vpc_reach_database_subnets(network: Root) -> None:
    inbound = {
        name: rule
        for name, rule in network.all("aws_network_acl_rule").items()
        if rule["network_acl_id"] == "${aws_network_acl.database.id}" and not rule["egress"]
    }
    vpc = network["aws_vpc.main"]["cidr_block"]
    beyond = {
        name: (rule["from_port"], rule["to_port"])
        for name, rule in inbound.items()
        if rule["cidr_block"] != vpc
    }
    assert beyond == {"database_in_answers": (1024, 3388), "database_in_answers_above": (3390, 65535)}


def test_network_acls_block_remote_administration_from_the_internet(network: Root) -> None:
    for name, rule in network.all("aws_network_acl_rule").items():
        if rule["egress"] or rule["cidr_block"] != "0.0.0.0/0" or rule["protocol"] not in ("tcp", "-1"):
            continue
        for port in (22, 3389):
            first, last = (rule["from_port"], rule["to_port"]) if rule["protocol"] == "tcp" else (0, 65535)
            assert not first <= port <= last, name


def test_security_groups_have_no_inline_rules(network: Root) -> None:
    for name, group in network.all("aws_security_group").items():
        assert "ingress" not in group, name
        assert "egress" not in group, name
        assert group["lifecycle"]["create_before_destroy"] is True
        assert group["name_prefix"].endswith("-")
    assert "aws_security_group_rule" not in network.body["resource"]


@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_every_security_group_rule_has_a_description_and_one_peer(network: Root, way: str) -> None:
    for name, rule in rules(network, way).items():
        assert re.fullmatch(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{10,255}", rule["description"]), name
        assert rule["tags"]["Name"].endswith(name.replace("_", "-"))
        assert ("cidr_ipv4" in rule) != ("referenced_security_group_id" in rule), name


def test_only_the_load_balancer_is_open_to_the_internet(network: Root) -> None:
    world = {
        (rule["security_group_id"], rule["from_port"], rule["to_port"], rule["ip_protocol"])
        for rule in rules(network, "ingress").values()
        if rule.get("cidr_ipv4")
    }
    group = "${aws_security_group.load_balancer.id}"
    assert world == {(group, 80, 80, "tcp"), (group, 443, 443, "tcp")}


def test_the_load_balancer_reaches_only_kong(network: Root) -> None:
    reached = {
        (rule["referenced_security_group_id"], rule["from_port"])
        for rule in rules(network, "egress").values()
        if rule["security_group_id"] == "${aws_security_group.load_balancer.id}"
    }
    node = "${aws_security_group.node.id}"
    assert reached == {(node, 8000), (node, 8100)}


@pytest.mark.parametrize(("group", "port"), [("postgres", 5432), ("redis", 6379), ("documentdb", 27017)])
def test_databases_only_accept_nodes_and_have_no_egress(network: Root, group: str, port: int) -> None:
    own = f"${{aws_security_group.{group}.id}}"
    heard = [rule for rule in rules(network, "ingress").values() if rule["security_group_id"] == own]
    assert [(rule["referenced_security_group_id"], rule["from_port"], rule["to_port"]) for rule in heard] == [
        ("${aws_security_group.node.id}", port, port)
    ]
    assert not [rule for rule in rules(network, "egress").values() if rule["security_group_id"] == own]


def test_nodes_and_runners_only_reach_the_internet_on_443(network: Root) -> None:
    world = [rule for rule in rules(network, "egress").values() if rule.get("cidr_ipv4")]
    assert [(rule["security_group_id"], rule["from_port"], rule["to_port"]) for rule in world] == [
        ("${aws_security_group.node.id}", 443, 443),
        ("${aws_security_group.runner.id}", 443, 443),
    ]


def test_runners_reach_the_kubernetes_api_and_endpoints_but_no_database(network: Root) -> None:
    runner = "${aws_security_group.runner.id}"
    reached = {
        (rule.get("referenced_security_group_id", rule.get("cidr_ipv4")), rule["from_port"])
        for rule in rules(network, "egress").values()
        if rule["security_group_id"] == runner
    }
    endpoints = network.environment.network.endpoints == "all"
    assert reached == {
        ("${aws_security_group.control_plane.id}", 443),
        ("0.0.0.0/0", 443),
        *([("${aws_security_group.endpoint.id}", 443)] if endpoints else []),
    }
    assert not [rule for rule in rules(network, "ingress").values() if rule["security_group_id"] == runner]
    assert network.body["output"]["runner_security_group_id"]["value"] == runner


def test_admin_cidrs_only_reach_the_kubernetes_api_and_endpoints(
    variant: Callable[..., dict[str, Root]],
) -> None:
    settings = {"endpoints": "all", "reserved": ["10.8.0.0/16"], "admin_cidrs": ["10.8.0.0/22"]}
    network = variant(network=settings)["network"]
    heard = {
        (rule["security_group_id"], rule["from_port"], rule["to_port"])
        for rule in rules(network, "ingress").values()
        if rule.get("cidr_ipv4") == "10.8.0.0/22"
    }
    assert heard == {
        ("${aws_security_group.control_plane.id}", 443, 443),
        ("${aws_security_group.endpoint.id}", 443, 443),
    }
    assert "control_plane_from_10_8_0_0_22_443" in rules(network, "ingress")
    plain = variant(environment="plain")["network"]
    added = network.all("aws_network_acl_rule").keys() - plain.all("aws_network_acl_rule").keys()
    assert added == {f"private_in_https_{block}" for block in ("10_0_0_0", "172_16_0_0", "192_168_0_0")}
    assert {network[f"aws_network_acl_rule.{name}"]["from_port"] for name in added} == {443}


ROUTES = [
    {"to": "10.8.0.0/14", "via": "tgw-0123456789abcdef0"},
    {"to": "10.12.0.0/16", "via": "tgw-0123456789abcdef0"},
    {"to": "192.168.0.0/16", "via": "vgw-0123456789abcdef0"},
    {"to": "10.0.0.0/8", "via": "pcx-0123456789abcdef0"},
]


def test_routes_to_other_networks_are_in_private_tables_after_their_attachments(
    variant: Callable[..., dict[str, Root]],
) -> None:
    network = variant(network={"routes": ROUTES, "admin_cidrs": ["10.9.0.0/22"]})["network"]
    transit, vpn = "aws_ec2_transit_gateway_vpc_attachment", "aws_vpn_gateway_attachment"
    for zone in network.environment.network.zones:
        routes = targets(network, f"private_{zone}")
        del routes["0.0.0.0/0"]
        ways = {
            to: (
                route.get("transit_gateway_id")
                or route.get("gateway_id")
                or route["vpc_peering_connection_id"]
            )
            for to, route in routes.items()
        }
        assert ways == {each["to"]: each["via"] for each in ROUTES}
        after = {to: route.get("depends_on") for to, route in routes.items()}
        assert after == {
            "10.8.0.0/14": [f"{transit}.tgw_0123456789abcdef0"],
            "10.12.0.0/16": [f"{transit}.tgw_0123456789abcdef0"],
            "192.168.0.0/16": [f"{vpn}.vgw_0123456789abcdef0"],
            "10.0.0.0/8": None,
        }
    assert targets(network, "database") == {}
    assert targets(network, "public").keys() == {"0.0.0.0/0"}
    [attachment] = network.all(transit).values()
    zones = network.environment.network.zones
    assert attachment["subnet_ids"] == [f"${{aws_subnet.private_{zone}.id}}" for zone in zones]
    assert list(network.all(vpn)) == ["vgw_0123456789abcdef0"]


def test_pod_subnets_have_the_routes_of_private_ones(
    variant: Callable[..., dict[str, Root]],
) -> None:
    network = variant(network={"pods": "100.64.0.0/16"})["network"]
    plain = variant(environment="plain")["network"]
    block = network["aws_vpc_ipv4_cidr_block_association.pods"]
    assert (block["vpc_id"], block["cidr_block"]) == ("${aws_vpc.main.id}", "100.64.0.0/16")
    ranges = {"a": "100.64.0.0/19", "b": "100.64.32.0/19", "c": "100.64.64.0/19"}
    for zone, cidr in ranges.items():
        subnet = network[f"aws_subnet.pods_{zone}"]
        assert subnet["cidr_block"] == cidr
        assert subnet["depends_on"] == ["aws_vpc_ipv4_cidr_block_association.pods"]
        assert not [tag for tag in subnet["tags"] if tag.startswith("kubernetes.io/")], "no load balancers"
        tie = network[f"aws_route_table_association.pods_{zone}"]
        assert tie["route_table_id"] == f"${{aws_route_table.private_{zone}.id}}"
        assert f"${{aws_subnet.pods_{zone}.id}}" in network["aws_network_acl.private"]["subnet_ids"]
    for name in ("public_in", "private_in", "database_in", "database_out"):
        rule = network[f"aws_network_acl_rule.{name}_pods"]
        assert (rule["cidr_block"], rule["rule_number"]) == ("100.64.0.0/16", 50)
    for kind in ("aws_subnet", "aws_network_acl_rule"):
        both = network.all(kind).keys() & plain.all(kind).keys()
        assert both == plain.all(kind).keys()
        for name in both:
            with_pods, without_pods = network[f"{kind}.{name}"], plain[f"{kind}.{name}"]
            assert {**with_pods, "tags": 0} == {**without_pods, "tags": 0}, f"{kind}.{name} would be replaced"


@pytest.mark.parametrize(
    ("network", "rule"),
    [
        ({"pods": "192.168.0.0/16"}, "must be inside 100.64.0.0/10 or 10.0.0.0/8"),
        ({"pods": "203.0.0.0/16"}, "must be inside"),
        ({"pods": "100.64.0.0/20"}, "the range of pods must be /16 to /19"),
        ({"pods": "10.20.128.0/17"}, "must not overlap the VPC range"),
        ({"pods": "100.64.0.0/16", "reserved": ["100.64.0.0/10"]}, "which is routed elsewhere"),
        ({"pods": "10.0.0.0/16", "cidr": "10.1.0.0/16"}, "must not overlap 10.0.0.0/16"),
        ({"pods": "172.31.0.0/16", "cidr": "172.18.0.0/16"}, "must not overlap 172.31.0.0/16"),
        ({"pods": "172.20.0.0/16", "cidr": "172.18.0.0/16"}, "the range of Kubernetes services"),
        (
            {"pods": "100.64.0.0/16", "routes": [{"to": "100.64.8.0/24", "via": "pcx-0123456789abcdef0"}]},
            "must not overlap the VPC range 100.64.0.0/16",
        ),
        ({"cidr": "10.20.0.0/20"}, "or give pods a separate range"),
        ({"cidr": "10.20.0.0/23", "pods": "100.64.0.0/16"}, "the VPC range must be /16 to /22"),
    ],
)
def test_invalid_pod_ranges_are_refused(
    environment: Callable[..., Environment], network: dict[str, Any], rule: str
) -> None:
    with pytest.raises(SpecError, match=rule):
        environment(network=network)


@pytest.mark.parametrize("cidr", ["10.20.0.0/20", "10.20.0.0/21", "10.20.0.0/22"])
def test_a_small_network_has_large_enough_subnets(environment: Callable[..., Environment], cidr: str) -> None:
    layout = environment(network={"cidr": cidr, "pods": "100.64.0.0/16"}).network.layout
    ranges = [each for kind in KINDS for each in getattr(layout, kind).values()]
    assert all(each.subnet_of(ip_network(cidr)) for each in ranges)
    assert not any(first.overlaps(second) for first, second in combinations(ranges, 2))
    assert max(each.prefixlen for each in layout.private.values()) <= 26
    assert max(each.prefixlen for each in (*layout.public.values(), *layout.database.values())) <= 27


@pytest.mark.parametrize(
    ("routes", "rule"),
    [
        (
            [{"to": "10.20.8.0/24", "via": "tgw-0123456789abcdef0"}],
            "must not overlap the VPC range",
        ),
        (
            [{"to": "10.20.0.0/16", "via": "tgw-0123456789abcdef0"}],
            "must not overlap the VPC range",
        ),
        ([{"to": "0.0.0.0/0", "via": "tgw-0123456789abcdef0"}], "the default route belongs to network.nat"),
        ([{"to": "169.254.8.0/24", "via": "tgw-0123456789abcdef0"}], "which AWS reserves"),
        ([{"to": "10.8.0.0/14", "via": "igw-0123456789abcdef0"}], "must lead to a transit gateway"),
        ([ROUTES[0], ROUTES[0]], "must have only one route"),
        ([ROUTES[2], {"to": "10.8.0.0/14", "via": "vgw-0123456789abcdef1"}], "at most one virtual private"),
        (
            [{"to": f"10.{each}.0.0/16", "via": f"tgw-0123456789abcde{each:02}"} for each in range(30, 36)],
            "at most 5 transit gateways",
        ),
        (
            [{"to": f"10.{each}.0.0/16", "via": ROUTES[3]["via"]} for each in range(30, 71)],
            "at most 40 routes",
        ),
    ],
)
def test_invalid_routes_are_refused(
    environment: Callable[..., Environment], routes: list[dict[str, str]], rule: str
) -> None:
    with pytest.raises(SpecError, match=rule):
        environment(network={"routes": routes})


def test_rules_between_security_groups_exist_on_both_sides(network: Root) -> None:
    def ends(way: str, own: str, peer: str) -> set[tuple[Any, ...]]:
        return {
            (rule[own], rule[peer], rule.get("from_port"), rule["ip_protocol"])
            for rule in rules(network, way).values()
            if peer in rule and own in rule
        }

    heard = ends("ingress", "referenced_security_group_id", "security_group_id")
    spoken = ends("egress", "security_group_id", "referenced_security_group_id")
    assert heard == spoken


def test_flow_logs_cover_all_traffic_by_minute_and_are_encrypted(network: Root) -> None:
    log = network["aws_flow_log.main"]
    assert (log["traffic_type"], log["max_aggregation_interval"]) == ("ALL", 60)
    group = network["aws_cloudwatch_log_group.flow"]
    assert group["kms_key_id"] == "${aws_kms_key.logs.arn}"
    assert group["retention_in_days"] == network.environment.network.flow_log_days
    assert group["deletion_protection_enabled"] == network.environment.protection


def test_only_flow_logs_of_this_account_assume_their_role(network: Root) -> None:
    account, region = network.environment.account, network.environment.region
    assert network.statements("aws_iam_role.flow_log", "assume_role_policy") == {
        "ServiceMayAssume": {
            "Effect": "Allow",
            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{region}:{account}:vpc-flow-log/*"},
                "StringEquals": {"aws:SourceAccount": account},
            },
        }
    }


def test_flow_logs_only_write_to_their_log_group(network: Root) -> None:
    account, region = network.environment.account, network.environment.region
    name = network["aws_cloudwatch_log_group.flow"]["name"]
    group = f"arn:aws:logs:{region}:{account}:log-group:{name}"
    statements = network.statements("aws_iam_role_policy.flow_log")
    writers = {sid for sid, each in statements.items() if "logs:PutLogEvents" in each["Action"]}
    assert writers == {"WriteToTheLogGroup"}
    assert statements["WriteToTheLogGroup"]["Resource"] == [group, f"{group}:*"]


def test_the_logs_key_is_for_log_groups_of_this_account_only(network: Root) -> None:
    account, region = network.environment.account, network.environment.region
    assert network.statements("aws_kms_key.logs") == {
        "AccountAdministersThroughIam": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        "CloudWatchLogsEncrypts": {
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{region}.amazonaws.com"},
            "Action": [
                "kms:Encrypt*",
                "kms:Decrypt*",
                "kms:ReEncrypt*",
                "kms:GenerateDataKey*",
                "kms:Describe*",
            ],
            "Resource": "*",
            "Condition": {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account}:log-group:*"
                }
            },
        },
    }


def test_private_and_database_subnets_have_the_s3_gateway_endpoint(network: Root) -> None:
    endpoint = network["aws_vpc_endpoint.s3"]
    zones = network.environment.network.zones
    tables = [*(f"private_{zone}" for zone in zones), "database"]
    assert endpoint["vpc_endpoint_type"] == "Gateway"
    assert endpoint["route_table_ids"] == [f"${{aws_route_table.{table}.id}}" for table in tables]


def test_the_s3_endpoint_only_allows_writes_in_the_account(network: Root) -> None:
    statements = network.statements("aws_vpc_endpoint.s3")
    writing = {sid: each for sid, each in statements.items() if each["Action"] == "s3:*"}
    assert {sid: each["Condition"] for sid, each in writing.items()} == {
        "WriteToBucketsOfThisAccount": {"StringEquals": {"aws:ResourceAccount": network.environment.account}}
    }
    [reading] = [each for sid, each in statements.items() if sid not in writing]
    assert reading["Action"] == ["s3:GetObject*", "s3:ListBucket*"]


def test_interface_endpoints_are_in_private_subnets_and_admit_only_nodes(network: Root) -> None:
    interfaces = {
        name: endpoint
        for name, endpoint in network.all("aws_vpc_endpoint").items()
        if endpoint["vpc_endpoint_type"] == "Interface"
    }
    if network.environment.network.endpoints == "gateway":
        assert interfaces == {}
        assert "endpoint" not in network.all("aws_security_group")
        return
    assert {"ecr_api", "ecr_dkr", "sts", "logs", "kms", "ssm", "secretsmanager", "eks_auth", "xray"} <= set(
        interfaces
    )
    for name, endpoint in interfaces.items():
        assert endpoint["private_dns_enabled"] is True, name
        assert endpoint["security_group_ids"] == ["${aws_security_group.endpoint.id}"], name
        subnets = [f"${{aws_subnet.private_{zone}.id}}" for zone in network.environment.network.zones]
        assert endpoint["subnet_ids"] == subnets, name
    heard = [
        (rule["referenced_security_group_id"], rule["from_port"])
        for rule in rules(network, "ingress").values()
        if rule["security_group_id"] == "${aws_security_group.endpoint.id}"
    ]
    assert heard == [("${aws_security_group.node.id}", 443), ("${aws_security_group.runner.id}", 443)]


def test_endpoints_have_the_service_names_of_the_region(variant: Callable[..., dict[str, Root]]) -> None:
    root = variant(region="cn-north-1", network={"endpoints": "all"})["network"]
    names = {name: each["service_name"] for name, each in root.all("aws_vpc_endpoint").items()}
    assert names["ecr_api"] == "cn.com.amazonaws.cn-north-1.ecr.api"
    assert names["sts"] == "cn.com.amazonaws.cn-north-1.sts"
    assert names["kms"] == "com.amazonaws.cn-north-1.kms"
    assert names["s3"] == "com.amazonaws.cn-north-1.s3"


def test_no_endpoint_exists_for_an_unused_service(network: Root) -> None:
    assert not {"aps_workspaces", "ec2messages"} & network.all("aws_vpc_endpoint").keys()


def test_subnet_groups_have_all_database_subnets_and_unique_names(network: Root) -> None:
    groups = [
        network["aws_db_subnet_group.postgres"],
        network["aws_elasticache_subnet_group.redis"],
        network["aws_docdb_subnet_group.documentdb"],
    ]
    subnets = [f"${{aws_subnet.database_{zone}.id}}" for zone in network.environment.network.zones]
    assert [group["subnet_ids"] for group in groups] == [subnets] * 3
    assert len({group["name"] for group in groups}) == 3


def test_adding_a_zone_does_not_change_the_others(
    variant: Callable[..., dict[str, Root]],
) -> None:
    before = variant(network={"zones": ["a", "b"]})["network"]
    after = variant(network={"zones": ["a", "b", "c"]})["network"]
    kinds = (
        "aws_subnet",
        "aws_route_table",
        "aws_route",
        "aws_nat_gateway",
        "aws_eip",
        "aws_route_table_association",
    )
    for kind in kinds:
        unchanged = {name: after.all(kind)[name] for name in before.all(kind)}
        assert unchanged == before.all(kind)


def test_own_subnet_ranges_are_used_unchanged(variant: Callable[..., dict[str, Root]]) -> None:
    chosen = {
        "public": {"a": "10.20.200.0/26", "b": "10.20.200.64/26"},
        "private": {"a": "10.20.0.0/20", "b": "10.20.16.0/20"},
        "database": {"a": "10.20.201.0/27", "b": "10.20.201.32/27"},
    }
    network = variant(network={"zones": ["a", "b"], "subnets": chosen})["network"]
    actual = {name: subnet["cidr_block"] for name, subnet in network.all("aws_subnet").items()}
    assert actual == {
        f"{kind}_{zone}": cidr for kind, zones in chosen.items() for zone, cidr in zones.items()
    }


def test_an_internal_load_balancer_keeps_its_security_group_without_internet_access(
    variant: Callable[..., dict[str, Root]],
) -> None:
    """A new description would replace the group while the load balancer of another tier uses it."""
    groups = [
        variant(environment=scheme, edge={"scheme": scheme})["network"]["aws_security_group.load_balancer"]
        for scheme in ("internet", "internal")
    ]
    assert groups[0]["description"] == "Load balancer, the only door from the internet"
    assert "internet" not in groups[1]["description"]
    for each in groups:
        assert each["lifecycle"] == {"create_before_destroy": True, "ignore_changes": ["description"]}
