"""Asks before anything is changed.

    python -m review.approve apply ENV APPROVE FOLDER TIER…
    python -m review.approve destroy ENV APPROVE FOLDER TIER… --standing=TIER…

Exit code 0 means yes. To apply takes a yes, to destroy the name of the environment; APPROVE says either in
advance, and without a terminal to ask on nothing else does. A destroy that protection forbids, or that would
pull the ground from under a tier (--standing), is refused before it is asked about.
"""

from __future__ import annotations

import json
import os
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console, RenderableType

from review import imports, preflight, terminal
from review.report import report

TERMINAL = "/dev/tty"
STANDING = "--standing="
WIDE, NARROW = 160, 80  # columns of a log, and of a terminal that does not say


def main() -> int:
    verb, environment, approved, folder, *tiers = sys.argv[1:]
    if verb == "destroy":
        return destroy(environment, approved, Path(folder), tiers)
    return apply(environment, approved, Path(folder), tiers)


def apply(environment: str, approved: str, folder: Path, tiers: list[str]) -> int:
    """The exit code of the question before an apply."""
    saved = [tier for tier in tiers if (folder / "stacks" / tier / "plan.json").exists()]
    shown: list[RenderableType] = []
    if saved:
        made = report(folder, saved)
        shown = [terminal.table(made["tiers"]), *terminal.first(made["findings"])]
    for tier in saved:
        shown += imports.lines(json.loads((folder / "stacks" / tier / "plan.json").read_text()))
    if approved == "yes" or not saved:
        show(shown)
        return 0
    return answered("yes", f"apply {', '.join(tiers)} of {environment}? Type yes: ", shown)


def destroy(environment: str, approved: str, folder: Path, arguments: list[str]) -> int:
    """The exit code of the checks and the question before a destroy."""
    going = preflight.read(folder, [each for each in arguments if not each.startswith(STANDING)])
    if not going:
        return 0
    standing = [each.removeprefix(STANDING) for each in arguments if each.startswith(STANDING)]
    refused = list(preflight.refusals(environment, going, preflight.read(folder, standing)))
    shown: list[RenderableType] = [preflight.table(going), *preflight.summary(going)]
    if refused:
        show(shown)
        sys.stderr.write("".join(f"destroy: refused, nothing was changed: {each}" for each in refused))
        return 1
    if approved and approved != environment:
        sys.stderr.write(f"destroy: in advance it takes the environment's name: APPROVE={environment}\n")
        return 1
    if approved:
        show(shown)
        return 0
    names = ", ".join(state.tier for state in going)
    return answered(environment, f"destroy {names}? Type the name of the environment: ", shown)


def answered(wanted: str, question: str, shown: list[RenderableType]) -> int:
    """Shows and asks on the terminal itself: make holds back what is printed until the answer is there."""
    verb = question.partition(" ")[0]
    try:
        # Twice, for a terminal cannot be sought in, which Python asks of a file that it reads and writes.
        with (
            open(TERMINAL, encoding="utf-8", errors="replace") as typed,
            open(TERMINAL, "w", encoding="utf-8", errors="replace") as seen,
        ):
            seen.write(text(shown, os.get_terminal_size(seen.fileno()).columns or NARROW) + question)
            seen.flush()
            answer = typed.readline().strip()
    except OSError:
        show(shown)
        sys.stderr.write(f"{verb}: no terminal to ask on; APPROVE={wanted} says it in advance\n")
        return 1
    if answer != wanted:
        sys.stderr.write(f"{verb}: not approved, nothing was changed\n")
        return 1
    return 0


def show(shown: list[RenderableType]) -> None:
    sys.stdout.write(text(shown, WIDE))


def text(shown: list[RenderableType], width: int) -> str:
    written = StringIO()
    console = Console(highlight=False, markup=False, file=written, width=width)
    for each in shown:
        console.print(each)
    return written.getvalue()


if __name__ == "__main__":
    sys.exit(main())
