"""Forecasts: plans of tiers whose upstream will change.

Such a tier is planned in its own folder, on the embedded provider, with a copy of its state and the future
outputs of its upstream. Known values stay as they are in the state: resources are not refreshed, and data
sources return the same values. Only really new values are made up, and none of them can be used in a real
apply.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from tierra.run.override import rehearsed, save
from tierra.run.terraform import LOCK, Terraform
from tierra.run.workspace import GENERATED, OVERRIDE, VERSIONS, Tier, private

PLAN = "plan.tfplan"
KNOWN = "known.tfstate"


def prepare(tier: Tier, state: str) -> Terraform:
    """Creates the scratch folder of a tier from its stored state, and returns terraform in it."""
    folder = tier.scratch
    plugins = folder / ".terraform"
    if folder.exists():
        for left in folder.iterdir():
            if left != plugins and left.name != LOCK:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tier.configuration, folder / GENERATED)
    shutil.copyfile(tier.folder / VERSIONS, folder / VERSIONS)
    for file in tier.own_files:
        shutil.copyfile(file, folder / file.name)
    for carried in tier.carried:
        (folder / carried.name).symlink_to(os.path.relpath(carried, folder))
    if state.strip():
        text = _readable(state)
        private(tier.scratch_state, text)
        private(folder / KNOWN, text)
    save(folder / OVERRIDE, rehearsed(folder, tier.scratch_state, producers(tier)))
    terraform = Terraform(tier, "plan", embedded=True)
    terraform.init()
    return terraform


def producers(tier: Tier) -> dict[str, Path]:
    """The state files of other tiers that the tier reads; other states are read from S3."""
    result = {}
    for need in tier.reads:
        if need.scratch_state.exists():
            result[need.name] = need.scratch_state
        elif tier.workspace.rehearsed:
            result[need.name] = need.local_state
    return result


def _readable(state: str) -> str:
    """A state in the form of the embedded provider: without schema versions and private data."""
    copy = json.loads(state)
    for resource in copy["resources"]:
        for instance in resource["instances"]:
            instance["schema_version"] = 0
            instance.pop("private", None)
    return json.dumps(copy)


def outcome(tier: Tier, terraform: Terraform, *arguments: str) -> None:
    """Writes the future outputs of the tier to `scratch_state`, by applying the plan, or the configuration,
    in the scratch folder."""
    options = ["-refresh=false", "-auto-approve"] if not arguments else []
    terraform.run(
        ["apply", "-input=false", "-no-color", *options, *arguments],
        tier.scratch / "apply.log",
        doing="outputs for the tiers that need it",
    )
    # terraform keeps a backup of a state in a file; it would outlive the secrets in it.
    for left in tier.scratch.glob("*.backup"):
        left.unlink()


def known_outputs(tier: Tier, plan: dict[str, Any]) -> bool:
    """Writes the outputs after a real plan into `scratch_state`, if all changed values are known. True if the
    tiers that need this one need nothing else."""
    changes = plan.get("output_changes", {})
    if all(change["actions"] == ["no-op"] for change in changes.values()):
        return True
    if any(_any(change.get("after_unknown")) for change in changes.values()):
        return False
    after = {name: change["after"] for name, change in changes.items() if change["actions"] != ["delete"]}
    outputs = {name: {"value": value, "type": _type(value)} for name, value in after.items()}
    state = {
        "version": 4,
        "terraform_version": plan["terraform_version"],
        "serial": 1,
        "lineage": "forecast",
        "outputs": outputs,
        "resources": [],
    }
    tier.scratch.mkdir(parents=True, exist_ok=True)
    private(tier.scratch_state, json.dumps(state))
    return True


def _any(unknown: Any) -> bool:
    if isinstance(unknown, dict):
        return any(map(_any, unknown.values()))
    if isinstance(unknown, list):
        return any(map(_any, unknown))
    return bool(unknown)


def _type(value: Any) -> Any:
    """The type of a value in the form of a state."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, dict):
        return ["object", {key: _type(member) for key, member in value.items()}]
    if isinstance(value, list):
        return ["tuple", [_type(member) for member in value]]
    return "string" if isinstance(value, str) else "dynamic"
