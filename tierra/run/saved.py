"""Saved plans: their inputs, and whether they may still be applied. A seal is the file `plan.seal` beside the
plan, with the checksums of the plan, of the configuration and other files, and of every value of another tier
that it was made from; tierra.report.report puts all seals into the report. A plan is applied only if nothing
has changed since it was sealed, the plan is the one in the report, and it is not too old.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tierra.bindings.terraform import planned
from tierra.run import program, upstream
from tierra.run.terraform import embedded_providers
from tierra.run.workspace import Failed, Tier, Workspace, read_json, write


def shown_plan(tier: Tier) -> dict[str, Any]:
    """The plan that terraform has just shown as JSON. Raises Failed if it is incomplete: terraform does not
    notice truncated output."""
    try:
        plan: dict[str, Any] = json.loads(tier.plan_json.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unsaved(tier, error) from None
    return plan


def seal(tier: Tier) -> None:
    """Writes the seal of a plan, last: a plan without one was not finished. Raises Failed if the plan is
    incomplete."""
    plan = shown_plan(tier)
    try:
        sealed = {
            "plan": checksum(tier.plan),
            "shown": checksum(tier.plan_json),
            "configuration": checksum(tier.planned_configuration),
            "carried": carried(tier),
            "upstream": upstream.value_checksums(tier),
            "program": planned(plan),
            "terraform": plan["terraform_version"],
            "made": plan["timestamp"],
            "target": tier.workspace.target,
        }
        if tier.workspace.rehearsed:
            sealed["embedded"] = embedded_providers()
        write(tier.seal, json.dumps(sealed, indent=2) + "\n")
    except (OSError, ValueError) as error:
        raise _unsaved(tier, error) from None


def _unsaved(tier: Tier, error: Exception) -> Failed:
    return Failed(
        f"plan: {tier.name} of {tier.workspace.environment}: the plan was not saved completely: the disk is"
        f" full ({error})\n  remedy: free some space, then {tier.workspace.command('plan')}"
    )


NAMES = "{tiers}"


def check(workspace: Workspace, tiers: list[Tier]) -> None:
    """Raises Failed, with a line for each reason, if plans of these tiers may not be applied."""
    remedy = f"run {workspace.command('plan')}"
    refused: dict[str, list[str]] = {}
    for tier in tiers:
        if reason := fault(tier):
            refused.setdefault(reason.replace(tier.name, NAMES, 1), []).append(tier.name)
    if refused:
        lines = (reason.replace(NAMES, ", ".join(names)) for reason, names in refused.items())
        raise Failed("\n".join(f"apply: {line}: {remedy}" for line in lines))


def fault(tier: Tier) -> str:
    """Why the plan of a tier may not be applied; empty if it may, if there is nothing to apply, or if the
    tier will be planned again."""
    if tier.forecast.exists():
        same = checksum(tier.planned_configuration) == checksum(tier.configuration)
        same = same and tier.kept_configuration() == tier.configured()
        return "" if same else f"the configuration is newer than the forecast of {tier.name}"
    if tier.applied.exists() and not tier.plan.exists():
        return (
            ""
            if _made_of(tier, read_json(tier.applied))
            else f"an earlier configuration was applied to {tier.name}"
        )
    files = (tier.seal, tier.plan, tier.plan_json, tier.planned_configuration)
    if not all(file.exists() for file in files):
        return f"there is no saved plan of {tier.name}"
    sealed = read_json(tier.seal)
    whole = f"the saved plan of {tier.name}"
    if not _made_of(tier, sealed):
        return f"the configuration is newer than {whole}"
    parts = {"plan": tier.plan, "shown": tier.plan_json, "configuration": tier.planned_configuration}
    if any(sealed[name] != checksum(file) for name, file in parts.items()):
        return f"{whole} is not the one that was made by make plan"
    report = tier.workspace.reviewed
    reviewed = read_json(report)["plans"].get(tier.name) if report.exists() else None
    if reviewed is not None and reviewed["plan"] != sealed["plan"]:
        return f"{whole} is not the one that was reviewed ({report.as_posix()} has another checksum)"
    if sealed["target"] != tier.workspace.target:
        return f"{whole} was made for target: {sealed['target']}"
    ours = program.of(tier.workspace).name
    if (
        theirs := sealed.get("program", ours)
    ) != ours:  # with the same version number neither refuses the plan of the other
        return f"{whole} was made by {theirs}, and this is {ours}"
    if tier.workspace.rehearsed and sealed.get("embedded") != embedded_providers():
        return f"{whole} was made with the embedded provider of another version of Tierra"
    sealed_at, hours = datetime.fromisoformat(sealed["made"]), int(tier.workspace.facts["plan_hours"])
    if datetime.now(UTC) - sealed_at > timedelta(hours=hours):
        return f"{whole} is of {sealed_at:%Y-%m-%d %H:%M} UTC, older than {hours} hours (state.plan_hours)"
    return ""


def _made_of(tier: Tier, sealed: dict[str, Any]) -> bool:
    """Whether the configuration and the files beside it are unchanged since the seal."""
    return bool(
        sealed["configuration"] == checksum(tier.configuration) and sealed["carried"] == carried(tier)
    )


def moved(tier: Tier, sealed: dict[str, Any]) -> list[str]:
    """The values of other tiers that have changed since a plan was made; `upstream.now` of those tiers must
    be current."""
    current = upstream.value_checksums(tier)
    return sorted(name for name, value in sealed.get("upstream", {}).items() if current.get(name) != value)


def checksum(file: Path) -> str:
    """The SHA-256 of a file, as sha256sum prints it."""
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def carried(tier: Tier) -> str:
    """One checksum of all files beside the configuration that terraform and its providers read."""
    whole = hashlib.sha256()
    for file in _beside(tier):
        whole.update(f"{file.relative_to(tier.folder).as_posix()}\0{checksum(file)}\n".encode())
    return whole.hexdigest()


def _beside(tier: Tier) -> Iterator[Path]:
    stack = tier.folder
    yield from sorted(path for folder in tier.carried for path in folder.rglob("*") if path.is_file())
    others = sorted({*stack.glob("*.tf"), *stack.glob("*.tf.json"), *stack.glob("*.tfvars*")})
    yield from (path for path in others if path != tier.configuration)
