"""Lean bindings: a copy of the installed provider packages with only the modules that modules/ imports.

Importing one module of the AWS bindings imports all 2,212 of them and makes Node load a 130 MB assembly. The copy in
`.lean/` holds only what is used. It is derived: deleting it is always safe, and without it everything still works, slowly.

    python -m bindings.trim     makes the copy, or does nothing when it still fits
    activate()                  puts it first on the import path, or says why not

`.lean/manifest.json` names the current copy (`.lean/copy-…/`) and is replaced last, in one step: readers see either the
old copy or the new one. Nothing in site-packages is changed, and no provider package is imported here.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from bindings.assembly import AssemblyError, cut

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "cdktf_cdktf_provider_"
REMEDY = "make setup, or python -m bindings.trim"

_KEYS = {"code", "sources", "copy", "packages", "archives", "files"}

Imports = dict[str, dict[str, str]]  # package -> module -> where it is imported, "modules/network/tier.py:12"


class TrimError(Exception):
    """One line: what is wrong, and where."""


@dataclass(frozen=True)
class Package:
    """An installed provider package."""

    name: str
    folder: Path
    archive: Path

    @property
    def stamp(self) -> dict[str, object]:
        """What tells one release from another; the archive's name carries the version."""
        return {"archive": self.archive.name, "bytes": self.archive.stat().st_size}


def imports(modules: Path) -> Imports:
    """Every provider module that a Python file below `modules` imports, wherever in the file it does so."""
    found: Imports = {}
    for path in sorted(modules.rglob("*.py")):
        source = path.read_bytes()
        if PREFIX.encode() not in source:
            continue
        place = path.relative_to(modules.parent).as_posix()
        try:
            tree = ast.parse(source)
        except SyntaxError as error:
            raise TrimError(f"{place}:{error.lineno}: not valid Python: {error.msg}") from error
        for node in ast.walk(tree):
            for name in _imported(node):
                _record(found, name, f"{place}:{getattr(node, 'lineno', 0)}")
    return found


