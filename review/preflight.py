"""What a destroy will meet, read from the states before anything is asked: what is protected, what holds
data, what becomes of it, and what still stands on the tiers that are to go.

Make leaves the state of each tier as `terraform show -json` writes it in `stacks/<tier>/state.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from review.holdings import fate, keeps_snapshot

GENERATED = ("cdk.tf.json", "rehearsal_override.tf.json")
# Arguments by which AWS refuses a deletion, as they stand in the state: as they were last applied.
GUARDS = ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection")
KEY = "aws_kms_key"
LOGS = "aws_cloudwatch_log_group"


@dataclass(frozen=True)
class Holding:
    """A resource that is guarded or holds data, and what becomes of it. `guards` are the arguments that
    forbid its deletion."""

    address: str
    fate: str
    guards: tuple[str, ...] = ()


class TierState:
    """What the last apply left of one tier."""

    def __init__(self, folder: Path, tier: str) -> None:
        self.tier = tier
        self.stack = folder / "stacks" / tier
        values = json.loads((self.stack / "state.json").read_text()).get("values", {})
        self._outputs = values.get("outputs", {})
        resources = values.get("root_module", {}).get("resources", [])
        self.resources: list[dict[str, Any]] = [each for each in resources if each["mode"] == "managed"]

    @property
    def holdings(self) -> list[Holding]:
        """Guarded resources and those with data; log groups without a guard, which are many, are one."""
        found = [_holding(each) for each in self.resources]
        single = [each for each in found if each and (each.guards or not each.address.startswith(LOGS))]
        logs = [each for each in found if each and each not in single]
        if logs:
            single.append(Holding(f"{LOGS}.* ({len(logs)})", "their logs are deleted"))
        return single

    @property
    def applied_protection(self) -> bool:
        """What the spec said about protection when the tier was last applied; where that apply, or a destroy,
        ended halfway, what the guards say."""
        if "protection" in self._outputs:
            return bool(self._outputs["protection"]["value"])
        return any(each.guards for each in self.holdings)

    @property
    def wanted_protection(self) -> bool:
        """What the configuration says now, which is what terraform goes by for `prevent_destroy`."""
        said = True
        for name in GENERATED:
            file = self.stack / name
            outputs = json.loads(file.read_text()).get("output", {}) if file.exists() else {}
            said = outputs.get("protection", {}).get("value", said)
        return bool(said)

    @property
    def snapshots_outlive_keys(self) -> bool:
        """Whether a final snapshot is made in a tier whose keys are destroyed with it."""
        keys = any(each["type"] == KEY for each in self.resources)
        return keys and any(keeps_snapshot(each["type"], each["values"]) for each in self.resources)


def _holding(resource: dict[str, Any]) -> Holding | None:
    values = resource["values"]
    guards = tuple(name for name in GUARDS if values.get(name) in (True, "ACTIVE"))
    becomes = fate(resource["type"], values)
    return Holding(resource["address"], becomes or "is deleted", guards) if guards or becomes else None


def read(folder: Path, tiers: list[str]) -> list[TierState]:
    """The states of those of the tiers that hold anything."""
    return [state for state in (TierState(folder, tier) for tier in tiers) if state.resources]


def refusals(environment: str, going: list[TierState], standing: list[TierState]) -> Iterator[str]:
    """Why nothing of this may be destroyed, with the remedy; nothing when it may."""
    by_spec = [state.tier for state in going if state.wanted_protection]
    by_state = [state.tier for state in going if state.applied_protection and not state.wanted_protection]
    guarded = [
        f"    {state.tier}: {each.address} ({', '.join(each.guards)})\n"
        for state in going
        if not state.applied_protection
        for each in state.holdings
        if each.guards
    ]
    spec, applied = f"environments/{environment}.yaml", f"make plan ENV={environment}, then make apply"
    if by_spec:
        yield (
            f"{', '.join(by_spec)}: {spec} has protection on\n"
            f"  remedy: write protection: false there, have it reviewed, {applied}; destroy afterwards\n"
        )
    if by_state:
        yield (
            f"{', '.join(by_state)}: {spec} has protection off, and that was not applied\n"
            f"  remedy: {applied}, as a change of its own; destroy afterwards\n"
        )
    if guarded:
        yield f"AWS refuses to delete what somebody guarded\n{''.join(guarded)}  remedy: {applied}\n"
    for state in standing:
        yield (
            f"{state.tier} stands on it and still has {len(state.resources)} resources\n"
            f"  remedy: destroy {state.tier} first (TIER={state.tier}), or all of it (without TIER)\n"
        )


def table(states: list[TierState]) -> Table:
    """What is protected or holds data, and what becomes of it."""
    rows = Table(box=box.SIMPLE_HEAD)
    for name in ("tier", "protected or with data", "guard", "when destroyed"):
        rows.add_column(name, overflow="fold")
    for state in states:
        for each in state.holdings:
            guard = ", ".join(each.guards) or ("protection" if state.applied_protection else "")
            rows.add_row(state.tier, each.address, guard, each.fate)
    return rows


def summary(states: list[TierState]) -> Iterator[str]:
    """What the table does not say."""
    for state in states:
        yield f"{state.tier}: {len(state.resources)} resources are destroyed"
    if any(state.snapshots_outlive_keys for state in states):
        yield (
            "Final snapshots are encrypted with keys that are destroyed as well: copy those to keep under"
            " another key before the keys are gone, or cancel the deletion of the keys."
        )
