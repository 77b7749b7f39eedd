"""Plans one tier: for real if the values that it reads from other tiers do not change, as a forecast
otherwise.

Writes the plan, its JSON, the planned configuration and a seal to the tier's folder; for a forecast only the
JSON, marked as one. Tiers that need this one read its future outputs from its scratch state.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from tierra.run import forecast, forecast_cache, program, saved, upstream, waits
from tierra.run.board import DONE, RUNNING, Board
from tierra.run.terraform import Terraform
from tierra.run.workspace import Failed, Tier, private, read_json, write

NOTHING = "no changes"
OPTIONS = ("-input=false", "-no-color", "-out=plan.tfplan")


def plan(tier: Tier) -> None:
    """Plans a selected tier; for another one only determines its present or future outputs."""
    forecast_cache.begin(tier)
    try:
        _plan(tier)
    finally:
        forecast_cache.end(tier)


def _plan(tier: Tier) -> None:
    started = time.monotonic()
    board = Board(tier.workspace.out)
    terraform = Terraform(tier, "plan")
    board.update(tier.name, RUNNING, "reads its state")
    if tier.selected:
        tier.forget_plan()
        tier.applied.unlink(missing_ok=True)
        tier.held_back.unlink(missing_ok=True)
        if reason := terraform.unsafe():
            raise Failed(reason)
    state = prepare(tier, terraform)
    if not tier.selected:
        if _wanted(tier) and not upstream.complete(tier):
            _outputs(tier, state)
        return
    tier.plan_log.unlink(missing_ok=True)
    if moving := upstream.moving(tier):
        _forecast(tier, state, moving)
        plan = read_json(tier.plan_json)
    else:
        plan = real(tier, terraform)
        if _wanted(tier) and not forecast.known_outputs(tier, plan):
            _outputs(tier, state)
    outcome = summary(plan, forecast=tier.forecast.exists())
    board.update(tier.name, DONE, outcome)
    if not board.has_table:
        board.say(f"plan   {tier.name:<14} {outcome}  ({time.monotonic() - started:.0f} s)\n")


def prepare(tier: Tier, terraform: Terraform) -> str:
    """Prepares terraform, reads and returns the state, and saves its outputs beside it."""
    terraform.init()
    state = terraform.pull()
    keep_outputs(tier, state)
    return state


def keep_outputs(tier: Tier, state: str) -> None:
    """Saves the outputs of a stored state for the tiers that read them."""
    private(tier.outputs, json.dumps(upstream.outputs_of(state)))


def real(tier: Tier, terraform: Terraform, *options: str) -> dict[str, Any]:
    """Makes a plan that can be applied, with its seal; returns the plan as terraform shows it."""
    tier.keep_configuration()
    tier.waits.unlink(missing_ok=True)
    plan = _terraform(tier, terraform, options)
    if waiting := waits.asked(plan):
        write(tier.waits_override, waits.override(waiting))
        try:
            plan = _terraform(tier, terraform, options)
        finally:
            tier.waits_override.unlink()
        write(tier.waits, json.dumps(waiting) + "\n")
    if tier.imports.exists():
        from tierra.run import adopt  # imports a YAML parser, which few plans need

        adopt.check(tier)
    saved.seal(tier)
    tier.forecast.unlink(missing_ok=True)
    return plan


def _terraform(tier: Tier, terraform: Terraform, options: Sequence[str]) -> dict[str, Any]:
    timeout = f"-lock-timeout={tier.workspace.lock_timeout}"
    with terraform.one_provider():
        terraform.run(
            ["plan", *OPTIONS, timeout, *options],
            tier.plan_log,
            doing=f"{program.of(tier.workspace).command} plan",
        )
        terraform.save(["show", "-json", "plan.tfplan"], tier.plan_json)
    return saved.shown_plan(tier)


def _forecast(tier: Tier, state: str, moving: list[str]) -> None:
    wanted = _wanted(tier)
    key = forecast_cache.key(tier, state, "plan and outputs" if wanted else "plan")
    tier.keep_configuration()
    if not forecast_cache.restored(tier, key):
        terraform = forecast.prepare(tier, state)
        with terraform.one_provider():
            terraform.run(
                ["plan", *OPTIONS, "-refresh=false"],
                tier.plan_log,
                doing=f"forecast: {', '.join(moving)} changes",
            )
            terraform.save(["show", "-json", forecast.PLAN], tier.plan_json)
        if wanted:
            forecast.outcome(tier, terraform, forecast.PLAN)
        (tier.scratch / forecast.PLAN).unlink()
        forecast_cache.keep(tier, key, plan=True)
    tier.forecast.touch()


def _outputs(tier: Tier, state: str) -> None:
    """Writes the outputs of the tier after an apply of its configuration to the scratch state."""
    key = forecast_cache.key(tier, state, "outputs")
    if not forecast_cache.restored(tier, key):
        forecast.outcome(tier, forecast.prepare(tier, state))
        forecast_cache.keep(tier, key, plan=False)


def _wanted(tier: Tier) -> bool:
    """Whether a selected tier needs this one, directly or through others."""
    return any(consumer.selected or _wanted(consumer) for consumer in tier.consumers)


def counts(plan: dict[str, Any]) -> tuple[int, int, int, int]:
    """The numbers of resources that a plan imports, creates, updates in place and destroys."""
    changes = [change["change"] for change in plan.get("resource_changes", [])]
    actions = [change_actions["actions"] for change_actions in changes]
    return (
        sum(bool(change.get("importing")) for change in changes),
        sum("create" in change_actions for change_actions in actions),
        sum("update" in change_actions for change_actions in actions),
        sum("delete" in change_actions for change_actions in actions),
    )


def summary(plan: dict[str, Any], *, forecast: bool = False) -> str:
    """The changes of a plan, on one line."""
    imported, added, changed, destroyed = counts(plan)
    if not (imported or added or changed or destroyed):
        outputs = any(output["actions"] != ["no-op"] for output in plan.get("output_changes", {}).values())
        text = "outputs change" if outputs else NOTHING
    else:
        text = f"{added} to add, {changed} to change, {destroyed} to destroy"
        text = f"{imported} to import, {text}" if imported else text
    return f"{text} (forecast)" if forecast else text
