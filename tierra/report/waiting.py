"""Changes that AWS defers to a maintenance window: the apply ends before they take effect."""

from __future__ import annotations

from collections.abc import Iterator

from tierra.aws.types import known
from tierra.plans.changes import Change
from tierra.plans.differences import described
from tierra.plans.structures import diff
from tierra.report.findings import WAITING, Finding

WINDOWS = ("maintenance_window", "preferred_maintenance_window")


def waiting(change: Change) -> Iterator[Finding]:
    """The finding of one resource, if something about it waits."""
    names = known(change.type).waits
    if change.action != "update" or change.now.get("apply_immediately") is not False:
        return
    was, now = ({name: side.get(name) for name in names} for side in (change.was, change.now))
    if edits := described(diff(was, now)):
        # terraform-provider-aws, website/docs/r/db_instance.html.markdown.
        message = f"AWS makes these changes {window(change)}; until then later plans do not repeat them"
        lines = tuple(f"~ {edit.attribute}: {edit.was} → {edit.now}" for edit in edits)
        yield Finding(WAITING, change.tier, change.address, change.action, message, lines)


def when(change: Change, argument: str) -> str:
    """When AWS makes a change that may wait; empty for one that never does."""
    if "apply_immediately" not in change.now or argument not in known(change.type).waits:
        return ""
    return ", at once" if change.now["apply_immediately"] else f", {window(change)}"


def window(change: Change) -> str:
    """`in the maintenance window (sun:09:00-sun:10:00 UTC)`."""
    window_ = next((change.now[name] for name in WINDOWS if isinstance(change.now.get(name), str)), "")
    return f"in the maintenance window{f' ({window_} UTC)' if window_ else ''}"
