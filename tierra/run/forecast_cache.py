"""Forecasts that can be reused.

A forecast depends only on the embedded provider, which remembers nothing: the same configuration, state and
outputs of other tiers, with the same terraform and the same provider, give the same forecast. So it is kept
in the tier's scratch folder with a checksum of all of these, and reused. Real plans are never kept, because
they depend on AWS.
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
STATE = "made.tfstate"  # the scratch state of the last run, until it is known whether it is still valid
RESULTS = ("plan.json", "plan.log")
SETTINGS = ("AWS_DEFAULT_REGION", "AWS_REGION", "REHEARSAL_", "TF_")


def begin(tier: Tier) -> None:
    """Sets the results of the last run aside, so that tiers that need this one read nothing older than this
    run."""
    if tier.scratch_state.exists():
        tier.scratch_state.replace(tier.scratch / STATE)


def end(tier: Tier) -> None:
    """Removes what was set aside and not used."""
    (tier.scratch / STATE).unlink(missing_ok=True)


def key(tier: Tier, state: str, what: str) -> str:
    """A checksum of all inputs of a forecast, and of its options; `state` is the stored state."""
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


def restored(tier: Tier, key_: str) -> bool:
    """Restores the forecast with this key, as if it had been made now; False if there is none. With
    VERBOSE=yes it is never reused, because terraform's output is wanted."""
    try:
        note = read_json(tier.scratch / NOTE)
        whole = all(saved.checksum(tier.scratch / name) == sum_ for name, sum_ in note["files"].items())
    except (OSError, LookupError, Failed):
        return False
    if note["key"] != key_ or not whole or tier.workspace.verbose:
        return False
    if STATE in note["files"]:
        (tier.scratch / STATE).replace(tier.scratch_state)
    if set(RESULTS) <= note["files"].keys():
        plan = read_json(tier.scratch / tier.plan_json.name)
        plan["timestamp"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        private(tier.plan_json, json.dumps(plan, ensure_ascii=False))
        shutil.copyfile(tier.scratch / tier.plan_log.name, tier.plan_log)
    return True


def keep(tier: Tier, key_: str, *, plan: bool) -> None:
    """Keeps the new scratch state, and with `plan` the plan and its text."""
    files = {STATE: tier.scratch_state} if tier.scratch_state.exists() else {}
    for file in (tier.plan_json, tier.plan_log) if plan else ():
        private(tier.scratch / file.name, file.read_text(encoding="utf-8"))
        files[file.name] = file
    sums = {name: saved.checksum(file) for name, file in files.items()}
    write(tier.scratch / NOTE, json.dumps({"key": key_, "files": sums}) + "\n")
