"""A protected sandbox with applied tiers, for tests of destroy, drift and import; answers at a terminal."""

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


class AppliedSandbox(Copy):
    """A copy of a protected sandbox of which `network` and `data` are applied."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, once("applied-sandbox", _apply))

    def stack(self, tier: str) -> Path:
        return self.folder / "cdktf.out" / "sandbox" / "stacks" / tier

    def cloud(self) -> Cloud:
        return Cloud(self.folder / ".rehearsal" / "sandbox" / "cloud.sqlite")

    def existing(self, terraform_type: str, name: str) -> dict[str, Any]:
        """The object of a type with this name in the simulated account."""
        return next(
            resource
            for resource in self.cloud().all(terraform_type)
            if name in ((resource.get("tags") or {}).get("Name"), resource.get("identifier"))
        )


def _apply(folder: Path) -> None:
    project = Project(folder)
    project.edit("protection: false", "protection: true")
    project.edit("  final_snapshots: false", "  # final_snapshots: false")
    for tier in TIERS.split():
        succeeded(project.make("plan", TIER=tier))
        succeeded(project.make("apply", TIER=tier, APPROVE="yes"))


def answered(project: Project, answer: str, *arguments: str) -> tuple[int, str, str]:
    """Runs make and types an answer at its terminal. Returns the exit code, the text of the terminal before
    the answer, and the output of make."""
    terminal, tty = pty.openpty()
    termios.tcsetwinsize(tty, (40, 160))
    process = subprocess.Popen(
        ["make", *arguments],
        cwd=project.folder,
        env=without_make(),
        stdin=tty,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(tty, termios.TIOCSCTTY, 0),  # type: ignore[func-returns-value]
    )
    os.close(tty)
    prompt = b""
    while b"Type" not in prompt:
        prompt += os.read(terminal, 65536)  # fails if make ends without a question
    os.write(terminal, f"{answer}\n".encode())
    output, _ = process.communicate()
    os.close(terminal)
    return process.returncode, prompt.decode(), output.decode()
