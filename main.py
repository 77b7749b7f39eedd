"""Writes the Terraform of one environment.

    python main.py [environment]

The environment is the argument, or ENV, or sandbox; its spec is environments/<environment>.yaml. Output goes
to cdktf.out/<environment>/, or to CDKTF_OUTDIR, which the cdktf command line sets. With BINDINGS=cdktn it is
written by the successor of cdktf. Exits with 1 and a message when the spec is wrong or the output cannot be
written.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from tierra.bindings import kernel, node, successor, trim

ROOT = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    """The exit code."""
    refusal, warning = ready(os.environ.get("BINDINGS") or "cdktf")
    # These imports take long; Node starts and loads cdktf meanwhile.
    from modules.loader import load_upgraded
    from modules.own.terraform import OwnError
    from modules.own.terraform import read as read_own
    from tierra.specs import overlaps_beside
    from tierra.validation.errors import SpecError

    name = arguments[0] if arguments else os.environ.get("ENV") or "sandbox"
    try:
        environment, changes = load_upgraded(Path("environments", f"{name}.yaml"))
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    if changes:
        print(upgrade_notice(name, changes), file=sys.stderr)
    if environment.target == "aws" and (problems := overlaps_beside(environment)):
        print("\n".join(problems), file=sys.stderr)
        return 1
    if refusal:
        print(refusal, file=sys.stderr)
        return 1
    if warning:
        print(warning, file=sys.stderr)
    # cdktf and its bindings are loaded last, so that a wrong spec is reported first.
    from modules.architecture import TIERS, synthesize

    folder = Path(os.environ.get("CDKTF_OUTDIR") or Path("cdktf.out", name))
    try:
        synthesize(environment, folder, own=read_own(Path("environments", name), list(TIERS)))
    except OwnError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"{folder}: cannot be written: {error.strerror}\n  remedy: make it a folder of yours",
            file=sys.stderr,
        )
        return 1
    return 0


def ready(bindings: str) -> tuple[str | None, str | None]:
    """Starts Node for the synthesis. Returns why that is impossible, and why it will be slow."""
    try:
        node.use()
        if bindings == successor.NAME:
            kernel.start(successor.use())
            return None, None
    except (node.ToolError, successor.MissingError) as error:
        return str(error), None
    if bindings != "cdktf":
        return f"BINDINGS={bindings}: must be cdktf or {successor.NAME}", None
    if warning := trim.activate():
        return None, warning
    kernel.start(trim.current())
    return None, None


def upgrade_notice(name: str, changes: list[str]) -> str:
    """How a spec of an earlier version was read."""
    from tierra.validation.upgrades import LATEST

    heading = f"environments/{name}.yaml has an earlier version; it is read like this and means the same:"
    remedy = f"  remedy: write it like this and set version: {LATEST} when convenient"
    return "\n".join([heading, *(f"  {change}" for change in changes), remedy])


if __name__ == "__main__":
    gc.disable()  # seconds of life and a hundred megabytes: collecting costs a tenth of the time
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
