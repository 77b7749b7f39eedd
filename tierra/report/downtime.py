"""Interruptions that users of the platform notice while a plan is applied."""

from __future__ import annotations

from collections.abc import Iterator

from tierra.aws.types import known
from tierra.plans.changes import Change
from tierra.plans.resources import Resources
from tierra.plans.structures import diff
from tierra.report.findings import DOWNTIME, Finding
from tierra.report.releases import NAMESPACES, RELEASE, runs_pods
from tierra.report.waiting import when

DATABASE, RECORD = "aws_db_instance", "aws_route53_record"
REPLICA = "reads that go to it fail; the primary stays"


def downtime(change: Change, resources: Resources) -> Iterator[Finding]:
    """What one change interrupts."""
    if change.destroys and known(change.type).outage and not change.left_over:
        how, critical = _outage(change, resources)
        if not how:
            return
        if change.action == "replace" and change.new_first:
            how, critical = f"the new one is there first; then {how}", False
        elif change.action == "replace":
            how = f"until the new one is there, {how}"
        yield Finding(DOWNTIME, change.tier, change.address, change.action, how, (), critical)
    elif change.action == "update":
        for name in sorted({*change.was, *change.now}):
            if name in known(change.type).interrupts and diff(change.was.get(name), change.now.get(name)):
                how = f"{name} changes: {_interrupts(change, name)}{when(change, name)}"
                yield Finding(DOWNTIME, change.tier, change.address, change.action, how)


def _outage(change: Change, resources: Resources) -> tuple[str, bool]:
    """The outage while a resource is gone, and whether it is critical; an empty text for no outage."""
    if change.type == RELEASE and not runs_pods(change.was):
        # Kubernetes deletes a namespace with the pods of other releases; those of a deleted namespace are
        # deleted too.
        replaced = change.action == "replace" and change.was.get("chart") in NAMESPACES
        return ("everything in its namespaces is deleted" if replaced else "", replaced)
    if change.type == RECORD and (change.was.get("type") == "CAA" or _proves_a_certificate(change)):
        return "", False  # only certificate authorities look these up
    if change.type == "aws_route" and resources.destroys(
        "aws_route_table", "id", change.was.get("route_table_id")
    ):
        return "", False  # no subnet uses the table any more, otherwise it could not be deleted
    if change.type == DATABASE and change.was.get("replicate_source_db"):
        return REPLICA, False
    entry = known(change.type)
    if entry.partial_outage and resources.has_others(change):
        return entry.partial_outage, False
    return entry.outage, True


def _interrupts(change: Change, argument: str) -> str:
    """The words of the entry; a replica has no standby, and a primary has one or not."""
    words = known(change.type).interrupts[argument]
    if (change.type, argument) != (DATABASE, "instance_class"):
        return words
    if change.was.get("replicate_source_db"):
        return "it restarts; reads that go to it fail meanwhile"
    sides = {change.was.get("multi_az"), change.now.get("multi_az")}
    if sides == {True}:
        return "its standby takes over, and connections break for as long as that takes"
    return "it restarts, and cannot be reached meanwhile" if sides == {False} else words


def _proves_a_certificate(change: Change) -> bool:
    """Whether a record is one by which ACM validates a domain (docs.aws.amazon.com/acm/latest/userguide/
    dns-validation.html): no user looks it up."""
    records = change.was.get("records") or []
    return any(str(record).rstrip(".").endswith(".acm-validations.aws") for record in records)
