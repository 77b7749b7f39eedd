"""Installs promtool, which tests Prometheus rules, into .venv/bin: from PATH, or else from Debian.

    python -m tools.promtool

The Prometheus project publishes it only as a download. Debian has it in the package `prometheus`, which is
downloaded and unpacked but not installed: no root access is needed, and no service starts. On other systems
promtool must be on PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "prometheus"
PROGRAM = "usr/bin/promtool"
TARGET = Path(__file__).resolve().parent.parent / ".venv/bin/promtool"
ELSEWHERE = (
    "setup: tests need promtool, and it is not on PATH\n"
    "  remedy: brew install prometheus, or unpack a release of github.com/prometheus/prometheus and put its"
    " promtool on PATH"
)


class Missing(Exception):
    """Why promtool is not available, and the remedy."""


def main() -> int:
    """The exit code."""
    installed = shutil.which("promtool", path=_path_without(TARGET.parent))
    try:
        if installed:
            TARGET.unlink(missing_ok=True)
            TARGET.symlink_to(installed)
        else:
            install(TARGET)
    except Missing as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def install(target: Path) -> None:
    """Extracts promtool from Debian's package. Raises Missing if apt is missing or has no such package."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Missing(ELSEWHERE)
    with tempfile.TemporaryDirectory(prefix="tierra-promtool-") as scratch:
        folder = Path(scratch)
        package = download(folder)
        _run(["dpkg-deb", "--extract", str(package), str(folder / "files")], folder)
        target.unlink(missing_ok=True)
        shutil.move(folder / "files" / PROGRAM, target)


def download(folder: Path) -> Path:
    """The package, by apt: with the package lists of the machine, or else with new ones in a separate folder,
    because a new machine has none and only root can update them."""
    try:
        _run(["apt-get", "download", PACKAGE], folder)
    except Missing:
        lists = folder / "lists"
        (lists / "partial").mkdir(parents=True)
        (folder / "cache/archives/partial").mkdir(parents=True)
        own = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={folder / 'cache'}"]
        _run(["apt-get", *own, "update"], folder)
        _run(["apt-get", *own, "download", PACKAGE], folder)
    (package,) = folder.glob("*.deb")
    return package


def _run(command: list[str], folder: Path) -> None:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Missing(f"{ELSEWHERE}\n  {' '.join(command)}:\n{ended.stdout}{ended.stderr}")


def _path_without(folder: Path) -> str:
    """PATH without the folder into which this module installs."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if Path(entry).resolve() != folder.resolve())


if __name__ == "__main__":
    sys.exit(main())
