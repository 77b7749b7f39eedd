"""What is made once in a run of the tests, whichever of its processes needs it first."""

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
    """Finds the folder of the run."""
    base = tmp_path_factory.getbasetemp()
    _folders[:] = [base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base]


@cache
def compile_sources() -> None:
    """Compiles once what copies of the project would compile one by one."""
    for name in ("modules", "rehearsal", "tierra", "tools"):
        compileall.compile_dir(ROOT / name, quiet=1, optimize=[0, 2])


def once(name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` makes, for tests to copy. A failure leaves nothing for the next."""
    [base] = _folders
    folder = base / name
    folder.parent.mkdir(exist_ok=True)
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / f"{name}.made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            (base / f"{name}.made").touch()
    return folder
