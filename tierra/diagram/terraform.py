"""The generated Terraform of all tiers of an environment, with the changes of its saved plans.

References are followed across tiers. Destroyed resources are no longer in the configuration; they come from
the plan, with their present values.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tierra.diagram.graph import Mark, Marks, TierPlan
from tierra.plans import own
from tierra.plans.changes import PLAN

CONFIGURATION = "cdk.tf.json"
# The configuration that a plan was made from: beside the plan, or in the folder of the forecast.
PLANNED = "plan.config"
FORECAST = "forecast"

ACTIONS = {
    ("create",): Mark.ADDED,
    ("update",): Mark.CHANGED,
    ("delete", "create"): Mark.REPLACED,
    ("create", "delete"): Mark.REPLACED,
    ("delete",): Mark.DESTROYED,
}

OUTPUT = re.compile(r"\$\{data\.terraform_remote_state\.(\w+)\.outputs\.(\w+)((?:\.\w+)*)\}")
# Unique ids such as subnet-0123456789abcdef0. Others are names, which several resources may share.
ID = re.compile(r"[a-z]+-[0-9a-f]{8,17}")
ATTRIBUTE = re.compile(r"\$\{((?:data\.)?[a-z]\w*)\.(\w+)\.(\w+)\}")
# The parts of an existing network, which are drawn although they are only read.
EXISTING = ("aws_vpc", "aws_subnet")


@dataclass(frozen=True)
class Resource:
    """A resource of a tier with its generated arguments (or its present values, if it is destroyed).
    `before`: its present values, if a plan has them. `forecast`: the plan is a forecast. `own`: it belongs to
    own Terraform. `existing`: it is only read, and not managed by Tierra."""

    tier: str
    type: str
    name: str
    values: Mapping[str, Any]
    mark: Mark | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    forecast: bool = False
    own: bool = False
    existing: bool = False

    @property
    def address(self) -> str:
        kind = f"data.{self.type}" if self.existing else self.type
        return f"{self.tier}/{kind}.{self.name}"


def natural(text: str) -> list[tuple[int, int | str]]:
    """Sorts sistema-2 before sistema-10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part]


def count(marks: Iterable[Mark | None]) -> Marks:
    """The number of resources by mark."""
    counts = Counter(mark for mark in marks if mark)
    return tuple((mark, counts[mark]) for mark in Mark if counts[mark])


