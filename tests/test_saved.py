"""Tests of saved plans: only the reviewed plan is applied, and any other is refused with the reason.

They use one plan, and a modified copy of it for each refusal.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from support.on_aws import Production
from support.project import refused

from tierra.run.saved import fault, seal
from tierra.run.workspace import Failed, Workspace

AGAIN = ": run make plan ENV=production"


def edited(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def test_only_the_reviewed_plan_is_applied(production: Production) -> None:
    stack = production.stack("state")
    report = production.folder / "cdktf.out" / "production" / "report.json"
    sealed = json.loads(report.read_text())["plans"]["state"]
    assert sealed["plan"] == sha256((stack / "plan.tfplan").read_bytes()).hexdigest()
    assert sealed["configuration"] == sha256((stack / "cdk.tf.json").read_bytes()).hexdigest()
    assert sealed["terraform"] == json.loads((stack / "plan.json").read_text())["terraform_version"]
    assert sealed["target"] == "aws"

    workspace = Workspace("production", report.parent, {"REPORT": str(report)})

    def reason() -> str:
        return fault(workspace.tier("state"))

    assert reason() == ""
    whole = {file: file.read_bytes() for file in (report, *stack.glob("plan.*"), stack / "cdk.tf.json")}
    sealed_at = datetime.fromisoformat(sealed["made"])
    for spoil, expected in (
        (lambda: (stack / "plan.seal").unlink(), "there is no saved plan of state"),
        (lambda: (stack / "plan.tfplan").unlink(), "there is no saved plan of state"),
        (
            lambda: (stack / "cdk.tf.json").write_bytes(whole[stack / "cdk.tf.json"] + b"\n"),
            "the configuration is newer than the saved plan of state",
        ),
        (
            lambda: (stack / "more.tf").write_text("locals {}"),
            "the configuration is newer than the saved plan of state",
        ),
        (
            lambda: (stack / "plan.tfplan").write_bytes(whole[stack / "plan.tfplan"] + b"\0"),
            "the saved plan of state is not the one that was made by make plan",
        ),
        (
            lambda: (stack / "plan.json").write_text("{}"),
            "the saved plan of state is not the one that was made by make plan",
        ),
        (
            lambda: edited(report, lambda fields: fields["plans"]["state"].update(plan="0" * 64)),
            "the saved plan of state is not the one that was reviewed",
        ),
        (
            lambda: edited(stack / "plan.seal", lambda fields: fields.update(target="rehearsal")),
            "the saved plan of state was made for target: rehearsal",
        ),
        (
            lambda: edited(
                stack / "plan.seal",
                lambda fields: fields.update(made=(sealed_at - timedelta(hours=25)).isoformat()),
            ),
            "older than 24 hours (state.plan_hours)",
        ),
    ):
        spoil()
        assert expected in reason()
        for file, content in whole.items():
            file.write_bytes(content)
        (stack / "more.tf").unlink(missing_ok=True)
        assert reason() == ""
    assert datetime.now(UTC) - sealed_at < timedelta(hours=24)


def test_make_refuses_a_modified_or_expired_plan_before_it_asks_or_changes_anything(
    production: Production,
) -> None:
    plan = production.stack("state") / "plan.tfplan"
    whole = plan.read_bytes()
    plan.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    run = production.make("apply", "TIER=state", APPROVE="yes")
    refused(run, f"the saved plan of state is not the one that was made by make plan{AGAIN}")
    plan.write_bytes(whole)

    # The clock of the seal is that of terraform; the spec of this project says how long is too long.
    sealed = production.stack("state") / "plan.seal"
    seal_of_plan = sealed.read_bytes()
    sealed_at = (datetime.now(UTC) - timedelta(hours=24, minutes=1)).isoformat(timespec="seconds")
    edited(sealed, lambda fields: fields.update(made=sealed_at))
    run = production.make("apply", "TIER=state", APPROVE="yes")
    refused(run, f"older than 24 hours (state.plan_hours){AGAIN}")
    sealed.write_bytes(seal_of_plan)

    spec = production.folder / "environments" / "production.yaml"
    spec.write_text(spec.read_text() + "\nstate: {plan_hours: 1, version_days: 400}\n")
    run = production.make("apply", "TIER=state", APPROVE="yes")
    refused(run, f"the configuration is newer than the saved plan of state{AGAIN}")
    assert not production.cloud.exists() or production.recorded("state") == set()


def test_a_plan_of_another_terraform_version_is_refused(production: Production) -> None:
    stack = production.stack("state")
    ours = json.loads((stack / "plan.seal").read_text())["terraform"]
    theirs = ours[:-1] + (
        "0" if ours[-1] != "0" else "1"
    )  # of the same length, for the file has lengths in it
    with ZipFile(stack / "plan.tfplan") as plan:
        parts = {name: plan.read(name) for name in plan.namelist()}
    assert ours.encode() in parts["tfplan"]
    with ZipFile(stack / "plan.tfplan", "w") as plan:
        for name, content in parts.items():
            plan.writestr(
                name, content.replace(ours.encode(), theirs.encode()) if name == "tfplan" else content
            )
    seal(Workspace("production", stack.parents[1]).tier("state"))
    (production.folder / "cdktf.out" / "production" / "report.json").unlink()
    run = production.make("apply", "TIER=state", APPROVE="yes")
    refused(run, f"the plan was made by version {theirs}; this is Terraform {ours}")
    assert production.recorded("state") == set()


def test_a_truncated_plan_file_is_reported_with_a_remedy(tmp_path: Path) -> None:
    out = tmp_path / "dev"
    out.mkdir()
    (out / "environment.json").write_text('{"target": "rehe')
    with pytest.raises(Failed, match=r"dev/environment\.json: the file is damaged: .*\n  remedy: make clean"):
        _ = Workspace("dev", out).facts
