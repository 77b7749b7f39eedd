"""Runs the applications of examples/ as the platform would, and drives them: `make examples`.

    python -m tests.examples FOLDER STACKS [django|fastapi|go]…

FOLDER has the installed programs: debian/, and a folder for each example. STACKS is the generated
Terraform. Everything runs in separate namespaces (user, network, processes): nothing outside is reached or
left behind.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.examples.drive import Platform

EXAMPLES = {"django": "sistema-1", "fastapi": "sistema-2", "go": "sistema-3"}
INSIDE = "--inside"


def main(arguments: list[str]) -> int:
    if INSIDE not in arguments:
        spaces = [
            "unshare",
            "--user",
            "--map-root-user",
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
        ]
        os.execvp(
            "unshare", [*spaces, "--mount-proc", sys.executable, "-m", "tests.examples", *arguments, INSIDE]
        )
    arguments.remove(INSIDE)
    from tests.examples.drive import Platform
    from tests.examples.packages import program

    folder, stacks = (Path(each).resolve() for each in arguments[:2])
    bwrap = program("bwrap", folder / "debian")
    if not bwrap:
        print("examples: bwrap is missing\n  remedy: make examples fetches it", file=sys.stderr)
        return 1
    scratch = Path(tempfile.mkdtemp(prefix="tierra-examples-"))
    try:
        return run(Platform(scratch, folder, stacks, bwrap), folder, arguments[2:])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def run(platform: Platform, folder: Path, names: list[str]) -> int:
    from tests.examples.drive import Drive
    from tests.examples.pod import Image
    from tests.examples.release import ROOT

    wrong = []
    for name in names or EXAMPLES:
        drive = Drive(platform, EXAMPLES[name], Image.of(ROOT / "examples" / name, folder / name))
        for step in drive.STEPS:
            begun = time.monotonic()
            try:
                detail = getattr(drive, step)()
                print(
                    f"{name:8} {step.replace('_', ' '):17} {time.monotonic() - begun:5.1f} s  {detail}",
                    flush=True,
                )
            except Exception as error:
                wrong.append(f"{name}: {step.replace('_', ' ')}: {error}")
                print(f"{name:8} {step.replace('_', ' '):17} WRONG: {error}", flush=True)
                if os.environ.get("VERBOSE"):
                    traceback.print_exc()
                if step == "starts":
                    break
    for each in wrong:
        print(f"examples: {each.splitlines()[0]}\n  the logs are in {folder / 'logs'}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
