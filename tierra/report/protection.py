"""Data that a plan would destroy although `protection` is on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tierra.aws.types import known
from tierra.plans.changes import Change
from tierra.report.findings import REFUSED, Finding
from tierra.report.holdings import outcome

PROTECTION = "protection"  # the output by which tierra/terraform/stack.py records the setting of the spec


def protected_deletions(change: Change, plan: Mapping[str, Any]) -> Iterator[Finding]:
    """Refuses to delete a database or volume that the spec leaves out while protection is on, or was on at
    the last apply."""
    setting = plan.get("output_changes", {}).get(PROTECTION, {})
    protected = setting.get("before") is True or setting.get("after") is True
    data = known(change.type).holds_data and outcome(change.type, change.was)
    if protected and change.action == "delete" and data:
        message = (
            "protection keeps it. To delete it with its data, write protection: false, plan and apply that"
            " first, as a separate change, then leave it out; or write it into the spec again"
        )
        yield Finding(REFUSED, change.tier, change.address, change.action, message, (), critical=True)
