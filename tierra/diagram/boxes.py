"""Turns resources into boxes: their contents, and the effect of a plan on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tierra.diagram.graph import Box, Mark, Pods
from tierra.diagram.terraform import Resource, Terraform, count

# The arguments that name the security groups of a resource.
GROUPS = (
    ("security_groups",),
    ("security_group_ids",),
    ("vpc_security_group_ids",),
    ("vpc_config", "security_group_ids"),
)


def groups_of(terraform: Terraform, resource: Resource) -> list[Resource]:
    """The security groups that a resource is in."""
    groups = [name for path in GROUPS for name in terraform.followed(resource, *path)]
    return [terraform.by_address[name] for name in groups if name in terraform.by_address]


def make(
    kind: str,
    title: str,
    main: Sequence[Resource],
    related: Iterable[Resource] = (),
    *,
    notes: Iterable[str] = (),
    id: str = "",
    zone: str | None = None,
    pods: Pods | None = None,
    boxes: Iterable[Box] = (),
) -> Box:
    """A box for `main` and the resources that only serve it. A change of all of `main` marks the box with
    that change; any other change marks it as changed. If a part of several is destroyed, it is named."""
    whole = {resource.mark for resource in main}
    every = {resource.address: resource for resource in (*main, *related)}
    marks = count(resource.mark for resource in every.values())
    gone = [resource.name for resource in main if resource.mark is Mark.DESTROYED and len(whole) > 1]
    mark = whole.pop() if len(whole) == 1 else None
    return Box(
        id=id or (main[0].address if main else kind),
        kind=kind,
        title=title,
        notes=tuple(filter(None, (*notes, f"{Mark.DESTROYED}: {listed(gone, 4)}" if gone else ""))),
        addresses=tuple(every),
        zone=zone,
        pods=pods,
        mark=mark or (Mark.CHANGED if marks else None),
        marks=marks,
        boxes=tuple(boxes),
        forecast=any(resource.forecast for resource in every.values() if resource.mark),
    )


def summary(kind: str, title: str, resources: Sequence[Resource], *notes: str, id: str = "") -> list[Box]:
    """One box for many resources, or none for none."""
    return [make(kind, title, resources, notes=notes, id=id or kind)] if resources else []


def lasting(resources: Sequence[Resource]) -> Sequence[Resource]:
    """The resources that a plan does not destroy; all of them if it destroys all."""
    return [resource for resource in resources if resource.mark is not Mark.DESTROYED] or resources


def named(number: int, singular: str, many: str = "") -> str:
    """`1 alarm`, `79 alarms`."""
    return f"{number} {singular if number == 1 else many or singular + 's'}"


def listed(words: Iterable[Any], most: int = 20) -> str:
    """`a, b and 28 more`, limited to the available room."""
    names = [str(word) for word in words]
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def backed_up(terraform: Terraform, resource: Resource) -> str:
    """The note on a resource that AWS Backup selects by its tag."""
    tags = {**(resource.values.get("tags_all") or {}), **(resource.values.get("tags") or {})}
    chosen = [
        tag for plan in terraform.all("aws_backup_selection") for tag in plan.values.get("selection_tag", ())
    ]
    return "in AWS Backup" if any(tags.get(tag["key"]) == tag["value"] for tag in chosen) else ""
