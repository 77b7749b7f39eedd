"""`make -n`: the terraform commands of a goal, to read or to paste, in the order of the graph."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tierra.run.terraform import settings
from tierra.run.workspace import Tier, Workspace

INIT = ("init", "-input=false")


SPACE = "\N{OPEN BOX}"  # make splits a value with a space into several words


def write(workspace: Workspace, goals: list[str]) -> None:
    """Prints the commands for make."""
    for line in commands(workspace, goals):
        print(line.replace(" ", SPACE))


def commands(workspace: Workspace, goals: list[str]) -> Iterator[str]:
    """Lines for a shell."""
    if not (workspace.out / "environment.json").exists():
        yield f"{workspace.command('synth')}  # writes {workspace.out}; after it make -n shows the rest"
        return
    fresh = workspace.rehearsed and any(not tier.override.exists() for tier in workspace.tiers())
    if fresh or workspace.spec.stat().st_mtime > (workspace.out / "tiers.mk").stat().st_mtime:
        yield f"{workspace.command('init')}  # writes the files that the commands below read"
    for goal in goals:
        tiers = workspace.tiers()
        if goal == "destroy":
            tiers = [tier for tier in reversed(tiers) if workspace.rehearsed or tier.name != "state"]
        for tier in tiers:
            yield from _of(tier, goal)


def _of(tier: Tier, goal: str) -> Iterator[str]:
    folder = tier.folder.as_posix()
    timeout = f"-lock-timeout={tier.workspace.lock_timeout}"
    shown = f"{shlex.quote(folder)}/plan.json"
    locked = ["-lockfile=readonly"] if tier.workspace.locked_providers else []
    plan = ["plan", "-input=false", timeout, "-out=plan.tfplan"]
    steps: dict[str, list[list[str]]] = {
        "init": [],
        "validate": [["validate"]],
        "plan": [plan, ["show", "-json", "plan.tfplan"]],
        "import": [plan, ["show", "-json", "plan.tfplan"]],
        "apply": [["apply", "-input=false", timeout, "plan.tfplan"]],
        "destroy": [["destroy", "-auto-approve", "-input=false", timeout]],
        "drift": [["plan", "-refresh-only", "-input=false", timeout]],
        "show": [["show"]],
        "output": [["output"]],
        "unlock": [["force-unlock", "-force", tier.workspace.variables.get("LOCK") or "<id>"]],
    }
    for step in [[*INIT, *locked], *steps.get(goal, [])]:
        words = [tier.workspace.terraform, f"-chdir={folder}", *step]
        line = shlex.join(words).replace("'<id>'", "<id>")
        line += f" >{shown}" if step[0] == "show" and "-json" in step else ""
        variables = settings(tier.workspace) if tier.workspace.rehearsed else {}
        yield " ".join([*(f"{name}={shlex.quote(value)}" for name, value in variables.items()), line])
