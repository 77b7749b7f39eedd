"""The resources of a tier before and after its plan, including unchanged ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tierra.plans.changes import Change
from tierra.plans.differences import sides

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Resources:
    """The values of resources by type and address, before and after a plan. `configured` is the generated
    Terraform."""

    before: Mapping[str, Mapping[str, Values]]
    after: Mapping[str, Mapping[str, Values]]
    configured: Mapping[str, Any]

    def was(self, terraform_type: str) -> Mapping[str, Values]:
        return self.before.get(terraform_type, {})

    def will_be(self, terraform_type: str) -> Mapping[str, Values]:
        return self.after.get(terraform_type, {})

    def has_others(self, change: Change) -> bool:
        """Whether other resources of the same type exist before the change and after it."""
        staying = self.was(change.type).keys() & self.will_be(change.type).keys()
        return bool(staying - {change.address})

    def destroys(self, terraform_type: str, argument: str, value: Any) -> bool:
        """Whether the plan destroys, without replacement, a resource that an argument refers to."""
        left = self.will_be(terraform_type)
        return value is not None and any(
            values.get(argument) == value
            for address, values in self.was(terraform_type).items()
            if address not in left
        )


def planned_resources(plan: Mapping[str, Any], configured: Mapping[str, Any]) -> Resources:
    """From terraform's JSON of a plan. Deposed objects of an interrupted apply, which terraform only removes,
    are neither before nor after."""
    before_after: tuple[dict[str, dict[str, Values]], dict[str, dict[str, Values]]] = ({}, {})
    for resource in plan.get("resource_changes", []):
        if resource.get("mode") == "data" or resource.get("deposed"):
            continue
        for side, values in zip(before_after, sides(resource["change"]), strict=True):
            if values is not None:
                side.setdefault(resource["type"], {})[resource["address"]] = values
    return Resources(*before_after, configured)
