"""Applies one tier: exactly its saved plan, or a new plan if values that it reads from other tiers have
changed."""

from __future__ import annotations

import json
import shutil
import time
from typing import Any

from tierra.run import deployed, order, saved, upstream
from tierra.run import plan as planning
from tierra.run.board import DONE, RUNNING, Board
from tierra.run.terraform import Terraform
from tierra.run.workspace import Failed, Tier, Workspace, read_json, write


def apply(tier: Tier) -> None:
    """Applies a selected tier, and leaves the others alone."""
    if not tier.selected:
        return
    started = time.monotonic()
    board = Board(tier.workspace.out)
    terraform = Terraform(tier, "apply")
    board.update(tier.name, RUNNING, "reads its state")
    if reason := terraform.unsafe():
        raise Failed(reason)
    terraform.init()
    outcome = _current(tier, terraform, board)
    if not outcome:
        plan = read_json(tier.plan_json)
        shutil.copy(tier.plan_json, tier.applied_json)
        held_back = _hold(tier, terraform, plan)
        outcome = _apply(tier, terraform, held_back)
    board.update(tier.name, DONE, outcome)
    if not board.has_table:
        board.say(f"apply  {tier.name:<14} {outcome}  ({time.monotonic() - started:.0f} s)\n")


def _current(tier: Tier, terraform: Terraform, board: Board) -> str:
    """Ensures that the plan matches the present values of other tiers and the running images; a new plan
    needs an approval if it does more than the approved one. Returns a message if there is nothing to do."""
    if reason := saved.fault(tier):
        raise Failed(f"apply: {reason}: run {tier.workspace.command('plan')}")
    for need in tier.needs:
        glance(need)
    why = ""
    if tier.forecast.exists():
        why = "the tiers that it needs are applied now"
    else:
        sealed = read_json(tier.seal if tier.plan.exists() else tier.applied)
        if moved := saved.moved(tier, sealed):
            why = f"{_some(moved)} changed since the plan"
        elif not tier.plan.exists():
            return "applied before"
        elif newer := deployed.since(tier, terraform):
            why = f"{_some(newer)} changed since the plan"
            board.say(f"apply  {tier.name:<14} plans again: {why}; the running image is kept\n")
    if why:
        board.update(tier.name, RUNNING, f"plans again: {why}")
        planning.real(tier, terraform)
        _ask_again(tier, board, why)
    return ""


def _ask_again(tier: Tier, board: Board, why: str) -> None:
    """Raises Failed unless the new plan may be applied."""
    from tierra.run import approve  # imports the whole report, which an apply of saved plans does not need

    approve.again(tier, board, why)


def _some(names: list[str]) -> str:
    return f"{', '.join(names[:3])}{' and more' if len(names) > 3 else ''}"


def glance(tier: Tier) -> str:
    """Reads and returns the state of another tier, and saves its outputs beside it."""
    state = order.stored(tier)
    planning.keep_outputs(tier, state)
    return state


def _hold(tier: Tier, terraform: Terraform, plan: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Excludes resources that consumers still use from the plan: see order.py. Returns them, with their
    users."""
    tier.held_back.unlink(missing_ok=True)
    held_back = order.released(tier, plan)
    if held_back:
        write(tier.held_override, json.dumps(order.anchored(tier)))
        try:
            planning.real(tier, terraform, *order.targets(tier, set(held_back)))
        finally:
            tier.held_override.unlink()
    return held_back


def _apply(tier: Tier, terraform: Terraform, held_back: dict[str, dict[str, list[str]]]) -> str:
    plan = read_json(tier.plan_json)
    counts = planning.counts(plan)
    idle = not plan.get("applyable", True) and not upstream.stale(tier, terraform.pull())
    if not idle:
        terraform.run(
            [
                "apply",
                "-input=false",
                "-no-color",
                f"-lock-timeout={tier.workspace.lock_timeout}",
                "plan.tfplan",
            ],
            tier.apply_log,
            doing="applies",
            total=sum(counts[1:]),
            journal=True,
        )
    sealed = read_json(tier.seal)
    tier.imports.unlink(missing_ok=True)
    tier.forget_plan()
    write(tier.applied, json.dumps({**sealed, "carried": saved.carried(tier)}, indent=2) + "\n")
    if held_back:
        write(tier.held_back, json.dumps(held_back, indent=1) + "\n")
    imported, added, changed, destroyed = counts
    outcome = f"{added} added, {changed} changed, {destroyed} destroyed" if not idle else "no changes"
    if imported:
        outcome = f"{imported} imported, {outcome}"
    if held_back:
        later = planning.counts(read_json(tier.applied_json))[-1] - destroyed
        outcome += f"; {later} to destroy when no tier uses them any more"
    return outcome


def finish(workspace: Workspace) -> None:
    """Removes the resources that were held back until all consumers were applied, consumers first."""
    for tier in reversed(workspace.tiers()):
        if not tier.held_back.exists():
            continue
        terraform = Terraform(tier, "apply")
        board = Board(workspace.out)
        planning.real(tier, terraform)
        _ask_again(tier, board, "to remove what other tiers do not use any more")
        tier.held_back.unlink()
        outcome = _apply(tier, terraform, {})
        board.say(f"apply  {tier.name:<14} {outcome}, which no tier uses any more\n")
