"""A dress rehearsal: an environment is planned, applied, found unchanged and destroyed, in a scratch folder
and with no cloud. Each step is the make command that an operator would type."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tierra.run.leftovers import leftovers
from tierra.run.workspace import Failed, Workspace

STEPS = (
    ("plan",),
    ("apply",),
    ("unchanged",),
    ("plan", "OVERRIDE=--unprotected"),
    ("apply", "OVERRIDE=--unprotected"),
    ("destroy", "OVERRIDE=--unprotected"),
)
# The role of the pipeline that does a step, once it exists; what it destroys, only an administrator may.
ROLES = {"plan": "plan", "unchanged": "plan", "apply": "apply"}
OURS = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "OUT", "STATES", "TIER", "APPROVE")


def rehearse(workspace: Workspace, words: list[str]) -> None:
    """Takes the name of make. Raises Failed when a step fails, or when something is left."""
    environment, [make] = workspace.environment, words
    scratch = Path(".rehearsal", "scratch", environment)
    shutil.rmtree(scratch, ignore_errors=True)
    states = scratch / "states"
    variables = {name: value for name, value in os.environ.items() if name not in OURS}
    for goal, *options in STEPS:
        approve = environment if goal == "destroy" else "yes"
        if options and goal == "plan":
            print(
                f"rehearse: lifting protection, as an operator must before destroying {environment}",
                flush=True,
            )
        command = [make, goal, f"ENV={environment}", "REHEARSE=rehearsal", f"APPROVE={approve}"]
        command += [f"OUT={scratch.as_posix()}", f"STATES={states.as_posix()}", *options]
        step = {**variables, "REHEARSAL_AS": ROLES.get(goal, "")}
        if subprocess.run(command, env=step, stdin=subprocess.DEVNULL, check=False).returncode:
            raise Failed(f"rehearse: make {goal} of {environment} failed; the cause is above")
    if left := leftovers(states):
        raise Failed("\n".join(["rehearse: destroyed, but this is left:", *(f"  {line}" for line in left)]))
    print(f"rehearse: {environment} was planned, applied, found unchanged and destroyed; nothing is left")
