"""EC2: networks, addresses, gateways, routes, security groups, network ACLs, endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from rehearsal.refusals.rules import (
    CREATE,
    DELETE,
    GROUPS,
    SUBNETS,
    Rule,
    blocks,
    changed,
    find_object,
    foreign_groups,
    networks,
    others,
    texts,
    used_by,
    zones,
)
from tierra.aws.transition_answers import Around, Values

VPCS = ("aws_vpc", "aws_default_vpc")
MORE_BLOCKS = "aws_vpc_ipv4_cidr_block_association"
GATEWAY, ATTACHED = "aws_internet_gateway", "aws_internet_gateway_attachment"
TABLES = ("aws_route_table", "aws_default_route_table")
RULES_IN, RULES_OUT = "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"
DESTINATIONS = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")
NETWORK_SIZES = range(16, 29)  # page vpc/latest/userguide/vpc-cidr-blocks.html
# Quotas of a new account: page vpc/latest/userguide/amazon-vpc-limits.html.
QUOTAS = {
    "aws_eip": (5, "AddressLimitExceeded: The maximum number of addresses has been reached."),
    "aws_vpc": (5, "VpcLimitExceeded: The maximum number of VPCs has been reached."),
    GATEWAY: (5, "InternetGatewayLimitExceeded: The maximum number of internet gateways has been reached."),
}
NAT_GATEWAYS = 5  # in a zone
RULES_OF_A_GROUP = 60
# No region has more zones: page global-infrastructure/latest/regions/aws-availability-zones.html
LETTERS = "abcdef"
ACL_RULES, TAGS = 20, 50
TAGGED = (
    *("aws_vpc", "aws_subnet", "aws_security_group", "aws_route_table", "aws_internet_gateway", "aws_eip"),
    *("aws_nat_gateway", "aws_network_acl", "aws_vpc_endpoint", "aws_instance", "aws_ebs_volume"),
    *("aws_key_pair", "aws_launch_template", "aws_flow_log"),
    *("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"),
)


def network(text: Any) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text) if isinstance(text, str) else None
    except ValueError:
        return None


def inside(inner: Any, outer: Any) -> bool:
    return inner.version == outer.version and bool(inner.subnet_of(outer))


def overlap(first: Any, second: Any) -> bool:
    return first.version == second.version and bool(first.overlaps(second))


def vpc_blocks(around: Around, vpc_id: Any) -> list[IPv4Network | IPv6Network] | None:
    """The IPv4 blocks of a VPC; None unless all are known."""
    vpc = find_object(around, VPCS, "id", vpc_id)
    if vpc is None:
        return None
    given = [vpc.get("cidr_block")]
    given += [block.get("cidr_block") for block in around(MORE_BLOCKS) if block.get("vpc_id") == vpc_id]
    known = [block for block in map(network, given) if block is not None]
    return known if len(known) == len(given) else None


def subnet_range(_was: Values, now: Values, around: Around) -> str:
    mine, whole = network(now.get("cidr_block")), vpc_blocks(around, now.get("vpc_id"))
    if mine is None:
        return ""
    fits = mine.prefixlen in NETWORK_SIZES and (whole is None or any(inside(mine, block) for block in whole))
    return "" if fits else f"InvalidSubnet.Range: The CIDR '{mine}' is invalid."


def subnet_conflict(_was: Values, now: Values, around: Around) -> str:
    mine = network(now.get("cidr_block"))
    for subnet in others(around, "aws_subnet", now):
        its = network(subnet.get("cidr_block"))
        if mine and its and subnet.get("vpc_id") == now.get("vpc_id") and overlap(mine, its):
            return f"InvalidSubnet.Conflict: The CIDR '{mine}' conflicts with another subnet"
    return ""


def subnet_zone(_was: Values, now: Values, _around: Around) -> str:
    zone, region = now.get("availability_zone"), now.get("region")
    if not isinstance(zone, str) or not isinstance(region, str) or zone.startswith(region):
        return ""
    return f"InvalidParameterValue: Value ({zone}) for parameter availabilityZone is invalid."


def more_blocks(_was: Values, now: Values, around: Around) -> str:
    mine = network(now.get("cidr_block"))
    vpc = find_object(around, VPCS, "id", now.get("vpc_id"))
    if mine is None or vpc is None:
        return ""
    if mine.prefixlen not in NETWORK_SIZES:
        return f"InvalidVpc.Range: The CIDR '{mine}' is invalid."
    rest = [block for block in others(around, MORE_BLOCKS, now) if block.get("vpc_id") == now.get("vpc_id")]
    for its in (network(block.get("cidr_block")) for block in (vpc, *rest)):
        if its and overlap(mine, its):
            return f"CidrConflict: The CIDR '{mine}' conflicts with another CIDR block of {now['vpc_id']}"
    return ""


def vpc_range(_was: Values, now: Values, _around: Around) -> str:
    mine = network(now.get("cidr_block"))
    refused = mine is not None and mine.prefixlen not in NETWORK_SIZES
    return f"InvalidVpc.Range: The CIDR '{mine}' is invalid." if refused else ""


def quota(type_name: str) -> Any:
    most, words = QUOTAS[type_name]

    def answer(_was: Values, now: Values, around: Around) -> str:
        return words if len(list(others(around, type_name, now))) >= most else ""

    return answer


def gateways(around: Around, vpc_id: str) -> list[Values]:
    return [
        gateway
        for type_name in (GATEWAY, ATTACHED)
        for gateway in around(type_name)
        if gateway.get("vpc_id") == vpc_id
    ]


def gateway_network(around: Around, gateway_id: Any) -> str | None:
    """The VPC that a gateway is attached to; None if that is unknown."""
    attached = find_object(around, ATTACHED, "internet_gateway_id", gateway_id)
    gateway = find_object(around, (GATEWAY, "aws_egress_only_internet_gateway"), "id", gateway_id)
    vpc = (attached or gateway or {}).get("vpc_id")
    return vpc if isinstance(vpc, str) else None


def second_gateway(_was: Values, now: Values, around: Around) -> str:
    vpc = now.get("vpc_id")
    if not isinstance(vpc, str) or not any(
        gateway.get("id") != now.get("id") for gateway in gateways(around, vpc)
    ):
        return ""
    return f"InvalidParameterValue: Network {vpc} already has an internet gateway attached"


def nat_address(_was: Values, now: Values, around: Around) -> str:
    address = now.get("allocation_id")
    if not isinstance(address, str):
        return ""
    users = [
        gateway
        for type_name in ("aws_nat_gateway", "aws_eip_association")
        for gateway in others(around, type_name, now)
        if gateway.get("allocation_id") == address
    ]
    words = f"Resource.AlreadyAssociated: Elastic IP address [{address}] is already associated"
    return words if users else ""


def nat_without_gateway(_was: Values, now: Values, around: Around) -> str:
    if now.get("connectivity_type") == "private":
        return ""
    for vpc in networks(around, now.get("subnet_id")):
        if find_object(around, "aws_vpc", "id", vpc) and not gateways(around, vpc):
            return f"Gateway.NotAttached: Network {vpc} has no Internet gateway attached"
    return ""


def nat_quota(_was: Values, now: Values, around: Around) -> str:
    here = zones(around, texts(now.get("subnet_id")))
    if not here:
        return ""
    same = [
        gateway
        for gateway in others(around, "aws_nat_gateway", now)
        if zones(around, texts(gateway.get("subnet_id"))) == here
    ]
    refused = len(same) >= NAT_GATEWAYS
    return (
        f"NatGatewayLimitExceeded: The maximum number of NAT gateways in {here[0]} has been reached."
        if (refused)
        else ""
    )


def table_network(around: Around, table_id: Any) -> str | None:
    table = find_object(around, TABLES, "id", table_id)
    vpc = table and table.get("vpc_id")
    return vpc if isinstance(vpc, str) else None


def routes_of(now: Values) -> Iterator[tuple[Any, Values]]:
    """The routes of a route, a route table or a default route table, each with the id of its table."""
    if "route_table_id" in now and "route" not in now:
        yield now.get("route_table_id"), now
    for route in blocks(now, "route"):
        yield now.get("id"), route


def route_network(was: Values, now: Values, around: Around) -> str:
    if not changed(was, now, "route", "gateway_id", "nat_gateway_id"):
        return ""
    for table, route in routes_of(now):
        vpc = now.get("vpc_id") if "route" in now else table_network(around, table)
        gateway = route.get("gateway_id") or route.get("egress_only_gateway_id")
        attached = gateway_network(around, gateway)
        if isinstance(vpc, str) and attached and attached != vpc:
            both = f"route table {table if isinstance(table, str) else ''} and network gateway {gateway}"
            return f"InvalidParameterValue: {both} belong to different networks"
        nat = find_object(around, "aws_nat_gateway", "id", route.get("nat_gateway_id"))
        its = networks(around, nat and nat.get("subnet_id"))
        if isinstance(vpc, str) and its and vpc not in its:
            both = (
                f"route table {table if isinstance(table, str) else ''} and NAT gateway {nat and nat['id']}"
            )
            return f"InvalidParameterValue: {both} belong to different networks"
    return ""


def route_gateway(_was: Values, now: Values, around: Around) -> str:
    for _, route in routes_of(now):
        gateway = find_object(around, GATEWAY, "id", route.get("gateway_id"))
        attached = gateway and find_object(around, ATTACHED, "internet_gateway_id", gateway.get("id"))
        if gateway and gateway.get("vpc_id") in (None, "") and not attached:
            return f"Gateway.NotAttached: resource {gateway['id']} is not attached to a network"
    return ""


def same_route(_was: Values, now: Values, around: Around) -> str:
    goal = next((now[name] for name in DESTINATIONS if isinstance(now.get(name), str) and now[name]), None)
    table = find_object(around, TABLES, "id", now.get("route_table_id"))
    inline = blocks(table or {}, "route")
    there = list(others(around, "aws_route", now))
    same = [
        route
        for route in there
        if route.get("route_table_id") == now.get("route_table_id")
        and goal in [route.get(name) for name in DESTINATIONS]
    ]
    names = ("cidr_block", "ipv6_cidr_block", "destination_prefix_list_id")
    same += [route for route in inline if goal in [route.get(name) for name in names]]
    return f"RouteAlreadyExists: The route identified by {goal} already exists." if goal and same else ""


def association(was: Values, now: Values, around: Around) -> str:
    table, subnet, gateway = now.get("route_table_id"), now.get("subnet_id"), now.get("gateway_id")
    argument, target = (
        ("subnet_id", subnet) if isinstance(subnet, str) and subnet else ("gateway_id", gateway)
    )
    if not isinstance(target, str) or not target or not changed(was, now, "route_table_id", argument):
        return ""
    vpc, its = table_network(around, table), networks(around, subnet)
    if vpc and its and vpc not in its:
        return f"InvalidParameterValue: route table {table} and subnet {subnet} belong to different networks"
    if not was and any(
        association.get(argument) == target
        for association in others(around, "aws_route_table_association", now)
    ):
        return (
            f"Resource.AlreadyAssociated: the specified association for route table {table} conflicts with an"
            " existing association"
        )
    return ""


# The format of a flow log that names none: vpc/latest/userguide/flow-logs.html, Default format.
AWS_LOG_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol}"
    " ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)


def same_flow_log(_was: Values, now: Values, around: Around) -> str:
    names = ("vpc_id", "log_destination", "traffic_type")
    known = all(isinstance(now.get(name), str) and now[name] for name in names)
    given = now.get("log_format")
    wanted = {name: now.get(name) for name in (*names, "destination_options", "max_aggregation_interval")}
    wanted["log_format"] = given if isinstance(given, str) else AWS_LOG_FORMAT
    for flow_log in others(around, "aws_flow_log", now):
        if known and all(flow_log.get(name) == value for name, value in wanted.items()):
            return (
                "FlowLogAlreadyExists: Error. There is an existing Flow Log with the same configuration and"
                " log destination."
            )
    return ""


def group_name(_was: Values, now: Values, _around: Around) -> str:
    reserved = now.get("name") == "default"
    return "InvalidGroup.Reserved: The security group name 'default' is reserved" if reserved else ""


def _peer(rule: Values) -> tuple[Any, ...]:
    names = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
    ports = tuple(None if rule.get(name) in (None, -1) else rule[name] for name in ("from_port", "to_port"))
    protocol = str(rule.get("ip_protocol"))
    return (rule.get("security_group_id"), protocol, *ports, *(rule.get(name) for name in names))


def same_rule(type_name: str) -> Any:
    def answer(was: Values, now: Values, around: Around) -> str:
        mine = _peer(now)
        if was and _peer(was) == mine:
            return ""
        peer = next((str(peer_) for peer_ in mine[4:] if isinstance(peer_, str)), "")
        if any(_peer(rule) == mine for rule in others(around, type_name, now)):
            rule = f"peer: {peer}, {mine[1].upper()}, from port: {mine[2]}, to port: {mine[3]}, ALLOW"
            return f'InvalidPermission.Duplicate: the specified rule "{rule}" already exists'
        return ""

    return answer


def rule_peer(_was: Values, now: Values, around: Around) -> str:
    """Groups of another VPC can be named over a peering or a transit gateway only."""
    own = find_object(around, GROUPS, "id", now.get("security_group_id"))
    peer = find_object(around, GROUPS, "id", now.get("referenced_security_group_id"))
    if own is None or peer is None or own.get("vpc_id") == peer.get("vpc_id"):
        return ""
    if any(any(around(type_name)) for type_name in ("aws_vpc_peering_connection", "aws_ec2_transit_gateway")):
        return ""
    words = "InvalidGroup.NotFound: You have specified two resources that belong to different networks:"
    return f"{words} {peer['id']}"


def rules_quota(type_name: str) -> Any:
    def answer(_was: Values, now: Values, around: Around) -> str:
        group = now.get("security_group_id")
        same = [rule for rule in others(around, type_name, now) if rule.get("security_group_id") == group]
        if not isinstance(group, str) or len(same) < RULES_OF_A_GROUP:
            return ""
        return (
            "RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been"
            " reached."
        )

    return answer


def groups_network(_was: Values, now: Values, around: Around) -> str:
    subnet = now.get("subnet_id")
    named = [*texts(now.get("vpc_security_group_ids")), *texts(now.get("security_groups"))]
    for group, _ in foreign_groups(around, named, networks(around, subnet)):
        return f"InvalidParameter: Security group {group} and subnet {subnet} belong to different networks."
    return ""


def acl_rule(_was: Values, now: Values, around: Around) -> str:
    names = ("network_acl_id", "rule_number")
    egress = bool(now.get("egress"))
    for rule in others(around, "aws_network_acl_rule", now):
        if all(rule.get(name) == now.get(name) for name in names) and bool(rule.get("egress")) == egress:
            number = now.get("rule_number")
            return (
                f"NetworkAclEntryAlreadyExists: The network acl entry identified by {number} already exists."
            )
    return ""


def endpoint_zones(was: Values, now: Values, around: Around) -> str:
    subnets = now.get("subnet_ids")
    here = zones(around, subnets)
    if not here or len(set(here)) == len(here) or not changed(was, now, "subnet_ids"):
        return ""
    second = next(subnet for subnet, zone in zip(subnets or [], here, strict=True) if here.count(zone) > 1)
    return (
        "DuplicateSubnetsInSameZone: Found another VPC endpoint subnet in the availability zone of"
        f" {second}. VPC endpoint subnets should be in different availability zones supported by the VPC"
        " endpoint service."
    )


def endpoint_names(was: Values, now: Values, around: Around) -> str:
    vpc = find_object(around, "aws_vpc", "id", now.get("vpc_id"))
    if (
        vpc is None
        or now.get("private_dns_enabled") is not True
        or not changed(was, now, "private_dns_enabled")
    ):
        return ""
    if False in (vpc.get("enable_dns_support"), vpc.get("enable_dns_hostnames")):
        return (
            "InvalidParameter: Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC"
            f" attributes set to true for {vpc['id']}"
        )
    for endpoint in others(around, "aws_vpc_endpoint", now):
        same = all(endpoint.get(name) == now.get(name) for name in ("vpc_id", "service_name"))
        if (
            same
            and endpoint.get("private_dns_enabled") is True
            and endpoint.get("vpc_endpoint_type") == "Interface"
        ):
            return (
                "InvalidParameter: private-dns-enabled cannot be set because there is already a conflicting"
                " DNS"
                f" domain for {now.get('service_name')} in the VPC {vpc['id']}"
            )
    return ""


def endpoint_route(_was: Values, now: Values, around: Around) -> str:
    tables = set(texts(now.get("route_table_ids")))
    for endpoint in others(around, "aws_vpc_endpoint", now):
        shared = tables & set(texts(endpoint.get("route_table_ids")))
        if shared and endpoint.get("service_name") == now.get("service_name"):
            table = sorted(shared)[0]
            return f"RouteAlreadyExists: route table {table} already has a route to {now['service_name']}"
    return ""


def endpoint_groups(_was: Values, now: Values, around: Around) -> str:
    vpc = now.get("vpc_id")
    for group, its in foreign_groups(
        around, now.get("security_group_ids"), {vpc} if isinstance(vpc, str) else set()
    ):
        return (
            f"InvalidParameter: Security group {group} of {its} and VPC {vpc} belong to different networks."
        )
    return ""


def dependents(types: tuple[tuple[str, str], ...], words: str) -> Any:
    return used_by(types, "id", words)


ERRORS = "page AWSEC2/latest/APIReference/errors-overview.html, "
VPC_LIMITS = "page vpc/latest/userguide/amazon-vpc-limits.html; "
NAT = "API ec2, NatGateway, FailureMessage"


def ports(was: Values, now: Values, _around: Around) -> str:
    first, last = now.get("from_port"), now.get("to_port")
    protocol = str(now.get("ip_protocol") or now.get("protocol")).lower()
    if protocol not in ("tcp", "udp", "6", "17") or not isinstance(first, int) or not isinstance(last, int):
        return ""
    if first <= last or not changed(was, now, "from_port", "to_port"):
        return ""
    return f"InvalidParameterValue: Invalid port range: {first} to {last}; the first port comes first"


def flow_log_role(was: Values, now: Values, _around: Around) -> str:
    kind = now.get("log_destination_type") or "cloud-watch-logs"
    if kind != "cloud-watch-logs" or texts(now.get("iam_role_arn")) or not changed(was, now, "iam_role_arn"):
        return ""
    return (
        "InvalidParameter: DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."
    )


def gateway_names(was: Values, now: Values, _around: Around) -> str:
    gateway = now.get("vpc_endpoint_type") in (None, "Gateway") and now.get("private_dns_enabled") is True
    if not gateway or not changed(was, now, "private_dns_enabled"):
        return ""
    return "InvalidParameter: Private DNS can be enabled for interface endpoints alone"


def zone_letter(_was: Values, now: Values, _around: Around) -> str:
    zone, region = now.get("availability_zone"), now.get("region")
    if not isinstance(zone, str) or not isinstance(region, str) or not zone.startswith(region):
        return ""
    letter = zone.removeprefix(region)
    if len(letter) != 1 or letter in LETTERS:
        return ""
    return (
        f"InvalidParameterValue: Value ({zone}) for parameter availabilityZone is invalid. Subnets can"
        f" currently be created in zones that {region} has."
    )


def acl_rules(_was: Values, now: Values, around: Around) -> str:
    acl, way = now.get("network_acl_id"), bool(now.get("egress"))
    same = [
        rule
        for rule in others(around, "aws_network_acl_rule", now)
        if rule.get("network_acl_id") == acl and bool(rule.get("egress")) == way
    ]
    if not isinstance(acl, str) or len(same) < ACL_RULES:
        return ""
    return (
        f"NetworkAclEntryLimitExceeded: The maximum number of network acl entries for {acl} has been reached."
    )


def tags(was: Values, now: Values, _around: Around) -> str:
    given = now.get("tags_all") or now.get("tags")
    if not isinstance(given, dict) or not changed(was, now, "tags_all", "tags"):
        return ""
    if len(given) > TAGS:
        return f"TagLimitExceeded: The maximum number of Tags for a resource is {TAGS}, got {len(given)}"
    for key in given:
        if key.lower().startswith("aws:"):
            return (
                "InvalidParameterValue: Tag keys starting with 'aws:' are reserved for system use: key"
                f" '{key}' must be changed"
            )
    return ""


RULES = (
    Rule(
        "subnet_range",
        ("aws_subnet",),
        "the range of a subnet must be inside a range of its VPC, and must be /16 to /28",
        "API ec2, CreateSubnet; " + ERRORS + "InvalidSubnet.Range",
        subnet_range,
        CREATE,
    ),
    Rule(
        "subnet_conflict",
        ("aws_subnet",),
        "the ranges of subnets must not overlap",
        "API ec2, CreateSubnet; " + ERRORS + "InvalidSubnet.Conflict",
        subnet_conflict,
        CREATE,
    ),
    Rule(
        "subnet_zone",
        ("aws_subnet", "aws_default_subnet", "aws_ebs_volume"),
        "the zone of a subnet or volume must be in its region",
        "openedx-unsupported/configuration#313 quotes the answer",
        subnet_zone,
        CREATE,
    ),
    Rule(
        "vpc_range",
        ("aws_vpc",),
        "the range of a VPC must be /16 to /28",
        ERRORS + "InvalidVpc.Range",
        vpc_range,
        CREATE,
    ),
    Rule(
        "vpc_more_blocks",
        (MORE_BLOCKS,),
        "a further range of a VPC must not overlap those that it has",
        ERRORS + "CidrConflict, InvalidVpc.Range",
        more_blocks,
        CREATE,
    ),
    *(
        Rule(
            f"quota_{name.removeprefix('aws_')}",
            (name,),
            f"a new account can have at most {most} `{name}` in a region",
            VPC_LIMITS + ERRORS + words.partition(":")[0],
            quota(name),
            CREATE,
        )
        for name, (most, words) in QUOTAS.items()
    ),
    Rule(
        "second_gateway",
        (GATEWAY, ATTACHED),
        "a VPC must have at most one internet gateway",
        "binlab/terraform-aws-vault-ha-raft#54 quotes the answer",
        second_gateway,
    ),
    Rule(
        "nat_address",
        ("aws_nat_gateway",),
        "an address must belong to at most one NAT gateway",
        NAT,
        nat_address,
        CREATE,
    ),
    Rule(
        "nat_without_gateway",
        ("aws_nat_gateway",),
        "a public NAT gateway must be created after the internet gateway of its VPC",
        NAT,
        nat_without_gateway,
        CREATE,
    ),
    Rule(
        "nat_quota",
        ("aws_nat_gateway",),
        f"a new account can have at most {NAT_GATEWAYS} NAT gateways in a zone",
        VPC_LIMITS + ERRORS + "NatGatewayLimitExceeded",
        nat_quota,
        CREATE,
    ),
    Rule(
        "route_network",
        ("aws_route", *TABLES),
        "a gateway and its route table must be in the same VPC",
        "smoketurner/serverless-vpc-plugin#147 and saltstack/salt#38791 quote the answers",
        route_network,
    ),
    Rule(
        "route_gateway",
        ("aws_route", *TABLES),
        "an internet gateway must be attached before a route leads to it",
        ERRORS + "Gateway.NotAttached",
        route_gateway,
    ),
    Rule(
        "same_route",
        ("aws_route",),
        "a route table must have at most one route to a destination",
        ERRORS + "RouteAlreadyExists",
        same_route,
        CREATE,
    ),
    Rule(
        "association",
        ("aws_route_table_association",),
        "a subnet must have at most one route table, of its own VPC",
        ERRORS + "Resource.AlreadyAssociated",
        association,
    ),
    Rule(
        "group_name",
        ("aws_security_group",),
        "a security group must not be named default",
        ERRORS + "InvalidGroup.Reserved",
        group_name,
        CREATE,
    ),
    *(
        Rule(
            f"same_rule_{way}",
            (name,),
            f"{way} rules of a security group must differ from each other",
            ERRORS + "InvalidPermission.Duplicate",
            same_rule(name),
        )
        for way, name in (("ingress", RULES_IN), ("egress", RULES_OUT))
    ),
    Rule(
        "rule_peer",
        (RULES_IN, RULES_OUT),
        "a rule must name groups of its own VPC, unless VPCs are connected",
        ERRORS + "InvalidGroup.NotFound",
        rule_peer,
    ),
    *(
        Rule(
            f"quota_{way}_rules",
            (name,),
            f"a security group must have at most {RULES_OF_A_GROUP} {way} rules",
            VPC_LIMITS + ERRORS + "RulesPerSecurityGroupLimitExceeded",
            rules_quota(name),
            CREATE,
        )
        for way, name in (("ingress", RULES_IN), ("egress", RULES_OUT))
    ),
    Rule(
        "groups_network",
        ("aws_instance", "aws_network_interface"),
        "security groups of an instance must be in the VPC of its subnet",
        "philschmid/efsync#16 quotes the answer",
        groups_network,
    ),
    Rule(
        "acl_rule",
        ("aws_network_acl_rule",),
        "the numbers of the rules of a network ACL must be unique in each direction",
        "API ec2, CreateNetworkAclEntry; " + ERRORS + "NetworkAclEntryAlreadyExists",
        acl_rule,
        CREATE,
    ),
    Rule(
        "endpoint_zones",
        ("aws_vpc_endpoint",),
        "an endpoint must have at most one subnet in a zone",
        ERRORS + "DuplicateSubnetsInSameZone",
        endpoint_zones,
    ),
    Rule(
        "endpoint_names",
        ("aws_vpc_endpoint",),
        "an endpoint with private DNS requires both DNS attributes of the VPC, and there must be no other"
        " endpoint of the service with private DNS",
        "page vpc/latest/privatelink/manage-dns-names.html; API ec2, CreateVpcEndpoint, PrivateDnsEnabled",
        endpoint_names,
    ),
    Rule(
        "endpoint_route",
        ("aws_vpc_endpoint",),
        "a route table must lead to at most one gateway endpoint of a service",
        ERRORS + "RouteAlreadyExists",
        endpoint_route,
        CREATE,
    ),
    Rule(
        "endpoint_groups",
        ("aws_vpc_endpoint",),
        "security groups of an endpoint must be in its VPC",
        "API ec2, CreateVpcEndpoint, SecurityGroupIds",
        endpoint_groups,
    ),
    Rule(
        "same_flow_log",
        ("aws_flow_log",),
        "a VPC must not have two flow logs with the same configuration and destination",
        ERRORS + "FlowLogAlreadyExists",
        same_flow_log,
        CREATE,
    ),
    Rule(
        "vpc_used",
        ("aws_vpc",),
        "a VPC with subnets, security groups, gateways or endpoints in it must not be deleted",
        "API ec2, DeleteVpc; " + ERRORS + "DependencyViolation",
        dependents(
            (
                ("aws_subnet", "vpc_id"),
                ("aws_security_group", "vpc_id"),
                (GATEWAY, "vpc_id"),
                ("aws_vpc_endpoint", "vpc_id"),
            ),
            "DependencyViolation: The vpc '{id}' has dependencies and cannot be deleted.",
        ),
        DELETE,
    ),
    Rule(
        "subnet_used",
        SUBNETS[:1],
        "a subnet with a NAT gateway, load balancer or instance in it must not be deleted",
        "API ec2, DeleteSubnet; " + ERRORS + "DependencyViolation",
        dependents(
            (
                ("aws_nat_gateway", "subnet_id"),
                ("aws_lb", "subnets"),
                ("aws_instance", "subnet_id"),
                ("aws_vpc_endpoint", "subnet_ids"),
            ),
            "DependencyViolation: The subnet '{id}' has dependencies and cannot be deleted.",
        ),
        DELETE,
    ),
    Rule(
        "group_used",
        GROUPS[:1],
        "a security group in use must not be deleted",
        "API ec2, DeleteSecurityGroup; " + ERRORS + "DependencyViolation",
        dependents(
            (
                ("aws_lb", "security_groups"),
                ("aws_instance", "vpc_security_group_ids"),
                ("aws_db_instance", "vpc_security_group_ids"),
                ("aws_docdb_cluster", "vpc_security_group_ids"),
                ("aws_elasticache_replication_group", "security_group_ids"),
                ("aws_vpc_endpoint", "security_group_ids"),
                (RULES_IN, "referenced_security_group_id"),
                (RULES_OUT, "referenced_security_group_id"),
            ),
            "DependencyViolation: resource {id} has a dependent object",
        ),
        DELETE,
    ),
    Rule(
        "ports",
        (
            "aws_vpc_security_group_ingress_rule",
            "aws_vpc_security_group_egress_rule",
            "aws_security_group_rule",
            "aws_network_acl_rule",
        ),
        "the first port of a rule must not be above the last",
        "API ec2, PortRange; " + ERRORS + "InvalidParameterValue",
        ports,
    ),
    Rule(
        "flow_log_role",
        ("aws_flow_log",),
        "a flow log to CloudWatch Logs must have a role",
        "API ec2, CreateFlowLogs, DeliverLogsPermissionArn",
        flow_log_role,
        CREATE,
    ),
    Rule(
        "gateway_names",
        ("aws_vpc_endpoint",),
        "an endpoint with private DNS must be an interface endpoint",
        "API ec2, CreateVpcEndpoint, PrivateDnsEnabled",
        gateway_names,
    ),
    Rule(
        "zone_letter",
        ("aws_subnet", "aws_ebs_volume"),
        "a zone must end with a letter that its region can have",
        "page global-infrastructure/latest/regions/aws-availability-zones.html",
        zone_letter,
        CREATE,
    ),
    Rule(
        "acl_rules",
        ("aws_network_acl_rule",),
        f"a network ACL must have at most {ACL_RULES} rules in each direction",
        "page vpc/latest/userguide/amazon-vpc-limits.html, Rules per network ACL; "
        + ERRORS
        + "NetworkAclEntryLimitExceeded",
        acl_rules,
        CREATE,
    ),
    Rule(
        "tags",
        TAGGED,
        f"an object of EC2 must have at most {TAGS} tags, and their keys must not begin with `aws:`",
        "API ec2, CreateTags; " + ERRORS + "TagLimitExceeded",
        tags,
    ),
)
