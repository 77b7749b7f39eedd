"""The changes of a saved plan, resource by resource, from terraform's JSON of the plan.

The format is terraform's own, <https://developer.hashicorp.com/terraform/internals/json-format>.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tierra.plans import own
from tierra.plans.differences import Difference, described, dotted, sides
from tierra.plans.structures import UNKNOWN, diff

PLAN = "plan.json"
CONFIGURATION = "plan.config"  # the generated Terraform that the plan was made from
ACTIONS = ("replace", "delete", "forget", "update", "import", "move", "create")
# Reasons of actions other than the configuration: `action_reason` in terraform's JSON.
REASONS: Mapping[str, str] = {
    "replace_because_tainted": "an earlier apply left it incomplete",
    "replace_by_request": "requested with -replace",
    "replace_by_triggers": "what it depends on changes (replace_triggered_by)",
    "delete_because_no_resource_config": "it is no longer in the configuration",
}


@dataclass(frozen=True)
class Change:
    """One resource that a plan touches. `was` and `now` have sensitive and unknown values marked, and are
    empty if the resource does not exist. `configured` are its arguments in the generated Terraform."""

    tier: str
    address: str
    type: str
    action: str
    was: Mapping[str, Any]
    now: Mapping[str, Any]
    configured: Mapping[str, Any] = field(default_factory=dict)
    forced_by: tuple[str, ...] = ()
    reason: str = ""
    new_first: bool = False
    left_over: bool = False  # deposed by an interrupted replacement: the new resource exists

    @property
    def destroys(self) -> bool:
        return self.action in ("replace", "delete")

    @property
    def values(self) -> list[Difference]:
        """The differences; for a new resource its configured values, for a destroyed one nothing."""
        if self.action in ("delete", "forget"):
            return []
        if self.action != "create":
            later = self.later
            return [
                difference
                for difference in described(diff(self.was, self.now))
                if difference.attribute not in later
            ]
        configured = {key: value for key, value in self.now.items() if key in self.configured}
        return described(diff({}, configured))

    @property
    def later(self) -> list[str]:
        """Values that AWS decides during the apply."""
        if self.action == "create":
            return []
        return sorted(
            key for key, value in self.now.items() if value is UNKNOWN and key not in self.configured
        )

    def value(self, name: str) -> Any:
        """An argument after the change: if its value is unknown, its text in the configuration, such as a
        reference to another resource."""
        value = self.now.get(name)
        return self.configured.get(name, value) if value is UNKNOWN else value


def changes(tier: str, plan: Mapping[str, Any], configuration: Mapping[str, Any]) -> list[Change]:
    """All resource changes of a plan, by action and address."""
    resources = configuration.get("resource", {})
    result = [
        _change(tier, action, entry, resources.get(entry["type"], {}).get(entry.get("name"), {}))
        for entry in plan.get("resource_changes", [])
        if (action := _action(entry))
    ]
    return sorted(result, key=lambda change: (ACTIONS.index(change.action), change.address))


def _action(resource: Mapping[str, Any]) -> str:
    """The action in one word; empty for no change, and for data that is read during the apply."""
    change = resource["change"]
    actions = change["actions"]
    if actions == ["read"]:
        return ""
    if len(actions) == 2:
        return "replace" if "delete" in actions else "create"  # forget, then create
    if actions == ["no-op"]:
        return "import" if change.get("importing") else "move" if resource.get("previous_address") else ""
    return str(actions[0])


def _change(tier: str, action: str, resource: Mapping[str, Any], configured: Mapping[str, Any]) -> Change:
    change = resource["change"]
    was, now = sides(change)
    deposed = f" (deposed {resource['deposed']})" if resource.get("deposed") else ""
    reason = REASONS.get(resource.get("action_reason", ""), "")
    if resource.get("previous_address"):
        reason = f"was {resource['previous_address']}"
    elif change.get("importing"):
        reason = f"adopts {change['importing'].get('id', 'what exists')}"
    return Change(
        tier=tier,
        address=f"{resource['address']}{deposed}",
        type=resource["type"],
        action=action,
        was=was or {},
        now=now or {},
        configured=configured,
        forced_by=tuple(sorted(dotted(tuple(path)) for path in change.get("replace_paths", []))),
        reason=reason,
        new_first=change["actions"] == ["create", "delete"],
        left_over=bool(resource.get("deposed")),
    )


def outputs(plan: Mapping[str, Any]) -> list[str]:
    """The outputs that a plan changes."""
    outputs = plan.get("output_changes", {})
    return sorted(name for name, change in outputs.items() if change["actions"] != ["no-op"])


def configuration(stack: Path) -> dict[str, Any]:
    """The configuration of the saved plan of a tier, with own Terraform; empty without a plan."""
    return own.merged(read_plan(stack / CONFIGURATION), own.declared(stack / own.PLANNED))


def read_plan(file: Path) -> dict[str, Any]:
    """The JSON of a file; empty if it does not exist."""
    plan: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return plan
