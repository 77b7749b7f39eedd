"""Commands that only read or prepare: init, validate, show, output, import and unlock."""

from __future__ import annotations

import subprocess
import sys

from tierra.run import adopt, destroy, upstream
from tierra.run import plan as planning
from tierra.run.apply import glance
from tierra.run.board import DONE, Board
from tierra.run.terraform import Terraform
from tierra.run.workspace import Failed, Tier, Workspace
from tierra.validation.errors import SpecError


def init(tier: Tier) -> None:
    """Prepares the folder of a selected tier for terraform."""
    if tier.selected:
        Terraform(tier, "init").init()


def validate(tier: Tier) -> None:
    """Checks the configuration of a selected tier against the schema of its providers. Raises Failed."""
    if tier.selected:
        terraform = Terraform(tier, "validate")
        terraform.init()
        terraform.capture("validate", "-no-color")
        board = Board(tier.workspace.out)
        board.update(tier.name, DONE, "valid")
        if not board.has_table:
            board.say(f"validate  {tier.name:<14} the configuration is valid\n")


def unchanged(tier: Tier) -> None:
    """Raises Failed if a plan of a selected tier would change anything."""
    if not tier.selected:
        return
    terraform = Terraform(tier, "plan")
    terraform.init()
    arguments = ["plan", "-input=false", "-no-color", "-detailed-exitcode"]
    done = terraform.ended(*arguments, stdout=subprocess.PIPE)
    if done.returncode:
        raise Failed(f"{done.stdout}{done.stderr}\nrehearse: the second plan of {tier.name} is not empty")
    Board(tier.workspace.out).say(f"plan   {tier.name:<14} no changes, as it must be\n")


def show(workspace: Workspace) -> None:
    """Prints the saved plan of each selected tier, the text of its forecast, or else its state."""
    for tier in workspace.tiers():
        terraform = Terraform(tier, "show")
        terraform.init()
        _heading(tier, "show")
        if tier.forecast.exists():
            print("a forecast: tiers that it needs change first, so this plan cannot be applied")
            print(tier.plan_log.read_text(encoding="utf-8"), flush=True)
            continue
        color = [] if sys.stdout.isatty() else ["-no-color"]
        _stream(terraform, "show", *color, *([tier.plan.name] if tier.plan.exists() else []))


def output(workspace: Workspace) -> None:
    """Prints the outputs of each selected tier."""
    for tier in workspace.tiers():
        terraform = Terraform(tier, "output")
        terraform.init()
        _heading(tier, "output")
        _stream(terraform, "output", *([] if sys.stdout.isatty() else ["-no-color"]))


def unlock(workspace: Workspace) -> None:
    """Removes the lock of a terraform that has died. Raises Failed."""
    tiers, lock = workspace.tiers(), workspace.lock
    if not lock or len(tiers) != 1:
        raise Failed(
            "unlock: TIER and LOCK must be set; the message about the lock names both\n"
            f"  remedy: make unlock ENV={workspace.environment} TIER=<tier> LOCK=<id>"
        )
    terraform = Terraform(tiers[0], "unlock")
    terraform.init()
    print(terraform.capture("force-unlock", "-force", lock).strip())


def adoption(workspace: Workspace) -> None:
    """Plans the adoption of the existing AWS resources in the file of the environment. A tier that waits for
    other tiers keeps its import blocks, and adopts when it is planned for real. Raises Failed."""
    tiers = workspace.tiers()
    destroy.hold(tiers, "import")
    try:
        adopt.write(adopt.file_of(workspace), tiers)
    except SpecError as error:
        raise Failed(str(error)) from None
    for tier in tiers:
        if not tier.imports.exists():
            continue
        tier.forget_plan()
        tier.applied.unlink(missing_ok=True)
        for need in tier.needs:
            glance(need)
            need.scratch_state.unlink(missing_ok=True)
        if not upstream.moving(tier):
            planning.real(tier, Terraform(tier, "import"))
    print("\n".join(adopt.following(workspace, tiers)))


def _heading(tier: Tier, verb: str) -> None:
    print(f"== {verb} {tier.name}", flush=True)


def _stream(terraform: Terraform, *arguments: str) -> None:
    done = terraform.ended(*arguments)
    if done.returncode and done.returncode != -13:  # a closed pipe
        raise terraform.failed(done.stderr)
