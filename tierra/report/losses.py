"""Data that a plan destroys, and protection of data that it removes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tierra.aws.types import known
from tierra.plans.changes import Change
from tierra.plans.differences import text
from tierra.report.findings import DATA, Finding
from tierra.report.holdings import has_data, outcome, way_out
from tierra.report.tenants import SUBNET, Tenant, inside

# The value of an argument that makes data easier to lose.
LOOSE: Mapping[str, Any] = {
    "deletion_protection": False,
    "deletion_protection_enabled": False,
    "delete_automated_backups": True,
    "force_delete": True,
    "force_destroy": True,
    "skip_final_snapshot": True,
}
# Arguments with a retention time of data.
KEPT = (
    "backup_retention_period",
    "deletion_window_in_days",
    "recovery_window_in_days",
    "retention_in_days",
    "snapshot_retention_limit",
)
PERMANENT = ("retention_in_days",)  # 0 keeps data permanently


def losses(change: Change, tenants: Iterable[Tenant] = ()) -> Iterator[Finding]:
    """The effect of one change on data. `tenants` are the resources in the network."""
    becomes = outcome(change.type, change.was) or inside(change.type, change.was, tenants)
    # Resources in a removed zone are deleted before its subnets: tierra/run/order.py.
    zone = change.type == SUBNET and change.action == "delete"
    if change.destroys and becomes and not zone:
        critical = not known(change.type).minor_data
        if way := way_out(change.type, change.was):
            becomes = f"{becomes}; {way}"
        yield Finding(DATA, change.tier, change.address, change.action, becomes, (), critical)
    if change.action == "update" and has_data(change.type):
        weakened = list(_weakened(change))
        lines = tuple(f"~ {name}: {text(was)} → {text(now)}" for name, was, now in weakened)
        if weakened:
            unprotects = any(name in LOOSE for name, _, _ in weakened)
            message = "its data loses protection" if unprotects else "data is kept for a shorter time"
            yield Finding(DATA, change.tier, change.address, change.action, message, lines)


def _weakened(change: Change) -> Iterator[tuple[str, Any, Any]]:
    """The arguments that protect data less than before, with both values."""
    for name in sorted({*LOOSE, *KEPT}):
        was, now = change.was.get(name), change.now.get(name)
        if name in LOOSE and was is not LOOSE[name] and now is LOOSE[name] and was is not None:
            yield name, was, now
        elif name in KEPT and isinstance(was, int) and isinstance(now, int):
            if name in PERMANENT:
                was, now = (days or 10**6 for days in (was, now))
            if now < was:
                yield name, change.was[name], change.now[name]
