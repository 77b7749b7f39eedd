"""The program that runs: Terraform, or OpenTofu if TERRAFORM names it. Its version is read once and kept in
`program.json` of the output until the program changes. The registry of the providers tells which of the two
made a plan or a state.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tierra.bindings.terraform import COMMANDS, INSTALL, OLDEST, OPENTOFU, REGISTRIES, TERRAFORM, asked
from tierra.run.workspace import Failed, Workspace, write

NOTE = "program.json"
HOST = re.compile(rb'provider\[\\"(registry\.(?:terraform\.io|opentofu\.org))/hashicorp/')


@dataclass(frozen=True)
class Program:
    """`name` is Terraform or OpenTofu."""

    name: str
    version: str

    @property
    def command(self) -> str:
        return COMMANDS[self.name]

    @property
    def registry(self) -> str:
        """The host of providers that are named without one."""
        return REGISTRIES[self.name]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def file(path: str) -> list[str | int]:
    """The path of the program, and its modification time."""
    real = Path(shutil.which(path) or path).resolve()
    return [real.as_posix(), real.stat().st_mtime_ns if real.exists() else 0]


def of(workspace: Workspace) -> Program:
    """The program of this run. Raises Failed if there is none, or if it is too old."""
    return _of(workspace.terraform, workspace.out)


@lru_cache(maxsize=1)
def _of(path: str, out: Path) -> Program:
    key = file(path)
    try:
        note = json.loads((out / NOTE).read_text(encoding="utf-8"))
        if note["file"] == key:
            return Program(note["name"], note["version"])
    except (OSError, ValueError, LookupError):
        pass
    program = ask(path)
    write(out / NOTE, json.dumps({"file": key, "name": program.name, "version": program.version}) + "\n")
    return program


def ask(path: str) -> Program:
    """The program, read now. Raises Failed if it is neither, or too old."""
    program = asked(path)
    oldest = ".".join(map(str, OLDEST))
    if program is None:
        raise Failed(
            f"{path}: neither Terraform nor OpenTofu: it does not run, or prints no version\n"
            f"  remedy: install Terraform or OpenTofu {oldest} or newer ({INSTALL[TERRAFORM]},"
            f" {INSTALL[OPENTOFU]}) and name its program in TERRAFORM; or rm .venv/installed and make setup"
        )
    if program.numbers < OLDEST:
        raise Failed(
            f"{path}: {program.name} {program.version} is too old: it has no write-only arguments\n"
            f"  remedy: install {program.name} {oldest} or newer ({INSTALL[program.name]})"
        )
    return Program(program.name, program.version)
