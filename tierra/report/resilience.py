"""Loss of redundancy: standbys, replicas, instances, nodes and NAT gateways that a plan removes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tierra.aws.types import known
from tierra.plans.changes import Change
from tierra.plans.resources import Resources, Values
from tierra.report.findings import RESILIENCE, Finding
from tierra.report.releases import RELEASE, replicas, runs_pods

DATABASE, NODES = "aws_db_instance", "aws_eks_node_group"
DOCUMENTDB, INSTANCE, NAT = "aws_docdb_cluster", "aws_docdb_cluster_instance", "aws_nat_gateway"


def resilience(changes: Iterable[Change], resources: Resources) -> Iterator[Finding]:
    """The redundancy that the changes of one tier remove."""
    listed = list(changes)
    for change in listed:
        if change.action in ("update", "replace"):
            yield from _weaker(change)
    yield from _fewer(listed, resources)
    yield from _nodes(listed, resources)


def _weaker(change: Change) -> Iterator[Finding]:
    """One finding for the redundancy that a remaining resource loses."""
    texts: list[str] = []
    lines: list[str] = []
    critical = False
    for name, (lost, worst) in known(change.type).standbys.items():
        if change.was.get(name) is True and change.now.get(name) is False:
            texts.append(lost)
            lines.append(f"~ {name}: true → false")
            critical |= worst
    for name, (what, alone) in known(change.type).counts.items():
        was, now = change.was.get(name), change.now.get(name)
        if isinstance(was, int) and isinstance(now, int) and now < was:
            texts.append(f"{what}: {was} → {now}")
            lines.append(f"~ {name}: {was} → {now}")
            critical |= now <= alone
    if change.type == RELEASE and runs_pods(change.was):
        was, now = replicas(change.was), replicas(change.now)
        if was is not None and now is not None and now < was:
            texts.append(f"pods that always run: {was} → {now}")
            lines.append(f"~ replicas: {was} → {now}")
            critical |= now <= 1
    if texts:
        what = "; ".join(texts)
        yield Finding(RESILIENCE, change.tier, change.address, change.action, what, tuple(lines), critical)


def _fewer(changes: list[Change], resources: Resources) -> Iterator[Finding]:
    """One finding for each kind whose number decreases from several, but not to an intended zero."""

    def kind_of(terraform_type: str, wanted: Callable[[Values], bool] = lambda _: True) -> tuple[int, int]:
        sides = (resources.was(terraform_type), resources.will_be(terraform_type))
        was, now = (sum(map(wanted, side.values())) for side in sides)
        return was, now

    def primary(values: Values) -> bool:
        return not values.get("replicate_source_db")

    def gone(terraform_type: str) -> list[Change]:
        return [change for change in changes if change.type == terraform_type and change.action == "delete"]

    was, now = kind_of(DATABASE, lambda values: not primary(values))
    if now < was and kind_of(DATABASE, primary)[1]:
        message = f"read replicas: {was} → {now}"
        away = [change for change in gone(DATABASE) if not primary(change.was)]
        yield from _shrinks(away, message, now == 0)
    was, now = kind_of(INSTANCE)
    if now < was and kind_of(DOCUMENTDB)[1]:
        message = f"instances: {was} → {now}"
        message += "; none can take over" if now == 1 else "; the cluster has none left" if not now else ""
        yield from _shrinks(gone(INSTANCE), message, now <= 1)
    was, now = kind_of(NAT)
    if 0 < now < was:
        message = f"NAT gateways: {was} → {now}"
        message += "; when its zone fails, no private subnet reaches the internet" if now == 1 else ""
        yield from _shrinks(gone(NAT), message, now == 1)


def _shrinks(away: list[Change], message: str, critical: bool) -> Iterator[Finding]:
    """One finding for all removed resources, with the address of the first."""
    lines = tuple(f"- {change.address}" for change in away)
    for first in away[:1]:
        yield Finding(RESILIENCE, first.tier, first.address, "delete", message, lines, critical)


def _nodes(changes: list[Change], resources: Resources) -> Iterator[Finding]:
    """Nodes that always run, over all groups."""
    was, now = (
        {address: _least(values) for address, values in side.items()}
        for side in (resources.was(NODES), resources.will_be(NODES))
    )
    touched = [
        change
        for change in changes
        if change.type == NODES and was.get(change.address, 0) > now.get(change.address, 0)
    ]
    if not now or not touched or sum(now.values()) >= sum(was.values()):
        return
    message = f"nodes that always run: {sum(was.values())} → {sum(now.values())}"
    lines = tuple(
        f"~ {change.address}: {was[change.address]} → {now.get(change.address, 0)}" for change in touched
    )
    first = touched[0]
    yield Finding(RESILIENCE, first.tier, first.address, first.action, message, lines, sum(now.values()) < 2)


def _least(values: Values) -> int:
    blocks: Any = values.get("scaling_config")
    least = blocks[0].get("min_size") if isinstance(blocks, list) and blocks else None
    return least if isinstance(least, int) else 0
