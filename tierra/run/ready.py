"""The steps of every command before the tiers start."""

from __future__ import annotations

from tierra.run import override, providers, target
from tierra.run.board import Board
from tierra.run.terraform import refused
from tierra.run.workspace import Failed, Workspace

BANNER = "rehearsal: Tierra's embedded provider answers; no AWS account is touched"
SHOWN = ("plan", "apply", "destroy", "drift", "validate")  # with a table


def ready(workspace: Workspace, goals: list[str]) -> None:
    """Writes the files that terraform needs for the target, and checks the account. Raises Failed if nothing
    can be run."""
    if reason := refused(workspace):
        raise Failed(reason)
    target.switch(workspace)
    if workspace.rehearsed:
        print(BANNER, flush=True)
        override.write_overrides(workspace)
    else:
        from tierra.run import account, rescue  # the libraries of AWS, which a rehearsal does not need

        account.check_account(workspace)
        if {"plan", "apply"} & set(goals) and (waiting := rescue.waiting(workspace)):
            raise Failed(
                f"{workspace.environment}: an apply of a workflow ended before the state of"
                f" {', '.join(waiting)} had all that it created\n"
                f"  remedy: as an operator, {workspace.command('recover', waiting)}"
            )
        if locked := workspace.locked_providers:
            providers.write_to_tiers(locked, workspace)
    if set(goals) & set(SHOWN):
        graph = workspace.facts["tiers"]
        if "destroy" in goals:
            graph = {name: [user for user, needs in graph.items() if name in needs] for name in graph}
            graph = dict(reversed(graph.items()))
        Board(workspace.out).open(
            {
                name: [need for need in graph[name] if need in workspace.selected]
                for name in graph
                if name in workspace.selected
            }
        )
