"""What the Makefile calls, once for each tier or once for all.

    python -m tierra.run --env ENV --out OUT VERB [TIER]

Everything else that make was told (TIER, APPROVE, REHEARSE, …) is read from the environment: workspace.py.
Exit code 0 is success, 1 a failure whose message is on standard error, 2 changes where DETAILED asks for
them, 130 an interrupt.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tierra.run.board import STOPPED, Board, put
from tierra.run.terraform import INTERRUPTED, Interrupted
from tierra.run.workspace import Failed, Workspace

# What is done tier by tier, in the order of make's graph.
OF_A_TIER = ("init", "validate", "plan", "apply", "destroy", "drift", "unchanged", "recover")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tierra.run")
    parser.add_argument("--env", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("verb")
    parser.add_argument("words", nargs="*")
    asked = parser.parse_args()
    workspace = Workspace(asked.env, asked.out)
    try:
        if asked.verb in OF_A_TIER and asked.words:
            [tier] = asked.words
            return _of_a_tier(workspace, asked.verb, tier)
        return _of_all(workspace, asked.verb, asked.words)
    except Failed as failed:
        if str(failed):
            Board(workspace.out).say(f"{str(failed).rstrip()}\n", sys.stderr)
        return 1
    except (Interrupted, KeyboardInterrupt):
        put(sys.stderr, f"{asked.verb}: interrupted; what was done is in the state\n")
        return INTERRUPTED


def _of_a_tier(workspace: Workspace, verb: str, name: str) -> int:
    tier = workspace.tier(name)
    try:
        if verb == "plan":
            from tierra.run.plan import plan as run
        elif verb == "apply":
            from tierra.run.apply import apply as run
        elif verb == "destroy":
            from tierra.run.destroy import destroy as run
        elif verb == "drift":
            from tierra.run.drift import look as run
        elif verb == "recover":
            from tierra.run.recover import recover as run
        else:
            from tierra.run import look

            run = getattr(look, verb)
        run(tier)
    except BaseException:
        Board(workspace.out).update(name, STOPPED, "stopped")
        raise
    return 0


def _of_all(workspace: Workspace, verb: str, words: list[str]) -> int:
    def ready() -> int | None:
        from tierra.run import ready

        return ready.ready(workspace, words)

    def ask() -> int | None:
        from tierra.run import approve, destroy

        return destroy.ask(workspace) if words == ["destroy"] else approve.apply(workspace)

    def report() -> int | None:
        from tierra.run import after

        return after.planned(workspace)

    def finish() -> int | None:
        from tierra.run import after, apply

        apply.finish(workspace)
        return after.applied(workspace)

    def destroyed() -> int | None:
        from tierra.run import destroy

        names = ", ".join(tier.name for tier in destroy.destroyed(workspace))
        Board(workspace.out).close()
        print(f"destroy: nothing is left of {workspace.environment} ({names})")
        return None

    def differences() -> int | None:
        from tierra.run import drift

        Board(workspace.out).close()
        return drift.publish(workspace)

    def look(name: str) -> Callable[[], int | None]:
        def run() -> int | None:
            from tierra.run import look

            if name == "unlock":
                return look.unlock(workspace, os.environ.get("LOCK", ""))
            found: Callable[[Workspace], None] = getattr(look, {"import": "adoption"}.get(name, name))
            return found(workspace)

        return run

    def bootstrap() -> int | None:
        from tierra.run import bootstrap

        return bootstrap.bootstrap(workspace)

    def lock() -> int | None:
        from tierra.run import providers

        return providers.lock(workspace)

    def rehearse() -> int | None:
        from tierra.run import rehearse

        return rehearse.rehearse(workspace.environment, *words)

    def commands() -> int | None:
        from tierra.run import dry

        # Words of make: what holds a space is one of them.
        for line in dry.commands(workspace, words):
            print(line.replace(" ", SPACE))
        return None

    def close() -> int | None:
        return Board(workspace.out).close()

    verbs: dict[str, Callable[[], int | None]] = {
        "ready": ready,
        "ask": ask,
        "report": report,
        "finish": finish,
        "destroyed": destroyed,
        "differences": differences,
        "bootstrap": bootstrap,
        "lock": lock,
        "rehearse": rehearse,
        "commands": commands,
        "close": close,
        **{name: look(name) for name in ("show", "output", "unlock", "import")},
    }
    return verbs[verb]() or 0


SPACE = "\N{OPEN BOX}"

if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
