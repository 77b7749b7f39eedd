"""An environment that stands, to be destroyed, compared or adopted, and a person at its terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import termios
from pathlib import Path
from typing import Any

from rehearsal.cloud import Cloud
from support.project import Copy, Project, succeeded, without_make
from support.sharing import once

TIERS = "network data"


class Standing(Copy):
    """A protected sandbox with network and databases applied; a copy of one that is made once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, once("standing", _applied))

    def stack(self, tier: str) -> Path:
        return self.folder / "cdktf.out" / "sandbox" / "stacks" / tier

    def cloud(self) -> Cloud:
        return Cloud(self.folder / ".rehearsal" / "sandbox" / "cloud.sqlite")

    def one(self, terraform_type: str, name: str) -> dict[str, Any]:
        """The object of a type with this name in the pretended account."""
        return next(
            each
            for each in self.cloud().all(terraform_type)
            if name in ((each.get("tags") or {}).get("Name"), each.get("identifier"))
        )


def _applied(folder: Path) -> None:
    project = Project(folder)
    project.edit("protection: false", "protection: true")
    project.edit("  final_snapshots: false", "  # final_snapshots: false")
    for tier in TIERS.split():
        succeeded(project.make("plan", TIER=tier))
        succeeded(project.make("apply", TIER=tier, APPROVE="yes"))


def typed(project: Project, answer: str, *arguments: str) -> tuple[int, str, str]:
    """What comes of make when a person types an answer at its terminal: the exit code, what the terminal
    shows before the answer, and what make prints."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 160))
    process = subprocess.Popen(
        ["make", *arguments],
        cwd=project.folder,
        env=without_make(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),  # type: ignore[func-returns-value]
    )
    os.close(theirs)
    shown = b""
    while b"Type" not in shown:
        shown += os.read(ours, 65536)  # an error when make ends without a question
    os.write(ours, f"{answer}\n".encode())
    printed, _ = process.communicate()
    os.close(ours)
    return process.returncode, shown.decode(), printed.decode()
