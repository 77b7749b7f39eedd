"""Forecasts that can be reused.

A forecast asks nothing but the embedded provider, which remembers nothing: the same configuration, state and
outputs of other tiers, with the same terraform and the same provider, lead to the same forecast. So it is
kept in the tier's scratch folder with a checksum of all of these, and taken from there. Real plans are never
kept: they look at AWS.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from rehearsal import attach
from tierra.run import forecast, program, saved, upstream
from tierra.run.terraform import Terraform
from tierra.run.workspace import Failed, Tier, private, read_json, write

NOTE = "made.json"
STATE = "made.tfstate"  # the scratch state of the last run, until this run knows whether it still holds
RESULTS = ("plan.json", "plan.log")
SETTINGS = ("AWS_DEFAULT_REGION", "AWS_REGION", "REHEARSAL_", "TF_")


def begin(tier: Tier) -> None:
    """Puts aside what the last run left: tiers that need this one read nothing older than this run."""
    if tier.scratch_state.exists():
        tier.scratch_state.replace(tier.scratch / STATE)


def end(tier: Tier) -> None:
    """Removes what was put aside and not used."""
    (tier.scratch / STATE).unlink(missing_ok=True)


def key(tier: Tier, state: str, what: str) -> str:
    """A checksum of all that a forecast is made from, and of what is made of it; the state is as stored."""
    terraform = Terraform(tier, "plan", embedded=True)
    parts = [
        what,
        state,
        saved.checksum(tier.configuration),
        saved.carried(tier),
        {need.name: upstream.later(need) for need in tier.needs},
        {name: file.as_posix() for name, file in forecast.producers(tier).items()},
        {name: value for name, value in terraform.environment.items() if name.startswith(SETTINGS)},
        program.file(tier.workspace.terraform),
        attach.stamp(),
        saved.checksum(Path(forecast.__file__)),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def restored(tier: Tier, wanted: str) -> bool:
    """Puts the forecast with this key in its place, as if it had been made now; False when there is none.
    With VERBOSE=yes there is none: terraform's text is wanted."""
    try:
        note = read_json(tier.scratch / NOTE)
        whole = all(saved.checksum(tier.scratch / name) == sum_ for name, sum_ in note["files"].items())
    except (OSError, LookupError, Failed):
        return False
    if note["key"] != wanted or not whole or tier.workspace.verbose:
        return False
    if STATE in note["files"]:
        (tier.scratch / STATE).replace(tier.scratch_state)
    if set(RESULTS) <= note["files"].keys():
        plan = read_json(tier.scratch / tier.plan_json.name)
        plan["timestamp"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        private(tier.plan_json, json.dumps(plan, ensure_ascii=False))
        shutil.copyfile(tier.scratch / tier.plan_log.name, tier.plan_log)
    return True


def keep(tier: Tier, made_of: str, *, plan: bool) -> None:
    """Keeps the scratch state that was made, and with `plan` the plan and its text."""
    files = {STATE: tier.scratch_state} if tier.scratch_state.exists() else {}
    for file in (tier.plan_json, tier.plan_log) if plan else ():
        private(tier.scratch / file.name, file.read_text(encoding="utf-8"))
        files[file.name] = file
    sums = {name: saved.checksum(file) for name, file in files.items()}
    write(tier.scratch / NOTE, json.dumps({"key": made_of, "files": sums}) + "\n")
