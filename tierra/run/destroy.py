"""Destroys tiers, consumers first, after showing what is lost and asking for the environment's name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tierra.run.board import DONE, Board
from tierra.run.terraform import Terraform
from tierra.run.workspace import Failed, Tier, Workspace, read_json

FIRST = "state"
SIDE_BY_SIDE = 4


def destroyed(workspace: Workspace) -> list[Tier]:
    """The tiers that a destroy removes; on AWS the bucket for the states stays.

    Raises Failed if no tier is left."""
    tiers = [tier for tier in workspace.tiers() if workspace.rehearsed or tier.name != FIRST]
    if not tiers:
        raise Failed(
            f"destroy: the tier {FIRST} contains the states of all tiers of {workspace.environment}, so it is"
            " kept\n"
            "  remedy: to remove it, see docs/reliability.md"
        )
    return tiers


def ask(workspace: Workspace) -> None:
    """Reads the states, and raises Failed unless the tiers may be destroyed and the user approves."""
    tiers = destroyed(workspace)
    names = {tier.name for tier in tiers}
    dependents = [
        tier
        for tier in workspace.tiers(workspace.order)
        if not tier.selected and names & set(workspace.facts["tiers"][tier.name])
    ]
    hold([*tiers, *dependents], "destroy")
    from tierra.run import approve  # once for all tiers

    approve.destroy(workspace, tiers, dependents)


def hold(tiers: list[Tier], verb: str) -> None:
    """Reads the state of each tier into `state.json`."""

    def read(tier: Tier) -> None:
        terraform = Terraform(tier, verb)
        terraform.init()
        terraform.save(["show", "-json"], tier.state_json)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(read, tiers))


def holds(tier: Tier) -> bool:
    """Whether the state that was read has resources."""
    values = read_json(tier.state_json).get("values", {})
    return any(
        resource["mode"] == "managed" for resource in values.get("root_module", {}).get("resources", [])
    )


def destroy(tier: Tier) -> None:
    """Destroys a selected tier; other tiers are not touched."""
    if tier not in destroyed(tier.workspace):
        return
    board = Board(tier.workspace.out)
    terraform = Terraform(tier, "destroy")
    if reason := terraform.unsafe():
        raise Failed(reason)
    tier.forget_plan()
    for left in (tier.applied, tier.held_back):
        left.unlink(missing_ok=True)
    outcome = "nothing to destroy"
    if holds(tier):
        tier.apply_log.unlink(missing_ok=True)
        timeout = f"-lock-timeout={tier.workspace.lock_timeout}"
        options = ["-auto-approve", "-input=false", "-no-color", timeout]
        terraform.run(["destroy", *options], tier.apply_log, doing="destroys")
        outcome = "destroyed"
    board.update(tier.name, DONE, outcome)
    if not board.has_table:
        board.say(f"destroy  {tier.name:<14} {outcome}\n")
