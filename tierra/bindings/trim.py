"""Lean bindings: a copy of the installed provider packages with only the modules that modules/ imports.

Importing one module of the AWS bindings imports all 2,212 of them and makes Node load a 130 MB assembly. The
copy in `.lean/` holds only what is used. It is derived: deleting it is safe at any time, and without it
cdktf still works, slowly. cdktn has a copy of its own and needs it.

    python -m tierra.bindings.trim           makes the copy, or does nothing if it still fits
    python -m tierra.bindings.trim cdktn     makes the copy for cdktn, the successor of cdktf
    activate()                               puts it first on the import path, or returns why not

`.lean/manifest.json` names the current copy (`.lean/copy-…/`) and is replaced last, in one step: readers see
either the old copy or the new one. Nothing in site-packages is changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tierra.bindings.imports import Imports, TrimError, imports, sources
from tierra.bindings.package import (
    CDKTF,
    CDKTN,
    LEAN,
    Bindings,
    copy_part,
    copy_runtime,
    copy_whole,
    jsii_has_shared_check,
    locate,
    unpacked,
)

# Modules that only `build` needs are imported there: `activate` is part of every start.

ROOT = Path(__file__).resolve().parents[2]
REMEDY = "make setup, or python -m tierra.bindings.trim"
_KEYS = {"code", "sources", "copy", "packages", "archives", "files"}


def activate(root: Path = ROOT) -> str | None:
    """Put the lean copy first on the import path, or return one line: why it is not used, and the remedy."""
    if (reason := unusable(root)) is not None:
        sys.path += [str(wheel) for wheel in CDKTF.wheels() if str(wheel) not in sys.path]
        return f"warning: no lean bindings, so this is slow: {reason}; remedy: {REMEDY}"
    copy = str(current(root))
    if copy not in sys.path:
        sys.path.insert(0, copy)
    return None


def unusable(root: Path, bindings: Bindings = CDKTF) -> str | None:
    """As `problem`, for a start that must not fail because of it."""
    try:
        return problem(root, bindings)
    except (TrimError, OSError) as error:
        return str(error)


def current(root: Path = ROOT, bindings: Bindings = CDKTF) -> Path:
    """The folder of the current lean copy."""
    return root / LEAN / str(_manifest(root, bindings)["copy"])


def problem(root: Path, bindings: Bindings = CDKTF) -> str | None:
    """Why the lean copy of the project in `root` cannot be used, or None. Takes about 0.03 s."""
    try:
        manifest = _manifest(root, bindings)
    except FileNotFoundError:
        return "there is no lean copy yet"
    except (OSError, ValueError):
        return "the manifest of the lean copy cannot be read"
    if manifest["code"] != _code():
        return "the lean copy was made by another version of tierra/bindings/trim.py"
    return _damage(root / LEAN / manifest["copy"], manifest) or _gap(root, manifest, bindings)


def _damage(copy: Path, manifest: dict[str, Any]) -> str | None:
    for name, size in manifest["files"].items():
        try:
            actual = os.stat(copy / name).st_size
        except OSError:
            return f"{name} is missing from the lean copy"
        if actual != size:
            return f"{name} in the lean copy has {actual} bytes instead of {size}"
    for name, digest in manifest["archives"].items():
        if hashlib.sha256((copy / name).read_bytes()).hexdigest() != digest:
            return f"{name} in the lean copy was changed"
    return None


def _gap(root: Path, manifest: dict[str, Any], bindings: Bindings) -> str | None:
    """What the copy lacks of the installed packages or the imports of modules/."""
    packages = manifest["packages"]
    every: Imports = {base: {} for base in bindings.bases} | _wanted(root, manifest, bindings)
    for name, wanted in every.items():
        installed = locate(name, bindings).release
        if name not in packages:
            return f"the lean copy lacks {name} ({min(wanted.values())})"
        made_from = packages[name]["from"]
        if installed != made_from:
            return f"the lean copy was made from {name} {made_from}, installed is {installed}"
        for module, file in sorted(wanted.items()):
            if module not in packages[name]["modules"]:
                return f"the lean copy lacks {name}.{module} ({file})"
    return None


def _wanted(root: Path, manifest: dict[str, Any], bindings: Bindings) -> Imports:
    """The imports of modules/; read from the manifest while no file there has changed."""
    if manifest["sources"] == _sources(root):
        packages = manifest["packages"].items()
        return {name: dict(entry["modules"]) for name, entry in packages if name not in bindings.bases}
    return _imports(root, bindings)


def _imports(root: Path, bindings: Bindings) -> Imports:
    return {bindings.packages.get(name, name): modules for name, modules in imports(root).items()}


def _is_exact(root: Path, bindings: Bindings) -> bool:
    """Whether the copy, which covers the imports, contains nothing else."""
    manifest = _manifest(root, bindings)
    packages = manifest["packages"].items()
    copied = {name: set(entry["modules"]) for name, entry in packages if name not in bindings.bases}
    return copied == {name: set(wanted) for name, wanted in _wanted(root, manifest, bindings).items()}


def build(root: Path = ROOT, bindings: Bindings = CDKTF) -> bool:
    """Make the lean copy unless it fits exactly; True if it was made. After a build no synthesis parses the
    sources. Two concurrent builds wait for each other."""
    import fcntl
    import shutil
    import tempfile

    from tierra.files import write

    lean = root / LEAN
    lean.mkdir(exist_ok=True)
    with (lean / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = _sources(root)
        if problem(root, bindings) is None and _is_exact(root, bindings):
            write(lean / bindings.manifest, _text(_manifest(root, bindings) | {"sources": sources}))
            return False
        copy = Path(tempfile.mkdtemp(prefix=bindings.copies, dir=lean))
        copy.chmod(0o755)
        try:
            manifest = _fill(copy, _imports(root, bindings), bindings)
            manifest |= {"code": _code(), "sources": sources, "copy": copy.name}
            _publish(root, copy, manifest, bindings)
        except BaseException:
            shutil.rmtree(copy, ignore_errors=True)
            raise
    return True


def _fill(copy: Path, wanted: Imports, bindings: Bindings) -> dict[str, Any]:
    import tempfile
    from compileall import compile_dir
    from py_compile import PycInvalidationMode

    packages: dict[str, Any] = {}
    archives: dict[str, str] = {}
    order: list[dict[str, str]] = []
    copy_runtime(copy / "jsii")
    for name, modules in [*((base, None) for base in bindings.bases), *sorted(wanted.items())]:
        package = locate(name, bindings)
        with tempfile.TemporaryDirectory(prefix="tierra-") as scratch:
            whole = unpacked(package, modules, Path(scratch))
            if modules is None:
                copy_whole(whole, copy / name)
            else:
                copy_part(whole, modules, copy / name)
            assembly, version = whole.assembly
        archive = copy / name / "_jsii" / whole.archive.name
        archives[archive.relative_to(copy).as_posix()] = hashlib.sha256(archive.read_bytes()).hexdigest()
        packages[name] = {"from": package.release, "modules": modules or {}}
        order.append({"name": assembly, "version": version, "file": archive.relative_to(copy).as_posix()})
    (copy / "archives.json").write_text(json.dumps(order))
    # Compiled now, so that the first run is fast too, with and without -OO; valid by size alone, so that the
    # folder can be moved.
    unchecked = PycInvalidationMode.UNCHECKED_HASH
    for level in (0, 2):
        compile_dir(copy, quiet=1, workers=0, invalidation_mode=unchecked, optimize=level)
    files = [path for path in sorted(copy.rglob("*")) if path.is_file()]
    sizes = {path.relative_to(copy).as_posix(): path.stat().st_size for path in files}
    return {"packages": packages, "archives": archives, "files": sizes}


def _publish(root: Path, copy: Path, manifest: dict[str, Any], bindings: Bindings) -> None:
    """Make `copy` the current one; the previous one stays for programs that still read it, older ones are
    deleted."""
    import shutil

    from tierra.files import write

    try:
        previous = _manifest(root, bindings)["copy"]
    except (OSError, ValueError):
        previous = ""
    write(root / LEAN / bindings.manifest, _text(manifest))
    for old in (root / LEAN).glob(f"{bindings.copies}*"):
        if old.name not in (copy.name, previous):
            shutil.rmtree(old, ignore_errors=True)


def _text(manifest: dict[str, Any]) -> str:
    return json.dumps(manifest, indent=1) + "\n"


def _manifest(root: Path, bindings: Bindings) -> dict[str, Any]:
    manifest = json.loads((root / LEAN / bindings.manifest).read_text())
    if not isinstance(manifest, dict) or not manifest.keys() >= _KEYS:
        raise ValueError("not a manifest")
    return manifest


def _code() -> str:
    """A digest that changes if a new copy would differ from an old one, for the same packages and imports."""
    folder = Path(__file__).parent
    parts = ("assembly.py", "imports.py", "package.py", "thin.py", "trim.py")
    return f"{_digest((folder / name for name in parts), folder)} {jsii_has_shared_check()}"


def _sources(root: Path) -> str:
    return _digest(sources(root), root)


def _digest(paths: Iterable[Path], base: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(base).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def main(root: Path = ROOT, bindings: Bindings = CDKTF) -> int:
    """Exit code 0 when the copy fits or was made; otherwise one line on stderr and 1."""
    try:
        made = build(root, bindings)
    except (TrimError, OSError) as error:
        print(f"lean bindings: {error}", file=sys.stderr)
        return 1
    if made:
        packages = _manifest(root, bindings)["packages"].items()
        summary = ", ".join(
            f"{len(entry['modules'])} modules of {name}" for name, entry in packages if entry["modules"]
        )
        print(f"lean bindings: {summary or 'nothing is imported'}")
    return 0


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else CDKTF.name
    chosen = {CDKTF.name: CDKTF, CDKTN.name: CDKTN}.get(asked)
    sys.exit(main(bindings=chosen) if chosen else f"trim: {asked}: must be cdktf or cdktn")
