"""A provider package: where it is, and how a part of it is copied. Runs no code of it.

Set-up keeps the bindings of AWS as the wheel that they come in, a quarter of their size: a plan needs no more
of them than the lean copy. Where they are installed, as the tests want them, that counts.
"""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from bindings.imports import TrimError

# Every binding brings its own type check, asks for the version of typeguard once more, and resolves the same
# annotations again at every call. The newer jsii has both in one place, and newer bindings are generated with
# the second line instead of the first block (see the `constructs` package).
_OWN_CHECK = r"import typeguard\nfrom importlib\.metadata .*?(?=\nfrom \.\._jsii import \*\n)"
_SHARED_CHECK = "from jsii._type_checking import cached_type_hints, check_type\n"

LEAN = ".lean"
"""The folder of the lean copies, in the root of the project."""


@dataclass(frozen=True)
class Package:
    """A provider package: installed in a folder, with its assembly, or (both of them) a wheel."""

    name: str
    folder: Path
    archive: Path

    @property
    def stamp(self) -> dict[str, object]:
        """What tells one release from another; the archive's name carries the version."""
        return {"archive": self.archive.name, "bytes": self.archive.stat().st_size}


def wheels() -> list[Path]:
    """The wheels that set-up keeps, in `.venv/bindings/`."""
    return sorted(Path(sys.prefix, "bindings").glob("*.whl"))


def locate(name: str) -> Package:
    """The installed package, or its wheel; never a lean copy, even while that is first on the import path."""
    kept = {str(wheel) for wheel in wheels()}
    path = [entry for entry in sys.path if Path(entry).resolve().parent.name != LEAN and entry not in kept]
    folder = _folder(name, path)
    if folder is None:
        for wheel in wheels():
            if wheel.name.partition("-")[0] == name:
                return Package(name, wheel, wheel)
        raise TrimError(f"{name} is not installed")
    archives = list(folder.glob("_jsii/*.jsii.tgz"))
    if len(archives) != 1:
        raise TrimError(f"{folder} is not a jsii package")
    return Package(name, folder, archives[0])


def _folder(name: str, path: list[str] | None = None) -> Path | None:
    spec = PathFinder.find_spec(name, path)
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) if locations else None


def jsii_has_shared_check() -> bool:
    """Whether the installed jsii offers what `_SHARED_CHECK` imports."""
    folder = _folder("jsii")
    try:
        text = (folder / "_type_checking.py").read_text() if folder else ""
    except OSError:
        return False
    return "\ndef cached_type_hints(" in text and "\ndef check_type(" in text


def unpacked(package: Package, modules: dict[str, str], scratch: Path) -> Package:
    """The package with these modules and its assembly in a folder, which is below `scratch` for a wheel."""
    if package.folder.suffix != ".whl":
        return package
    wanted = {"_jsii", *modules}
    try:
        with zipfile.ZipFile(package.folder) as wheel:
            names = [each.split("/") for each in wheel.namelist()]
            wheel.extractall(
                scratch, ["/".join(each) for each in names if each[0] == package.name and each[1] in wanted]
            )
    except (OSError, zipfile.BadZipFile) as error:
        raise TrimError(f"{package.folder} cannot be read: {error}") from error
    folder = scratch / package.name
    archives = list(folder.glob("_jsii/*.jsii.tgz"))
    if len(archives) != 1:
        raise TrimError(f"{package.folder} is not a jsii package")
    return Package(package.name, folder, archives[0])


def copy_part(package: Package, modules: dict[str, str], target: Path) -> None:
    """Copy to `target` these modules, and the part of the assembly whose types they name."""
    from bindings.assembly import AssemblyError, cut

    submodules: set[str] = set()
    has_shared_check = jsii_has_shared_check()
    for module, place in modules.items():
        source = package.folder / module
        if not (source / "__init__.py").is_file():
            raise TrimError(f"{place}: {package.name} has no module {module}")
        for file in source.rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            submodules.update(re.findall(r'jsii_type="(@?[^".]+\.[^".]+)\.', text))
            copied = target / file.relative_to(package.folder)
            copied.parent.mkdir(parents=True, exist_ok=True)
            text = _with_shared_check(text) if has_shared_check else text
            copied.write_text(_with_lazy_annotations(text), encoding="utf-8")
    (target / "_jsii").mkdir()
    shutil.copy(package.folder / "_jsii" / "__init__.py", target / "_jsii")
    (target / "__init__.py").write_text(
        f'"""{package.name}, only the modules of this project; made by bindings/trim.py."""\n\n'
        f"from ._jsii import *\n\n__all__ = {sorted(modules)!r}\n"
    )
    try:
        cut(package.archive, submodules, target / "_jsii" / package.archive.name)
    except (AssemblyError, EOFError, OSError) as error:
        raise TrimError(f"{package.archive} cannot be read: {error}") from error


def _with_lazy_annotations(text: str) -> str:
    """The binding with annotations that are evaluated on demand, which saves a quarter of its import;
    unchanged if its beginning looks unfamiliar."""
    start = "from pkgutil import extend_path\n"
    return text.replace(start, f"from __future__ import annotations\n{start}", 1)


def _with_shared_check(text: str) -> str:
    """The binding with the type check of jsii instead of its own; unchanged if its own looks unfamiliar."""
    shared, count = re.subn(_OWN_CHECK, _SHARED_CHECK, text, flags=re.DOTALL)
    return shared.replace("typing.get_type_hints(", "cached_type_hints(") if count == 1 else text
