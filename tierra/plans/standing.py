"""The resources of a tier before and after its plan, including unchanged ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tierra.plans.changes import Change
from tierra.plans.differences import sides

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """Resources by type, and by address below that. `configured` is the generated Terraform."""

    before: Mapping[str, Mapping[str, Values]]
    after: Mapping[str, Mapping[str, Values]]
    configured: Mapping[str, Any]

    def was(self, terraform_type: str) -> Mapping[str, Values]:
        return self.before.get(terraform_type, {})

    def will_be(self, terraform_type: str) -> Mapping[str, Values]:
        return self.after.get(terraform_type, {})

    def others(self, change: Change) -> bool:
        """Whether other resources of the same type exist before the change and after it."""
        staying = self.was(change.type).keys() & self.will_be(change.type).keys()
        return bool(staying - {change.address})

    def goes(self, terraform_type: str, argument: str, value: Any) -> bool:
        """Whether the plan destroys, without replacement, a resource that an argument refers to."""
        left = self.will_be(terraform_type)
        return value is not None and any(
            values.get(argument) == value
            for address, values in self.was(terraform_type).items()
            if address not in left
        )


def standing(plan: Mapping[str, Any], configured: Mapping[str, Any]) -> Standing:
    """From terraform's JSON of a plan. Deposed objects of an interrupted apply, which terraform only removes,
    are in neither picture."""
    pictures: tuple[dict[str, dict[str, Values]], dict[str, dict[str, Values]]] = ({}, {})
    for resource in plan.get("resource_changes", []):
        if resource.get("mode") == "data" or resource.get("deposed"):
            continue
        for picture, values in zip(pictures, sides(resource["change"]), strict=True):
            if values is not None:
                picture.setdefault(resource["type"], {})[resource["address"]] = values
    return Standing(*pictures, configured)
