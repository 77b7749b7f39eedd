"""Boxes of the network: DNS, WAF, VPC, subnets, load balancer, NAT gateways, endpoints."""

from __future__ import annotations

from tierra.diagram.boxes import groups_of, lasting, listed, make
from tierra.diagram.graph import Box
from tierra.diagram.rules import ranges
from tierra.diagram.terraform import Resource, Terraform

# Arguments of a route to another network, and the prefixes of their IDs.
WAYS = {"transit_gateway_id": "tgw-", "vpc_peering_connection_id": "pcx-", "gateway_id": "vgw-"}
EXISTING = "existing, not made by Tierra"
ATTACHMENTS = ("aws_ec2_transit_gateway_vpc_attachment", "aws_vpn_gateway_attachment")


def zones(terraform: Terraform) -> tuple[str, ...]:
    """Every zone with a subnet, including destroyed ones."""
    result = {zone_of(terraform, subnet) for subnet in terraform.all("aws_subnet")}
    return tuple(sorted(zone for zone in result if zone))


def zone_of(terraform: Terraform, resource: Resource) -> str | None:
    """The zone of a resource: its own argument, or the zone of its only subnet."""
    if zones_ := terraform.followed(resource, "availability_zone"):
        return zones_[0]
    subnets = [*terraform.followed(resource, "subnet_id"), *terraform.followed(resource, "subnet_ids")]
    if len(subnets) == 1 and subnets[0] in terraform.by_address:
        return zone_of(terraform, terraform.by_address[subnets[0]])
    return None


def front(terraform: Terraform) -> list[Box]:
    """The boxes between the internet and the VPC."""
    boxes = []
    for acl in terraform.all("aws_wafv2_web_acl"):
        rules = [rule["name"] for rule in sorted(acl.values["rule"], key=lambda rule: rule["priority"])]
        related = terraform.all("aws_wafv2_web_acl_association", "aws_wafv2_web_acl_logging_configuration")
        boxes.append(make("waf", "WAF", [acl], related, notes=[listed(rules).replace("_", " ")]))
    records = terraform.all("aws_route53_record")
    names = dict.fromkeys(record.values["name"] for record in lasting(records) if record.values.get("alias"))
    if records:
        boxes.append(make("dns", "DNS records", records, notes=[listed(names)], id="dns"))
    for certificate in terraform.all("aws_acm_certificate"):
        more = certificate.values.get("subject_alternative_names") or ()
        covered = dict.fromkeys([certificate.values["domain_name"], *more])
        related = terraform.all("aws_acm_certificate_validation")
        boxes.append(make("certificate", "Certificate", [certificate], related, notes=[listed(covered)]))
    if not terraform.all("aws_acm_certificate"):
        brought = [
            listener
            for listener in terraform.all("aws_lb_listener")
            if listener.values.get("certificate_arn")
        ]
        boxes += [
            make("certificate", "Certificate", [listener], notes=["brought along"]) for listener in brought
        ]
    return boxes


def vpc(terraform: Terraform) -> Box:
    """The VPC and its internet gateway."""
    main = terraform.all("aws_vpc")
    ways = [route for route in terraform.all("aws_route") if _beyond(route)]
    more = terraform.all("aws_vpc_ipv4_cidr_block_association")
    related = [*more, *terraform.all("aws_internet_gateway", *ATTACHMENTS)]
    blocks = [_block(block) for block in (*main, *lasting(more))]
    if any(resource.existing for resource in main):
        blocks.append(EXISTING)
    routes = dict.fromkeys(
        f"{route.values['destination_cidr_block']} through {_beyond(route)}" for route in lasting(ways)
    )
    return make("vpc", "VPC", main, [*related, *ways], notes=[listed(blocks), listed(routes)], id="vpc")


def _block(resource: Resource) -> str:
    """The range of a VPC; for an existing one, the range of its lookup."""
    return str(resource.values.get("cidr_block") or resource.values["filter"][0]["values"][0])


def _beyond(route: Resource) -> str:
    """The gateway or peering connection of a route to another network; empty for any other route."""
    named = ((str(route.values.get(argument) or ""), start) for argument, start in WAYS.items())
    return next((kind for kind, start in named if kind.startswith(start)), "")


