"""Allowed connections, from the rules of the security groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from tierra.diagram.boxes import groups_of
from tierra.diagram.graph import INTERNET, Box, Edge, Mark, Port
from tierra.diagram.terraform import Resource, Terraform

INGRESS = "aws_vpc_security_group_ingress_rule"
EGRESS = "aws_vpc_security_group_egress_rule"
EVERY = "-1"
EVERYWHERE = "0.0.0.0/0"


class Traffic(NamedTuple):
    """The traffic that a rule allows."""

    protocol: str
    first: int
    last: int

    def holds(self, traffic: Traffic) -> bool:
        """Whether this includes all of the other."""
        if self.protocol == EVERY:
            return True
        return self.protocol == traffic.protocol and self.first <= traffic.first and traffic.last <= self.last

    def __str__(self) -> str:
        if self.protocol == EVERY:
            return "any port"
        return f"{self.protocol.upper()} {self.first}" + (
            f" to {self.last}" if self.last != self.first else ""
        )


class Rule(NamedTuple):
    """`group` allows `traffic` to or from `peer`: a group, the internet, or a range outside the VPC."""

    group: str
    peer: str
    traffic: Traffic
    resource: Resource


def rules(terraform: Terraform, kind: str) -> list[Rule]:
    """All rules of a direction."""
    result = []
    for resource in terraform.all(kind):
        values = resource.values
        group = terraform.follow(resource.tier, values["security_group_id"])
        referenced = values.get("referenced_security_group_id")
        cidr = values.get("cidr_ipv4") or EVERYWHERE
        peer = (
            terraform.follow(resource.tier, referenced)
            if referenced
            else INTERNET
            if cidr == EVERYWHERE
            else cidr
        )
        traffic = Traffic(values["ip_protocol"], values.get("from_port") or 0, values.get("to_port") or 0)
        result.append(Rule(group, peer, traffic, resource))
    return sorted(result, key=lambda rule: (rule.group, rule.peer, rule.traffic))


def ranges(terraform: Terraform, groups: Collection[str]) -> list[str]:
    """The ranges outside the VPC from which these groups allow traffic."""
    peers = {rule.peer for rule in rules(terraform, INGRESS) if rule.group in groups}
    return sorted(peer for peer in peers if peer[0].isdigit())


def edges(terraform: Terraform, boxes: Iterable[Box]) -> tuple[Edge, ...]:
    """Between groups a connection needs two rules, egress and ingress; with the internet, one."""
    out, into = rules(terraform, EGRESS), rules(terraform, INGRESS)
    talks: dict[tuple[str, str], list[tuple[Traffic, list[Resource]]]] = defaultdict(list)
    for rule in into:
        if rule.peer == INTERNET:
            talks[rule.peer, rule.group].append((rule.traffic, [rule.resource]))
            continue
        ways = [
            egress for egress in out if egress.group == rule.peer and egress.peer in (rule.group, INTERNET)
        ]
        ways = [egress for egress in ways if egress.traffic.holds(rule.traffic)]
        # If there are both, the rule that names the group rather than the one that names all.
        ways.sort(key=lambda egress: (egress.peer == INTERNET, egress.traffic != rule.traffic))
        if ways:
            talks[rule.peer, rule.group].append((rule.traffic, [rule.resource, ways[0].resource]))
    for rule in out:
        if rule.peer == INTERNET:
            talks[rule.group, rule.peer].append((rule.traffic, [rule.resource]))
    boxes_of = _boxes_by_group(terraform, boxes)
    # An empty group has no connections.
    return tuple(_edge(boxes_of, talks[pair], *pair) for pair in sorted(talks) if {*pair} <= {*boxes_of})


def _boxes_by_group(terraform: Terraform, boxes: Iterable[Box]) -> dict[str, list[str]]:
    """The boxes of the members of each group."""
    boxes_of: dict[str, list[str]] = {INTERNET: [INTERNET]}
    for box in boxes:
        inside = box.walk() if box.kind == "engine" else [box]
        for address in [address for box in inside for address in box.addresses]:
            for group in groups_of(terraform, terraform.by_address[address]):
                if box.id not in boxes_of.setdefault(group.address, []):
                    boxes_of[group.address].append(box.id)
    return boxes_of


def _edge(
    boxes_of: dict[str, list[str]], talks: list[tuple[Traffic, list[Resource]]], source: str, target: str
) -> Edge:
    ports = []
    for traffic, resources in talks:
        marks = [resource.mark for resource in resources if resource.mark]
        ports.append(Port(str(traffic), marks[0] if marks else None))
    whole = {port.mark for port in ports}
    return Edge(
        source=boxes_of[source][0],
        targets=tuple(boxes_of[target]),
        ports=tuple(ports),
        addresses=tuple(resource.address for _, resources in talks for resource in resources),
        mark=whole.pop() if len(whole) == 1 else Mark.CHANGED,
    )
