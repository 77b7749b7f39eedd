"""The entry point of the Makefile, once for each tier or once for all.

    python -m tierra.run --env ENV --out OUT VERB [WORD…]

All other options of make (TIER, APPROVE, REHEARSE, …) are read from the environment: workspace.py.
Exit code 0 is success, 1 a failure whose message is on standard error, 2 changes if DETAILED is set, or
drift, 130 an interrupt.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TextIO, cast

from tierra.run.board import STOPPED, Board, Patient, put
from tierra.run.terraform import INTERRUPTED, Interrupted
from tierra.run.workspace import Failed, Workspace

# Modules are imported when they are needed: one call is one verb. Verbs that run for each tier, in the order
# of make's graph, take a Tier:
OF_A_TIER = {
    "init": "look.init",
    "validate": "look.validate",
    "unchanged": "look.unchanged",
    "plan": "plan.plan",
    "apply": "apply.apply",
    "destroy": "destroy.destroy",
    "drift": "drift.compare_tier",
}
# Verbs that run once take the Workspace:
OF_ALL = {
    "ask-apply": "approve.apply",
    "ask-destroy": "destroy.ask",
    "report": "after.planned",
    "finish": "after.applied",
    "destroyed": "after.destroyed",
    "validated": "after.validated",
    "differences": "drift.publish",
    "show": "look.show",
    "output": "look.output",
    "unlock": "look.unlock",
    "import": "look.adoption",
    "recover": "recover.recover",
    "keep": "rescue.keep",
    "bootstrap": "bootstrap.bootstrap",
    "lock": "providers.lock",
}
# These also take the words of the command line:
WITH_WORDS = {"ready": "ready.ready", "commands": "dry.write", "rehearse": "rehearse.rehearse"}

# Verbs that change something outside the folder of the environment:
CHANGES = ("apply", "finish", "destroy", "recover", "bootstrap", "unlock")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tierra.run")
    parser.add_argument("--env", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("verb", choices=[*OF_A_TIER, *OF_ALL, *WITH_WORDS])
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    workspace = Workspace(arguments.env, arguments.out)
    sys.stdout = cast(TextIO, Patient(sys.stdout))
    try:
        return _run(workspace, arguments.verb, arguments.words)
    except Failed as failed:
        if str(failed):
            Board(workspace.out).say(f"{str(failed).rstrip()}\n", sys.stderr)
        return 1
    except (Interrupted, KeyboardInterrupt):
        put(sys.stderr, f"{_interrupted(workspace, arguments.verb)}\n")
        return INTERRUPTED


def _interrupted(workspace: Workspace, verb: str) -> str:
    """The message after Ctrl-C: the state of the run, and how to continue."""
    if verb not in CHANGES:
        return f"{verb.removeprefix('ask-')}: interrupted; nothing was changed"
    if verb in ("apply", "finish"):
        verb = "apply"
        following = f"{workspace.command('plan')}, then {workspace.command('apply')}"
    else:
        following = workspace.command(verb)
    return f"{verb}: interrupted; what was done is in the state\nNext: {following}"


def _run(workspace: Workspace, verb: str, words: list[str]) -> int:
    module, _, name = {**OF_A_TIER, **OF_ALL, **WITH_WORDS}[verb].partition(".")
    run = getattr(import_module(f"tierra.run.{module}"), name)
    if verb in WITH_WORDS:
        return run(workspace, words) or 0
    if verb in OF_ALL:
        return run(workspace) or 0
    [tier] = words
    try:
        return run(workspace.tier(tier)) or 0
    except BaseException:
        Board(workspace.out).update(tier, STOPPED, "stopped")
        raise


if __name__ == "__main__":
    sys.exit(main())
