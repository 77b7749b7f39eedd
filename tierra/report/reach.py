"""Reachability from the internet, and the source addresses of the platform: paths of the gateway, a firewall
that no longer blocks, and the addresses of the NAT gateways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tierra.plans.changes import Change
from tierra.plans.differences import text
from tierra.plans.resources import Resources
from tierra.plans.structures import UNKNOWN, Masked, holds
from tierra.report.findings import MOVES, NEEDS_WINDOW, OPENS, REACH, Finding
from tierra.report.ranges import wide
from tierra.report.releases import RELEASE, asks_for_credentials, paths, release_values

WEB_ACL, IP_SET, ADDRESS = "aws_wafv2_web_acl", "aws_wafv2_ip_set", "aws_eip"
BLOCKS, COUNTS, ALLOWS, OFF = "block", "count", "allow", "off"


def reach(changes: Iterable[Change], resources: Resources) -> Iterator[Finding]:
    """The effect of the changes of one tier on reachability."""
    listed = list(changes)
    for change in listed:
        if change.type == RELEASE:
            yield from _paths(change)
        elif change.type == WEB_ACL:
            yield from _web_acl(change)
        elif change.type == IP_SET:
            yield from _addresses(change, resources)
    yield from _egress(listed, resources)


def _paths(change: Change) -> Iterator[Finding]:
    was, now = (paths(side) for side in (change.was, _known(change)))
    gone, new = sorted(was - now), sorted(now - was)
    lines = (*(f"- {path}" for path in gone), *(f"+ {path}" for path in new))
    if gone:
        message = f"clients of {', '.join(gone)} get 404"
        critical = change.action != "delete"
        yield Finding(
            REACH, change.tier, change.address, change.action, message, lines, critical, verdict=MOVES
        )
    elif asks_for_credentials(change.was) and not asks_for_credentials(_known(change)):
        message = "the gateway no longer requires a key or token"
        yield Finding(REACH, change.tier, change.address, change.action, message, (), True, verdict=OPENS)
    elif new:
        message = "its paths can be reached through the gateway"
        yield Finding(REACH, change.tier, change.address, change.action, message, lines)


def _known(change: Change) -> Mapping[str, Any]:
    """A release after the change, with the configured values if they are still unknown."""
    unknown = (
        change.action != "delete"
        and release_values(change.now) is None
        and not holds(change.now.get("values"), Masked)
    )
    return change.configured if unknown else change.now


def _web_acl(change: Change) -> Iterator[Finding]:
    """Rules that no longer block."""
    if change.action == "delete":
        return
    was, now = (_actions(side) for side in (change.was, change.now))
    lines = tuple(
        f"~ rule {name}: {BLOCKS} → {now.get(name, OFF)}"
        for name, does in was.items()
        if does == BLOCKS and now.get(name, OFF) != BLOCKS
    )
    if lines:
        message = "rules of the firewall no longer block"
        yield Finding(REACH, change.tier, change.address, change.action, message, lines, True, verdict=OPENS)


def _actions(acl: Mapping[str, Any]) -> dict[str, str]:
    """The action of each rule; a rule group without an override blocks."""
    rules = acl.get("rule")
    listed = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return {
        str(rule.get("name")): _does(rule) for rule in sorted(listed, key=lambda rule: str(rule.get("name")))
    }


def _does(rule: Mapping[str, Any]) -> str:
    for key in ("action", "override_action"):
        blocks = rule.get(key)
        for block in [blocks] if isinstance(blocks, dict) else blocks or []:
            for name, settings in block.items() if isinstance(block, dict) else ():
                if settings not in (None, [], UNKNOWN):
                    return BLOCKS if name in (BLOCKS, "none") else str(name)
    return BLOCKS


def _addresses(change: Change, resources: Resources) -> Iterator[Finding]:
    """IP sets as wide as a part of the internet, by the rule that uses them."""
    was, now = (
        {str(address) for address in side.get("addresses") or [] if isinstance(address, str)}
        for side in (change.was, change.now)
    )
    opened = sorted(address for address in now - was if wide(address))
    if not opened:
        return
    rule = _rule_of(change, resources)
    lines = tuple(f"+ {address}" for address in opened)
    if rule == ALLOWS:
        message = "requests from there pass every rule of the firewall"
        yield Finding(REACH, change.tier, change.address, change.action, message, lines, True, verdict=OPENS)
    elif rule == BLOCKS:
        message = "requests from there are refused"
        yield Finding(
            REACH, change.tier, change.address, change.action, message, lines, True, verdict=NEEDS_WINDOW
        )


def _rule_of(change: Change, resources: Resources) -> str:
    """The action of the rule that uses an IP set, by the configuration; empty if no rule uses it."""
    wanted = f"${{{change.address}.arn}}"
    for acl in resources.configured.get("resource", {}).get(WEB_ACL, {}).values():
        for rule in acl.get("rule") or []:
            ip_set = (rule.get("statement") or {}).get("ip_set_reference_statement") or {}
            if ip_set.get("arn") == wanted:
                return _does(rule)
    return ""


def _egress(changes: list[Change], resources: Resources) -> Iterator[Finding]:
    """One finding for all added and removed addresses; the first addresses of a platform are no change."""
    if not resources.was(ADDRESS) or not resources.will_be(ADDRESS):
        return
    moved = [change_ for change_ in changes if change_.type == ADDRESS and not change_.left_over]
    lines = (
        *(f"- {text(address.was.get('public_ip'))}" for address in moved if address.destroys),
        *(
            f"+ {text(address.now.get('public_ip'))}"
            for address in moved
            if address.action in ("create", "replace")
        ),
    )
    if lines:
        message = (
            "requests leave from other addresses: add the new ones to allow-lists that contain the old ones"
        )
        if all(line.startswith("-") for line in lines):
            message = "requests leave from fewer addresses: no longer from these"
        first = moved[0]
        # If others stay, an additional address is a change.
        action = first.action if first.destroys else "update"
        yield Finding(REACH, first.tier, first.address, action, message, lines, verdict=MOVES)
