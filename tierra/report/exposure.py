"""Exposure: rules of security groups, network access lists and web ACLs, one by one, and everything that is
open to the internet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tierra.aws.types import known
from tierra.plans.changes import Change
from tierra.plans.differences import described, text
from tierra.plans.resources import Resources
from tierra.plans.structures import ABSENT, UNKNOWN, diff
from tierra.report.findings import EXPOSURE, Finding
from tierra.report.ranges import wide

NOTHING = repr(ABSENT)
WORLD = "0.0.0.0/0"
INGRESS, EGRESS = "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"
SOURCES = (
    "cidr_ipv4",
    "cidr_ipv6",
    "referenced_security_group_id",
    "prefix_list_id",
    "cidr_block",
    "ipv6_cidr_block",
)
RULES = (INGRESS, EGRESS, "aws_network_acl_rule")
WEB_ACL, IP_SET = "aws_wafv2_web_acl", "aws_wafv2_ip_set"
CLUSTER = "aws_eks_cluster"


def exposure(change: Change, resources: Resources) -> Iterator[Finding]:
    """What one change opens, closes or exposes to the internet."""
    lines: list[str] = []
    critical = False
    if change.type in RULES:
        lines, critical = _rule(change)
    elif change.type == WEB_ACL:
        lines = list(_web_acl(change))
    elif change.type == IP_SET:
        lines = list(_addresses(change))
    elif (shields := known(change.type).shields) and change.action == "delete":
        argument, kind, name = shields
        if not change.left_over and not resources.destroys(kind, name, change.was.get(argument)):
            lines, critical = ["- the resource that it protects stays, without protection"], True
    else:
        lines, critical = _public(change)
    if lines:
        message = _message(lines) if critical else ""
        yield Finding(EXPOSURE, change.tier, change.address, change.action, message, tuple(lines), critical)


def _message(lines: list[str]) -> str:
    """How far a change opens something: to a wide range of the lines, or by a switch to everyone."""
    ranges = {word for line in lines if line.startswith("+") for word in line.split() if wide(word)}
    part = ranges and not any(range_.endswith("/0") for range_ in ranges)
    return "open to a large part of the internet" if part else "open to the internet"


def _rule(change: Change) -> tuple[list[str], bool]:
    was = _sentence(change.type, change.was) if change.was else ""
    now = _sentence(change.type, {name: change.value(name) for name in change.now}) if change.now else ""
    lines = [f"{sign} {text}" for sign, text in (("-", was), ("+", now)) if text and was != now]
    opens = any(wide(change.now.get(name)) for name in SOURCES) and change.now.get("rule_action") != "deny"
    inward = change.type == INGRESS or (change.type not in (INGRESS, EGRESS) and not change.now.get("egress"))
    # Network access lists are evaluated before security groups, and are wide on purpose.
    listed = change.type in (INGRESS, EGRESS)
    return lines, bool(listed and inward and opens and now and was != now)


def _sentence(kind: str, rule: Mapping[str, Any]) -> str:
    """`tcp 443 from 10.0.0.0/8 into aws_security_group.node`."""
    inward = kind == INGRESS or (kind != EGRESS and not rule.get("egress"))
    peer = next((reference(rule[name]) for name in SOURCES if rule.get(name) not in (None, "", UNKNOWN)), "")
    peer = peer or "(known after apply)"
    own = reference(rule.get("security_group_id") or rule.get("network_acl_id"))
    verb = "deny " if rule.get("rule_action") == "deny" else ""
    way = f"from {peer} into {own}" if inward else f"from {own} to {peer}"
    about = f" — {text(rule['description'])}" if rule.get("description") else ""
    return f"{verb}{_ports(rule)} {way}{about}"


def _ports(rule: Mapping[str, Any]) -> str:
    protocol = str(rule.get("ip_protocol") or rule.get("protocol") or "-1")
    first, last = rule.get("from_port"), rule.get("to_port")
    if protocol in ("-1", "all"):
        return "everything"
    if first in (None, -1) or (first == 0 and last in (0, 65535)):
        return f"{protocol}, all ports"
    return f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


def reference(value: Any) -> str:
    """The resource of a reference, without its marks and attribute; any other value unchanged."""
    if isinstance(value, str) and (
        match := re.fullmatch(r"\$\{(data\.)?([a-z0-9_]+\.[a-zA-Z0-9_-]+)([^}]*)\}", value)
    ):
        attribute = "" if match[3] in (".id", ".arn", ".name") else match[3]
        return f"{match[1] or ''}{match[2]}{attribute}"
    return text(value)


def _web_acl(change: Change) -> Iterator[str]:
    rules = [_by_name(side.get("rule")) for side in (change.was, change.now)]
    was, now = rules
    for name in sorted(was.keys() | now.keys()):
        if name not in was:
            yield f"+ rule {name}: {_does(now[name])}"
        elif name not in now:
            yield f"- rule {name}: {_does(was[name])}"
        elif edits := described(diff(was[name], now[name])):
            words = "; ".join(f"{edit.attribute} {edit.was} → {edit.now}" for edit in edits)
            yield f"~ rule {name}: {words}"
    sides = ({"default_action": side.get("default_action")} for side in (change.was, change.now))
    if change.action == "update":
        yield from (f"~ {edit.attribute}: {edit.was} → {edit.now}" for edit in described(diff(*sides)))


def _addresses(change: Change) -> Iterator[str]:
    for edit in described(diff({"a": change.was.get("addresses")}, {"a": change.now.get("addresses")})):
        yield from (f"{sign} {text}" for sign, text in (("-", edit.was), ("+", edit.now)) if text != NOTHING)


def _by_name(rules: Any) -> dict[str, Any]:
    return (
        {str(rule.get("name")): rule for rule in rules or [] if isinstance(rule, dict)}
        if isinstance(rules, list)
        else {}
    )


def _does(rule: Mapping[str, Any]) -> str:
    """The action of a rule on the requests that match its statement."""
    for key in ("action", "override_action"):
        for block in rule.get(key) or []:
            for action, settings in block.items() if isinstance(block, dict) else ():
                if settings:
                    verb = "as its group says" if action == "none" else action
                    return f"priority {rule.get('priority')}, {verb}: {text(rule.get('statement'))}"
    return f"priority {rule.get('priority')}: {text(rule.get('statement'))}"


def _public(change: Change) -> tuple[list[str], bool]:
    lines = []
    for name, yes in known(change.type).public.items():
        was, now = change.was.get(name), change.now.get(name)
        if (was is yes) == (now is yes):
            continue
        lines.append(f"{'+' if now is yes else '-'} {name}: {text(now if change.now else was)}")
    opens = any(line.startswith("+") for line in lines)
    if change.type == CLUSTER:
        was, now = (_endpoint(side) for side in (change.was, change.now))
        lines += [f"- API open to {cidr}" for cidr in sorted(was - now)]
        lines += [f"+ API open to {cidr}" for cidr in sorted(now - was)]
        opens = opens or any(map(wide, now - was))
    return lines, opens


def _endpoint(cluster: Mapping[str, Any]) -> set[str]:
    """The addresses from which the API of a cluster can be reached over the internet; all if none are
    given."""
    blocks = cluster.get("vpc_config")
    if not isinstance(blocks, list) or not blocks or not isinstance(blocks[0], dict):
        return set()
    if not blocks[0].get("endpoint_public_access"):
        return set()
    ranges = blocks[0].get("public_access_cidrs")
    if isinstance(ranges, list) and ranges:
        return {str(cidr) for cidr in ranges}
    return {WORLD}
