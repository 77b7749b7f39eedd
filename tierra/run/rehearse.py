"""A complete rehearsal: plan, apply, second plan without changes and destroy of an environment, in a
temporary folder and without a cloud. Each step is the make command that an operator would type."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tierra.run.residue import residue
from tierra.run.workspace import Failed, Workspace, read_json

# The tiers that an administrator applies the first time: one creates the roles of the pipeline, the other a
# vault that these roles may not lock.
ADMINISTRATED = ("storage", "delivery")
# The role of the pipeline for each step. Only an administrator may destroy.
ROLES = {"plan": "plan", "unchanged": "plan", "apply": "apply"}
UNPROTECTED = "OVERRIDE=--unprotected"
OURS = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "OUT", "STATES", "TIER", "APPROVE")


def rehearse(workspace: Workspace, words: list[str]) -> None:
    """`make` is the name of the program. Raises Failed if a step fails, or if something is left."""
    environment, [make] = workspace.environment, words
    scratch = Path(".rehearsal", "scratch", environment)
    shutil.rmtree(scratch, ignore_errors=True)
    states = scratch / "states"
    variables = {name: value for name, value in os.environ.items() if name not in OURS}

    def step(goal: str, *options: str, role: str = "") -> None:
        approve = environment if goal == "destroy" else "yes"
        command = [make, goal, f"ENV={environment}", "REHEARSE=rehearsal", f"APPROVE={approve}"]
        command += [f"OUT={scratch.as_posix()}", f"STATES={states.as_posix()}", *options]
        surroundings = {**variables, "REHEARSAL_AS": role}
        if subprocess.run(command, env=surroundings, stdin=subprocess.DEVNULL, check=False).returncode:
            raise Failed(f"rehearse: make {goal} of {environment} failed; the cause is above")

    step("plan")
    # As at a real first apply. A role that is used while its policies are still being attached is refused at
    # random.
    step("apply", f"TIER={' '.join(_with_needs(scratch))}")
    for goal in ("apply", "unchanged"):
        step(goal, role=ROLES[goal])
    print(
        f"rehearse: turning protection off, as an operator must before destroying {environment}", flush=True
    )
    for goal in ("plan", "apply"):
        step(goal, UNPROTECTED, role=ROLES[goal])
    step("destroy", UNPROTECTED)
    if left := residue(states):
        raise Failed("\n".join(["rehearse: destroyed, but this is left:", *(f"  {line}" for line in left)]))
    print(f"rehearse: {environment} was planned, applied, found unchanged and destroyed; nothing is left")


def _with_needs(out: Path) -> list[str]:
    """The tiers of the administrator and those that are applied before them, producers first."""
    needs: dict[str, list[str]] = read_json(out / "environment.json")["tiers"]
    first, *_ = needs
    wanted, open_ = {first}, [*ADMINISTRATED]
    while open_:
        tier = open_.pop()
        wanted.add(tier)
        open_ += needs[tier]
    return [tier for tier in needs if tier in wanted]
