"""Differences that are not drift: values that AWS changes by itself, and values that reflect other
resources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tierra.aws.types import known

NAMES = ("id", "arn", "name", "bucket")
# A rule of a security group shows all its sources in one element.
SOURCES = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")

Resource = Mapping[str, Any]


def expected_drift(drifted: Resource, managed: Iterable[Resource], configured: Resource) -> list[str]:
    """The attributes of a drifted resource (of `resource_drift` in terraform's JSON of a plan) that are not
    drift. `managed` are the resources in the tier's state, `configured` is its generated configuration."""
    kind, after = drifted["type"], drifted["change"]["after"]
    entry = known(kind)
    ignored = configured.get("lifecycle", {}).get("ignore_changes", [])
    attributes = [*entry.volatile, *(after if ignored == "all" else ignored)]
    if kind == "aws_db_instance" and _grown(drifted["change"]):
        attributes.append("allocated_storage")
    if kind == "aws_db_instance" and "engine_version" not in configured:
        attributes.append("engine_version")  # of a replica: it follows AWS, or the primary
    names = {after.get(name) for name in NAMES} - {None}
    for table in (entry.shows_each, entry.shows):
        for attribute, by in table.items():
            if attribute not in configured:
                others = [each["values"] for each in managed if each["type"] == by]
                reflected = sum(_belongs(values, names, attribute) for values in others)
                if reflected == _count(after.get(attribute)) if table is entry.shows_each else reflected:
                    attributes.append(attribute)
    return attributes


def covers(ignored: str, attribute: str) -> bool:
    """Whether a value is at an ignored path, or below it; `["a"]`, `[0]` and `.a` are one."""
    path, above = (
        [part for part in re.split(r"[.\[\]\"]+", path_) if part] for path_ in (attribute, ignored)
    )
    return path[: len(above)] == above


def _belongs(resource: Resource, names: set[Any], attribute: str) -> bool:
    if attribute in ("egress", "ingress") and resource.get("egress") not in (None, attribute == "egress"):
        return False
    return any(value in names for value in resource.values() if isinstance(value, str))


def _count(value: Any) -> int:
    """The number of resources that an attribute reflects."""
    return sum(max(1, _sources(block)) for block in value or [])


def _sources(element: Any) -> int:
    if not isinstance(element, dict):
        return 1
    return sum(len(element.get(name) or []) for name in SOURCES) + bool(element.get("self"))


def _grown(change: Resource) -> bool:
    """Whether a database grew within the maximum of the spec."""
    was, now = change["before"], change["after"]
    return bool((was.get("allocated_storage") or 0) < (now.get("allocated_storage") or 0)) and bool(
        now.get("max_allocated_storage")
    )
