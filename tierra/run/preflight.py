"""Checks before a destroy, from the states: protected resources, resources with data and what happens to the
data, and tiers that still depend on those to be destroyed.

The state of each tier is read from `state.json` in its folder, as `terraform show -json` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich import box
from rich.table import Table

from tierra.aws.types import known
from tierra.report.holdings import keeps_snapshot, outcome
from tierra.report.protection import PROTECTION
from tierra.run.override import PROTECTIONS
from tierra.run.workspace import Tier, Workspace
from tierra.validation.errors import counted


@dataclass(frozen=True)
class Holding:
    """A resource that is protected or has data, and what happens to it. `protections` are the arguments that
    make AWS refuse its deletion, as they were last applied."""

    address: str
    outcome: str
    protections: tuple[str, ...] = ()


class TierState:
    """One tier after its last apply."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier.name
        # Merged like terraform does: the later one wins.
        self._configured: list[dict[str, Any]] = [
            *([tier.configured()] if tier.configuration.exists() else []),
            *([json.loads(tier.override.read_text())] if tier.override.exists() else []),
        ]
        values = json.loads(tier.state_json.read_text()).get("values", {})
        self._outputs = values.get("outputs", {})
        resources = values.get("root_module", {}).get("resources", [])
        self.resources: list[dict[str, Any]] = [
            resource for resource in resources if resource["mode"] == "managed"
        ]

    @property
    def holdings(self) -> list[Holding]:
        """Protected resources and those with data. There are many equal log groups and releases: those with
        the same outcome share a row."""
        holdings = [holding for resource in self.resources if (holding := _holding(resource))]
        rows = [holding for holding in holdings if not _alike(holding)]
        alike = sorted(set(holdings) - set(rows), key=_kind_and_outcome)
        for (kind, becomes), group in groupby(alike, _kind_and_outcome):
            same = list(group)
            rows.append(same[0] if len(same) == 1 else Holding(f"{kind}.* ({len(same)})", becomes))
        return rows

    @property
    def applied_protection(self) -> bool:
        """The protection in the spec at the last apply; if that apply, or a destroy, ended halfway, whether a
        resource is protected."""
        if PROTECTION in self._outputs:
            return bool(self._outputs[PROTECTION]["value"])
        return any(holding.protections for holding in self.holdings)

    @property
    def wanted_protection(self) -> bool:
        """The protection in the present configuration."""
        values = [
            configuration["output"][PROTECTION]["value"]
            for configuration in self._configured
            if "output" in configuration
        ]
        return bool(values[-1])

    @property
    def prevented(self) -> set[str]:
        """The addresses that terraform refuses to destroy, by the present configuration."""
        addresses = {
            f"{kind}.{name}": resource["lifecycle"]["prevent_destroy"]
            for configuration in self._configured
            for kind, named in configuration.get("resource", {}).items()
            for name, resource in named.items()
            if "prevent_destroy" in resource.get("lifecycle", {})
        }
        return {address for address, prevented in addresses.items() if prevented}

    @property
    def snapshots_outlive_keys(self) -> bool:
        """Whether a tier makes final snapshots although its keys are destroyed with it."""
        keys = any(resource["type"] == "aws_kms_key" for resource in self.resources)
        return keys and any(
            keeps_snapshot(resource["type"], resource["values"]) for resource in self.resources
        )


def _holding(resource: dict[str, Any]) -> Holding | None:
    values = resource["values"]
    protections = tuple(name for name in PROTECTIONS if values.get(name) is True)
    becomes = outcome(resource["type"], values)
    return (
        Holding(resource["address"], becomes or "is deleted", protections) if protections or becomes else None
    )


def _alike(holding: Holding) -> bool:
    return not holding.protections and known(holding.address.partition(".")[0]).minor_data


def _kind_and_outcome(holding: Holding) -> tuple[str, str]:
    return holding.address.partition(".")[0], holding.outcome


def read_states(tiers: list[Tier]) -> list[TierState]:
    """The states of those tiers that have resources."""
    return [state for state in map(TierState, tiers) if state.resources]


def refusals(workspace: Workspace, targets: list[TierState], dependents: list[TierState]) -> Iterator[str]:
    """Why nothing may be destroyed, with the remedy; empty if it may."""
    by_spec = [state.tier for state in targets if state.wanted_protection]
    by_state = [state.tier for state in targets if state.applied_protection and not state.wanted_protection]
    by_hand = [
        f"    {state.tier}: {holding.address} ({', '.join(holding.protections)})\n"
        for state in targets
        if not state.applied_protection
        for holding in state.holdings
        if holding.protections
    ]
    spec = workspace.spec.as_posix()
    applied = f"{workspace.command('plan')}, then {workspace.command('apply')}"
    if by_spec:
        yield (
            f"{', '.join(by_spec)}: {spec} has protection on\n"
            f"  remedy: write protection: false there, have it reviewed, {applied}; destroy afterwards\n"
        )
    if by_state:
        yield (
            f"{', '.join(by_state)}: {spec} has protection off, and this is not applied yet\n"
            f"  remedy: {applied}, as a separate change; destroy afterwards\n"
        )
    if by_hand:
        yield (
            "AWS refuses to delete resources that were protected by hand\n"
            f"{''.join(by_hand)}  remedy: {applied}\n"
        )
    for state in dependents:
        yield (
            f"{state.tier} depends on it and still has {counted(len(state.resources), 'resource')}\n"
            f"  remedy: destroy {state.tier} first (TIER={state.tier}), or everything (without TIER)\n"
        )


def table(states: list[TierState]) -> Table:
    """The resources that are protected or have data, and what happens to them."""
    rows = Table(box=box.SIMPLE_HEAD)
    for name in ("tier", "protected or with data", "protection", "when destroyed"):
        rows.add_column(name, overflow="fold")
    for state in states:
        for holding in state.holdings:
            by_terraform = ("prevent_destroy",) if holding.address in state.prevented else ()
            rows.add_row(
                state.tier, holding.address, ", ".join((*holding.protections, *by_terraform)), holding.outcome
            )
    return rows


def summary(states: list[TierState]) -> Iterator[str]:
    """Remarks below the table."""
    for state in states:
        yield f"{state.tier}: {counted(len(state.resources), 'resource')} will be destroyed"
    if any(state.snapshots_outlive_keys for state in states):
        yield (
            "Final snapshots are encrypted with keys that are destroyed as well: copy those that you keep"
            " under another key before the keys are deleted, or cancel the deletion of the keys."
        )
