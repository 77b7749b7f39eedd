"""Asks before anything is changed: `python -m review.approve apply|destroy ENV APPROVE FOLDER TIER…`.

Exit code 0 means yes. APPROVE=yes answers in advance; without a terminal to ask on, nothing else does.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from review.report import report, table

TERMINAL = "/dev/tty"


def main() -> int:
    verb, environment, approved, folder, *tiers = sys.argv[1:]
    saved = [tier for tier in tiers if (Path(folder) / "stacks" / tier / "plan.json").exists()]
    if verb == "apply" and saved:
        Console(highlight=False).print(table(report(Path(folder), saved)["tiers"]))
    if approved == "yes" or (verb == "apply" and not saved):
        return 0
    question = f"{verb} {', '.join(tiers)} of {environment}? Type yes: "
    try:
        with open(TERMINAL, "r+", encoding="utf-8", errors="replace") as terminal:
            terminal.write(question)
            terminal.flush()
            answer = terminal.readline().strip()
    except OSError:
        sys.stderr.write(f"{verb}: no terminal to ask on; APPROVE=yes says yes in advance\n")
        return 1
    if answer != "yes":
        sys.stderr.write(f"{verb}: not approved, nothing was changed\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
