"""Fetches the Debian packages for `make examples`: PostgreSQL, Redis, bubblewrap, and Go with its libraries.

    python -m tests.examples.packages FOLDER [PROGRAM]

With PROGRAM the Go example is tested and built, too.

Packages are unpacked, not installed: no service starts, and programs of the machine are not fetched again.
On systems that are not based on Debian the programs must be on PATH.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# Program, and the package that has it. PostgreSQL lies outside PATH, in a folder of its version.
WANTED = {"postgres": "postgresql", "redis-server": "redis-server", "bwrap": "bubblewrap"}
ROOT = Path(__file__).resolve().parents[2]
GO = ROOT / "examples/go"
ALSO = ("ip", "unshare", "nsenter", "openssl")  # iproute2, util-linux, openssl: part of every Debian


class Missing(Exception):
    """The missing program and the remedy."""


def program(name: str, folder: Path) -> Path | None:
    """The path of a program: below the folder, on PATH, or in Debian's folders of PostgreSQL."""
    places = [*folder.glob(f"usr/lib/postgresql/*/bin/{name}"), folder / "usr/bin" / name]
    places += sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    path = next((each for each in places if each.exists()), None)
    on_path = shutil.which(name)
    return path or (Path(on_path) if on_path else None)


def libraries(folder: Path) -> str:
    """The value of LD_LIBRARY_PATH for the fetched programs."""
    return ":".join(str(each) for kind in ("usr/lib", "lib") for each in folder.glob(f"{kind}/*-linux-gnu"))


def fetch(folder: Path) -> None:
    """Raises Missing."""
    if absent := [each for each in ALSO if not shutil.which(each)]:
        raise Missing(
            f"{' and '.join(absent)} must be on PATH\n  remedy: install iproute2, util-linux, openssl"
        )
    get(folder, [package for name, package in WANTED.items() if not program(name, folder)])


def get(folder: Path, packages: list[str]) -> None:
    """Downloads packages with their missing dependencies, and unpacks them. Raises Missing."""
    if not packages:
        return
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Missing(f"apt-get and dpkg-deb are missing\n  remedy: install {', '.join(packages)}")
    archives = folder / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            *("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "--download-only"),
            *("-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1", *packages),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
        check=False,
    )
    if done.returncode != 0:
        raise Missing(f"apt-get cannot fetch {', '.join(packages)}:\n{done.stderr}  remedy: apt-get update")
    for archive in archives.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", archive, folder], check=True)


def build(folder: Path, target: Path) -> None:
    """Builds the Go example with the packages and settings of its Dockerfile. Raises Missing."""
    text = (GO / "Dockerfile").read_text(encoding="utf-8")
    wanted = [name for name in re.findall(r"\bgolang-[a-z0-9-]+", text) if not _has(folder, name)]
    get(folder, wanted)
    roots = [*folder.glob("usr/lib/go-*"), *Path("/usr/lib").glob("go-*")]
    sources = next(each for each in (folder / "usr/share/gocode", Path("/usr/share/gocode")) if each.exists())
    (line,) = re.findall(r"^ENV (.+)$", text, re.M)
    given = dict(pair.split("=", 1) for pair in line.split())
    env = {
        **os.environ,
        **given,
        "GOPATH": str(sources),
        "GOROOT": str(roots[0]),
        "GOCACHE": str(folder / "cache"),
    }
    for words in (["vet", "."], ["test", "."], ["build", "-o", str(target), "."]):
        subprocess.run([roots[0] / "bin/go", *words], cwd=GO, env=env, check=True)


def _has(folder: Path, package: str) -> bool:
    return any((folder / "archives").glob(f"{package}_*.deb"))


if __name__ == "__main__":
    try:
        fetch(Path(sys.argv[1]).resolve())
        if len(sys.argv) > 2:
            build(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    except Missing as reason:
        sys.exit(f"examples: {reason}")
