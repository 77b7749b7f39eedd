"""Folders that the processes of a test run create once and share."""

from __future__ import annotations

import compileall
import fcntl
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_folders: list[Path] = []


@pytest.fixture(scope="session", autouse=True)
def _shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Sets the folder of the test run, which all its processes share."""
    base = tmp_path_factory.getbasetemp()
    share_in(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)


def share_in(folder: Path) -> None:
    """Sets the folder of all shared folders, for programs without pytest."""
    _folders[:] = [folder]


@cache
def compile_sources() -> None:
    """Compiles the sources once, so that copies of the project need not compile them."""
    for name in ("modules", "rehearsal", "tierra", "tools"):
        compileall.compile_dir(ROOT / name, quiet=1, optimize=[0, 2])


def once(name: str, create: Callable[[Path], object]) -> Path:
    """The folder that `create` fills, for tests to copy. After a failure the next call creates it again."""
    [base] = _folders
    folder = base / name
    folder.parent.mkdir(exist_ok=True)
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / f"{name}.done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            create(folder)
            (base / f"{name}.done").touch()
    return folder


def existing(name: str) -> Path | None:
    """The folder of this name, if it was created."""
    [base] = _folders
    return base / name if (base / f"{name}.done").exists() else None
