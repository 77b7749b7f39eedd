"""A package of the bindings: where it is, and how a part of it is copied. Runs none of its code. Set-up keeps
the bindings of AWS as a wheel, which is a quarter of their size: a plan needs only the lean copy. If they are
installed, the installed package is used.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from tierra.bindings.imports import TrimError

LEAN = ".lean"
"""The folder of the lean copies, in the root of the project."""

_WITHOUT_ATTRS = {
    "import attr\n": "import dataclasses\n",
    "@attr.s(auto_attribs=True, frozen=True, slots=True)": "@dataclasses.dataclass",
    "attr.evolve(": "dataclasses.replace(",
}


@dataclass(frozen=True)
class Bindings:
    """A set of bindings: cdktf or cdktn, with its provider packages."""

    name: str
    packages: Mapping[str, str]
    """Maps the name that modules/ imports to the name of the package."""
    folder: str
    """The folder of the wheels that set-up keeps, in `.venv/`."""
    manifest: str
    copies: str
    """The prefix of the names of the lean copies."""
    installed: bool
    """Whether an installed package takes precedence over its wheel."""

    @property
    def bases(self) -> tuple[str, ...]:
        """The packages that all others build on, in the order of loading."""
        return "constructs", self.packages["cdktf"]

    def wheels(self) -> list[Path]:
        return sorted(Path(sys.prefix, self.folder).glob("*.whl"))


_SUCCESSORS = {
    "cdktf": "cdktn",
    "cdktf_cdktf_provider_aws": "cdktn_provider_aws",
    "cdktf_cdktf_provider_helm": "cdktn_provider_helm",
}
CDKTF = Bindings(
    "cdktf", {name: name for name in _SUCCESSORS}, "bindings", "manifest.json", "copy-", installed=True
)
CDKTN = Bindings("cdktn", _SUCCESSORS, "successor", "cdktn.json", "cdktn-", installed=False)
"""The maintained successor of cdktf (successor.py)."""


@dataclass(frozen=True)
class Package:
    """A package of the bindings: installed in a folder, with its assembly, or (both of them) a wheel."""

    name: str
    folder: Path
    archive: Path

    @property
    def release(self) -> str:
        """The version, the same for the wheel and for what is installed from it."""
        name = self.archive.name
        return (
            name.split("-")[1] if name.endswith(".whl") else name.rpartition("@")[2].removesuffix(".jsii.tgz")
        )

    @property
    def assembly(self) -> tuple[str, str]:
        """The name and version of the package in Node."""
        text = (self.folder / "_jsii/__init__.py").read_text(encoding="utf-8")
        match = re.search(r'JSIIAssembly\.load\(\s*"([^"]+)",\s*"([^"]+)"', text)
        if match is None:
            raise TrimError(f"{self.folder} is not a jsii package")
        return match[1], match[2]


def locate(name: str, bindings: Bindings = CDKTF) -> Package:
    """The installed package, or its wheel; never a lean copy, even if that is first on the import path."""
    folder = _installed(name) if bindings.installed else None
    if folder is None:
        for wheel in bindings.wheels():
            if wheel.name.partition("-")[0] == name:
                return Package(name, wheel, wheel)
        missing = "is not installed" if bindings.installed else f"has no wheel in .venv/{bindings.folder}"
        raise TrimError(f"{name} {missing}")
    archives = list(folder.glob("_jsii/*.jsii.tgz"))
    if len(archives) != 1:
        raise TrimError(f"{folder} is not a jsii package")
    return Package(name, folder, archives[0])


def _installed(name: str) -> Path | None:
    wheel_paths = {str(wheel) for wheel in CDKTF.wheels()}
    path = [
        entry for entry in sys.path if Path(entry).resolve().parent.name != LEAN and entry not in wheel_paths
    ]
    return _folder(name, path)


def _folder(name: str, path: list[str] | None = None) -> Path | None:
    spec = PathFinder.find_spec(name, path)
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) if locations else None


def jsii_has_shared_check() -> bool:
    """Whether the installed jsii has what `_SHARED_CHECK` imports."""
    folder = _installed("jsii")
    try:
        text = (folder / "_type_checking.py").read_text() if folder else ""
    except OSError:
        return False
    return "\ndef cached_type_hints(" in text and "\ndef check_type(" in text


def unpacked(package: Package, modules: Iterable[str] | None, scratch: Path) -> Package:
    """The package with these modules, or all, and its assembly in a folder, which is below `scratch` for a
    wheel."""
    if package.folder.suffix != ".whl":
        return package
    import zipfile

    folder = scratch / package.name
    wanted = None if modules is None else {"_jsii", *modules}
    try:
        with zipfile.ZipFile(package.folder) as wheel:
            names = [name for name in wheel.namelist() if name.startswith(f"{package.name}/")]
            wheel.extractall(scratch, [name for name in names if not wanted or name.split("/")[1] in wanted])
            while wanted and (more := _named_by(package.name, folder, wanted) - wanted):
                wheel.extractall(scratch, [name for name in names if name.split("/")[1] in more])
                wanted |= more
    except (OSError, zipfile.BadZipFile) as error:
        raise TrimError(f"{package.folder} cannot be read: {error}") from error
    archives = list(folder.glob("_jsii/*.jsii.tgz"))
    if len(archives) != 1:
        raise TrimError(f"{package.folder} is not a jsii package")
    return Package(package.name, folder, archives[0])


def _named_by(name: str, folder: Path, modules: Iterable[str]) -> set[str]:
    """The modules of the package called `name` that these modules import for their types."""
    files = [folder / module / "__init__.py" for module in modules]
    named = re.compile(rf"^    import {name}\.(\w+) as ", re.M)
    return {each for file in files if file.is_file() for each in named.findall(file.read_text("utf-8"))}


def copy_part(package: Package, modules: dict[str, str], target: Path) -> None:
    """Copy to `target` these modules, those that they name, and the part of the assembly whose types they
    name."""
    sources: dict[Path, str] = {}
    while more := _named_by(package.name, package.folder, modules) - modules.keys():
        modules = modules | dict.fromkeys(more, package.name)
    for module, origin in modules.items():
        source = package.folder / module
        if not (source / "__init__.py").is_file():
            raise TrimError(f"{origin}: {package.name} has no module {module}")
        files = source.rglob("*.py")
        sources |= {file.relative_to(package.folder): file.read_text(encoding="utf-8") for file in files}
    sources[Path("__init__.py")] = (
        f'"""{package.name}, only the modules of this project; made by tierra/bindings/trim.py."""\n\n'
        f"from ._jsii import *\n\n__all__ = {sorted(modules)!r}\n"
    )
    sources[Path("_jsii", "__init__.py")] = (package.folder / "_jsii/__init__.py").read_text(encoding="utf-8")
    _write(package, sources, _submodules(sources), target)


def copy_whole(package: Package, target: Path) -> None:
    """Copy to `target` a whole jsii package, without files that no run needs."""
    files = sorted(package.folder.rglob("*.py"))
    sources = {file.relative_to(package.folder): file.read_text(encoding="utf-8") for file in files}
    _write(package, sources, None, target)


def _submodules(sources: dict[Path, str]) -> set[str]:
    return {
        name for text in sources.values() for name in re.findall(r'jsii_type="(@?[^".]+\.[^".]+)\.', text)
    }


def _write(package: Package, sources: dict[Path, str], submodules: set[str] | None, target: Path) -> None:
    from tierra.bindings.assembly import AssemblyError, cut
    from tierra.bindings.thin import VALUES, parted, thin

    (target / "_jsii").mkdir(parents=True)
    try:
        facts = cut(package.archive, submodules, target / "_jsii" / package.archive.name)
    except (AssemblyError, EOFError, OSError) as error:
        raise TrimError(f"{package.archive} cannot be read: {error}") from error
    shared_check = jsii_has_shared_check()
    for path, text in sources.items():
        copied = target / path
        copied.parent.mkdir(parents=True, exist_ok=True)
        lean, values = parted(thin(text, facts, shared_check))
        copied.write_text(lean, encoding="utf-8")
        if values:
            copied.with_name(VALUES).write_text(values, encoding="utf-8")


def copy_runtime(target: Path) -> None:
    """Copy to `target` jsii itself, with tierra/bindings/kernel.py in place of its connection to Node."""
    folder = _installed("jsii")
    if folder is None:
        raise TrimError("jsii is not installed")
    target.mkdir()
    for file in [*folder.glob("*.py"), folder / "_metadata.json"]:
        text = file.read_text(encoding="utf-8")
        if file.name == "_runtime.py":
            text = text.replace("import attr\n", "import dataclasses\n")
            text = text.replace(
                "@attr.s(auto_attribs=True, frozen=True, slots=True)", "@dataclasses.dataclass"
            )
            text = text.replace("attr.evolve(", "dataclasses.replace(")
        if file.name == "__init__.py":
            text += "\nfrom tierra.bindings.kernel import Field, Struct, method\n"
        if file.name == "_type_checking.py" and jsii_has_shared_check():
            text += "\nfrom tierra.bindings.checks import remembered\n\ncheck_type = remembered(check_type)\n"
        (target / file.name).write_text(text, encoding="utf-8")
    kernel = target / "_kernel"
    kernel.mkdir()
    (kernel / "__init__.py").write_text(
        "from tierra.bindings.kernel import KERNEL\n\n\ndef Kernel():\n    return KERNEL\n"
    )
    (kernel / "types.py").write_text("from tierra.bindings.kernel import ObjRef\n")
    program = target / "_embedded/jsii/lib"
    program.mkdir(parents=True)
    for name in ("program.js", "runtime-index-worker.js"):
        shutil.copyfile(folder / "_embedded/jsii" / f"lib__{name}", program / name)