def subnets(terraform: Terraform, kind: str) -> list[Box]:
    """The subnets of a kind, by zone. Their boxes include the route tables and access lists of the kind."""
    boxes = []
    for subnet in terraform.all("aws_subnet"):
        if subnet.name.rpartition("_")[0] == kind:
            zone = zone_of(terraform, subnet)
            related = terraform.all("aws_route_table_association")
            related = [
                resource
                for resource in related
                if subnet.address in terraform.followed(resource, "subnet_id")
            ]
            notes = [EXISTING] if subnet.existing else []
            boxes.append(
                make("subnet", subnet.values["cidr_block"], [subnet], related, notes=notes, zone=zone)
            )
    return boxes


def load_balancers(terraform: Terraform, *, internal: bool) -> list[Box]:
    """Each with its listeners and target groups: the public ones, or the internal ones."""
    boxes = []
    related = terraform.all("aws_lb_listener", "aws_lb_listener_rule", "aws_lb_target_group")
    for balancer in terraform.all("aws_lb"):
        if bool(balancer.values.get("internal")) != internal:
            continue
        targets = [listener for listener in related if listener.type == "aws_lb_listener"]
        descriptions = [
            f"{listener.values['protocol']} {listener.values['port']}{_redirect(listener)}"
            for listener in targets
        ]
        groups = groups_of(terraform, balancer)
        inside = f"from {listed(ranges(terraform, [group.address for group in groups]))}"
        subnets_ = inside if internal else "in every public subnet"
        notes = [listed(descriptions), subnets_]
        boxes.append(make("load_balancer", "Load balancer", [balancer], [*related, *groups], notes=notes))
    return boxes


def _redirect(target: Resource) -> str:
    actions = target.values.get("default_action") or ()
    to = [action["redirect"] for action in actions if action.get("redirect")]
    to = [block[0] if isinstance(block, list) else block for block in to]
    return f" to {to[0]['port']}" if to else ""


def nat_gateways(terraform: Terraform) -> list[Box]:
    """By zone, with the zones whose private subnets go out through it."""
    boxes = []
    for gateway in terraform.all("aws_nat_gateway"):
        address = terraform.followed(gateway, "allocation_id")
        related = [terraform.by_address[name] for name in address if name in terraform.by_address]
        routes = [
            route
            for route in terraform.all("aws_route")
            if gateway.address in terraform.followed(route, "nat_gateway_id")
        ]
        out = f"way out of {listed(_served(terraform, routes))}" if routes else ""
        zone = zone_of(terraform, gateway)
        boxes.append(make("nat", "NAT gateway", [gateway], [*related, *routes], notes=[out], zone=zone))
    return boxes


def _served(terraform: Terraform, routes: list[Resource]) -> list[str]:
    tables = {table for route in lasting(routes) for table in terraform.followed(route, "route_table_id")}
    served = set()
    for association in lasting(terraform.all("aws_route_table_association")):
        if tables & set(terraform.followed(association, "route_table_id")):
            served.add(zone_of(terraform, association) or "")
    return sorted(served - {""})


def endpoints(terraform: Terraform) -> list[Box]:
    """Private endpoints in the subnets in one box, those in route tables in another."""
    boxes = []
    for kind, title in (("Interface", "Interface endpoints"), ("Gateway", "Gateway endpoint")):
        endpoints_ = [
            endpoint
            for endpoint in terraform.all("aws_vpc_endpoint")
            if endpoint.values["vpc_endpoint_type"] == kind
        ]
        if endpoints_:
            groups = [group for endpoint in endpoints_ for group in groups_of(terraform, endpoint)]
            # com.amazonaws.us-east-1.ecr.api: the part after the region
            services = [service_of(endpoint.values["service_name"]) for endpoint in endpoints_]
            notes = [listed(services)]
            boxes.append(
                make("endpoint", title, endpoints_, groups, notes=notes, id=f"{kind.lower()}_endpoints")
            )
    return boxes


def service_of(service: str) -> str:
    """`com.amazonaws.us-east-1.ecr.api` is `ecr.api`."""
    parts = service.split(".")
    region = next((index for index, part in enumerate(parts) if part[-1:].isdigit() and "-" in part), -1)
    return ".".join(parts[region + 1 :])