@dataclass
class Terraform:
    """Root modules by tier, and the JSON plans of tiers that have one; `own` are the declarations of own
    Terraform."""

    bodies: Mapping[str, Mapping[str, Any]]
    plans: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    forecasts: frozenset[str] = frozenset()
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.resources = [resource for tier in self.bodies for resource in self._tier(tier)]
        self.by_address = {resource.address: resource for resource in self.resources}
        self._by_id = {
            values["id"]: f"{tier}/{change['type']}.{change['name']}"
            for tier, plan in self.plans.items()
            for change in plan.get("resource_changes", ())
            for values in (change["change"].get("before"), change["change"].get("after"))
            if values and ID.fullmatch(str(values.get("id")))
        }

    def _tier(self, tier: str) -> Iterable[Resource]:
        changes = {
            change["address"]: change
            for change in self.plans.get(tier, {}).get("resource_changes", ())
            if change["mode"] == "managed" and "deposed" not in change
        }
        forecast = tier in self.forecasts
        yield from self._own(tier, changes)
        for kind, named in self.bodies[tier].get("resource", {}).items():
            for name, values in named.items():
                change = changes.pop(f"{kind}.{name}", None)
                before = (change["change"].get("before") if change else None) or {}
                yield Resource(tier, kind, name, values, mark(change) if change else None, before, forecast)
        for kind in EXISTING:
            for name, values in self.bodies[tier].get("data", {}).get(kind, {}).items():
                yield Resource(tier, kind, name, values, existing=True)
        for change in changes.values():
            if mark(change) is Mark.DESTROYED:
                before = change["change"]["before"]
                kind, name = change["type"], change["name"]
                yield Resource(tier, kind, name, before, Mark.DESTROYED, before, forecast)

    def _own(self, tier: str, changes: dict[str, Any]) -> Iterable[Resource]:
        """Resources and modules of own Terraform, one for all instances. Removes their instances from the
        changes."""
        declared = self.own.get(tier, {})
        named = [
            (kind, name, body)
            for kind, of in declared.get("resource", {}).items()
            for name, body in of.items()
        ]
        named += [("module", name, body) for name, body in declared.get("module", {}).items()]
        for kind, name, body in named:
            address = f"{kind}.{name}"
            mine = [
                changed
                for changed in changes
                if changed == address or changed.startswith((f"{address}[", f"{address}."))
            ]
            marks = {mark_ for changed in mine if (mark_ := mark(changes.pop(changed)))}
            what = marks.pop() if len(marks) == 1 else Mark.CHANGED if marks else None
            yield Resource(tier, kind, name, body, what, forecast=tier in self.forecasts, own=True)

    def all(self, *kinds: str, tier: str | None = None) -> list[Resource]:
        """Generated resources of the types, in the order of their names, 2 before 10."""
        resources = [
            resource
            for resource in self.resources
            if resource.type in kinds and tier in (None, resource.tier) and not resource.own
        ]
        return sorted(
            resources,
            key=lambda resource: (kinds.index(resource.type), natural(resource.name), resource.tier),
        )

    def follow(self, tier: str, value: Any) -> str:
        """A value of that tier: literal if the configuration has it, else the address of the resource of
        which it is an attribute, or the text itself."""
        text = str(value)
        if match := OUTPUT.fullmatch(text):
            producer, name, keys = match.groups()
            if name not in self.bodies[producer]["output"]:
                return text  # an output of own Terraform
            output: Any = self.bodies[producer]["output"][name]["value"]
            for key in keys.split(".")[1:]:
                output = output[key]
            return self.follow(producer, output)
        if match := ATTRIBUTE.fullmatch(text):
            kind, name, attribute = match.groups()
            resource = self.by_address.get(f"{tier}/{kind}.{name}")
            named = resource is not None and resource.existing and attribute == "id"
            if resource and not named and isinstance(resource.values.get(attribute), str):
                return self.follow(tier, resource.values[attribute])
            return f"{tier}/{kind}.{name}"
        return self._by_id.get(text, text)

    def followed(self, resource: Resource, *path: str) -> list[str]:
        """The values at a path of a resource, blocks and lists opened, each followed."""
        values: list[Any] = [resource.values]
        for key in path:
            values = [value.get(key) for value in values if isinstance(value, Mapping)]
            values = [
                member for value in values for member in (value if isinstance(value, list) else [value])
            ]
        return [self.follow(resource.tier, value) for value in values if value is not None]

    def tier_plans(self) -> tuple[TierPlan, ...]:
        """The changes of each saved plan, in the order of the tiers."""
        return tuple(
            TierPlan(
                tier,
                count(mark(change) for change in self.plans[tier].get("resource_changes", ())),
                tier in self.forecasts,
                self.plans[tier].get("timestamp", ""),
            )
            for tier in self.bodies
            if tier in self.plans
        )


def mark(change: Mapping[str, Any]) -> Mark | None:
    """The mark for an entry of `resource_changes`; None if the picture does not show it."""
    return ACTIONS.get(tuple(change["change"]["actions"])) if change["mode"] == "managed" else None


def load(folder: Path, tiers: Iterable[str]) -> tuple[Terraform, list[str]]:
    """The Terraform below `cdktf.out/<env>`, and the tiers whose saved plan was made from an earlier
    configuration and is therefore left out.

    Raises FileNotFoundError when a tier was not generated.
    """
    bodies, plans, forecasts, stale, added = {}, {}, [], [], {}
    for tier in tiers:
        stack = folder / "stacks" / tier
        text = (stack / CONFIGURATION).read_text(encoding="utf-8")
        bodies[tier] = json.loads(text)
        if own_terraform := own.declared(stack / own.INDEX):
            added[tier] = own_terraform
        if not (stack / PLAN).exists():
            continue
        forecast = (stack / FORECAST).exists()
        made_from = [stack / PLANNED, *([folder / FORECAST / tier / CONFIGURATION] if forecast else [])]
        planned = next((file.read_text(encoding="utf-8") for file in made_from if file.exists()), None)
        if planned != text or own.declared(stack / own.PLANNED) != own_terraform:
            stale.append(tier)
            continue
        plans[tier] = json.loads((stack / PLAN).read_text(encoding="utf-8"))
        if forecast:
            forecasts.append(tier)
    return Terraform(bodies, plans, frozenset(forecasts), added), stale