def _imported(node: ast.AST) -> Iterator[str]:
    """Dotted names of provider modules; `from package import module` counts as `package.module`."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        inside = "." in node.module
        names = [node.module] if inside else [f"{node.module}.{alias.name}" for alias in node.names]
    yield from (name for name in names if name.startswith(PREFIX))


def _record(found: Imports, name: str, place: str) -> None:
    package, _, rest = name.partition(".")
    module = rest.partition(".")[0]
    if module in ("", "*"):
        raise TrimError(f"{place}: import the module you use, {package}.vpc for one, not all of {package}")
    found.setdefault(package, {}).setdefault(module, place)


def locate(name: str, lean: Path) -> Package:
    """The installed package, found without running any of its code; never the copy in `lean`."""
    path = [entry for entry in sys.path if lean not in Path(entry).resolve().parents]
    spec = PathFinder.find_spec(name, path)
    if spec is None or not spec.submodule_search_locations:
        raise TrimError(f"{name} is not installed")
    folder = Path(spec.submodule_search_locations[0])
    archives = list(folder.glob("_jsii/*.jsii.tgz"))
    if len(archives) != 1:
        raise TrimError(f"{folder} is not a jsii package")
    return Package(name, folder, archives[0])


def problem(root: Path) -> str | None:
    """Why the lean copy of the project in `root` cannot be used, or None. Takes some milliseconds."""
    lean = root / ".lean"
    try:
        manifest = _manifest(lean)
    except FileNotFoundError:
        return "there is no lean copy yet"
    except (OSError, ValueError):
        return "its manifest cannot be read"
    if manifest.get("code") != _code():
        return "it was made by another version of bindings/"
    return _damage(lean / manifest["copy"], manifest) or _gap(root, manifest)


def _gap(root: Path, manifest: dict[str, Any]) -> str | None:
    """What the installed packages or the imports of modules/ have that the copy has not."""
    kept = manifest["packages"]
    for name, wanted in _wanted(root, manifest).items():
        installed = locate(name, root / ".lean").stamp
        if name not in kept:
            return f"it lacks {name} ({min(wanted.values())})"
        if installed != kept[name]["from"]:
            return f"it was made from {kept[name]['from']['archive']}, installed is {installed['archive']}"
        for module, place in sorted(wanted.items()):
            if module not in kept[name]["modules"]:
                return f"it lacks {name}.{module} ({place})"
    return None


def _wanted(root: Path, manifest: dict[str, Any]) -> Imports:
    """The imports of modules/; read from the manifest while no file there has changed."""
    if manifest["sources"] == _sources(root):
        return {name: dict(entry["modules"]) for name, entry in manifest["packages"].items()}
    return imports(root / "modules")


def _damage(copy: Path, manifest: dict[str, Any]) -> str | None:
    for name, size in manifest["files"].items():
        try:
            actual = (copy / name).stat().st_size
        except OSError:
            return f"{name} is missing from it"
        if actual != size:
            return f"{name} in it has {actual} bytes, expected {size}"
    for name, digest in manifest["archives"].items():
        if hashlib.sha256((copy / name).read_bytes()).hexdigest() != digest:
            return f"{name} in it was changed"
    return None


def activate(root: Path = ROOT) -> str | None:
    """Put the lean copy first on the import path, or answer in one line why it is not used and what to do."""
    try:
        reason = problem(root)
    except TrimError as error:
        reason = str(error)
    if reason is not None:
        return f"warning: no lean bindings, so this is slow: {reason}; remedy: {REMEDY}"
    copy = str(root / ".lean" / _manifest(root / ".lean")["copy"])
    if copy not in sys.path:
        sys.path.insert(0, copy)
    return None


def build(root: Path = ROOT) -> bool:
    """Make the lean copy unless it fits exactly; True if it was made. Two at a time wait for each other."""
    lean = root / ".lean"
    lean.mkdir(exist_ok=True)
    with (lean / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if problem(root) is None and _is_exact(root):
            return False
        wanted = imports(root / "modules")
        copy = Path(tempfile.mkdtemp(prefix="copy-", dir=lean))
        try:
            manifest = _fill(copy, wanted, lean) | {"code": _code(), "sources": _sources(root)}
            _publish(lean, copy, manifest)
        except BaseException:
            shutil.rmtree(copy, ignore_errors=True)
            raise
    return True


def _is_exact(root: Path) -> bool:
    """Whether the copy, which covers the imports, has nothing more than them."""
    manifest = _manifest(root / ".lean")
    kept = {name: set(entry["modules"]) for name, entry in manifest["packages"].items()}
    return kept == {name: set(wanted) for name, wanted in _wanted(root, manifest).items()}


def _fill(copy: Path, wanted: Imports, lean: Path) -> dict[str, Any]:
    packages: dict[str, Any] = {}
    archives: dict[str, str] = {}
    for name, modules in wanted.items():
        package = locate(name, lean)
        _copy_package(package, modules, copy / name)
        archive = copy / name / "_jsii" / package.archive.name
        archives[archive.relative_to(copy).as_posix()] = hashlib.sha256(archive.read_bytes()).hexdigest()
        packages[name] = {"from": package.stamp, "modules": modules}
    files = [path for path in sorted(copy.rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    sizes = {path.relative_to(copy).as_posix(): path.stat().st_size for path in files}
    return {"copy": copy.name, "packages": packages, "archives": archives, "files": sizes}


def _copy_package(package: Package, modules: dict[str, str], target: Path) -> None:
    """Copy the Python modules, and the part of the assembly whose types they name."""
    submodules = set()
    for module, place in modules.items():
        source = package.folder / module / "__init__.py"
        if not source.is_file():
            raise TrimError(f"{place}: {package.name} has no module {module}")
        submodules.update(re.findall(r'jsii_type="(@?[^".]+\.[^".]+)\.', source.read_text()))
        shutil.copytree(source.parent, target / module)
    (target / "_jsii").mkdir()
    shutil.copy2(package.folder / "_jsii" / "__init__.py", target / "_jsii")
    (target / "__init__.py").write_text(
        f"\"\"\"{package.name}, only the modules of this project; made by bindings/trim.py.\"\"\"\n\n"
        f"from ._jsii import *\n\n__all__ = {sorted(modules)!r}\n"
    )
    cut(package.archive, submodules, target / "_jsii" / package.archive.name)


def _publish(lean: Path, copy: Path, manifest: dict[str, Any]) -> None:
    """Make `copy` the current one; the one before stays for programs that still read it, older ones go."""
    try:
        previous = _manifest(lean)["copy"]
    except (OSError, ValueError):
        previous = ""
    draft = copy / "manifest.json"
    draft.write_text(json.dumps(manifest, indent=1) + "\n")
    os.replace(draft, lean / "manifest.json")
    for old in lean.glob("copy-*"):
        if old.name not in (copy.name, previous):
            shutil.rmtree(old, ignore_errors=True)


def _manifest(lean: Path) -> dict[str, Any]:
    manifest = json.loads((lean / "manifest.json").read_text())
    if not isinstance(manifest, dict) or not manifest.keys() >= _KEYS:
        raise ValueError("not a manifest")
    return manifest


def _code() -> str:
    folder = Path(__file__).parent
    return _digest((folder / name for name in ("assembly.py", "trim.py")), folder)


def _sources(root: Path) -> str:
    return _digest(sorted((root / "modules").rglob("*.py")), root)


def _digest(paths: Iterable[Path], base: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(base).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def main(root: Path = ROOT) -> int:
    try:
        made = build(root)
    except (TrimError, AssemblyError) as error:
        print(f"lean bindings: {error}", file=sys.stderr)
        return 1
    if made:
        packages = _manifest(root / ".lean")["packages"]
        print("lean bindings: " + ", ".join(f"{len(p['modules'])} modules of {n}" for n, p in packages.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
