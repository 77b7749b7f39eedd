"""cdktn, the maintained successor of cdktf, in its place: the same modules/, with `BINDINGS=cdktn`.

    use()       every later import of cdktf or of its provider packages gives the successor's module

It has no lean bindings, so an import takes as long as that of the whole bindings. `make successor` installs
it, apart from the packages of a plan.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(".venv", "successor")
NAME = "cdktn"
NAMES = {
    "cdktf": "cdktn",
    "cdktf_cdktf_provider_aws": "cdktn_provider_aws",
    "cdktf_cdktf_provider_helm": "cdktn_provider_helm",
}


class MissingError(Exception):
    """The successor is not installed; one line with the remedy."""


def use(root: Path = ROOT) -> None:
    """Raises MissingError, and changes nothing, if it is not installed."""
    if not (root / FOLDER / NAME).is_dir():
        raise MissingError(f"BINDINGS={NAME}: {FOLDER}/{NAME} does not exist; remedy: make successor")
    # It is installed with the release of `constructs` that it needs, which takes precedence.
    sys.path.insert(0, str(root / FOLDER))
    sys.meta_path.insert(0, _Renaming())


class _Renaming(MetaPathFinder, Loader):
    """Finds modules by the former names, and returns those of the new names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname.partition(".")[0] in NAMES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        package, dot, rest = spec.name.partition(".")
        return import_module(f"{NAMES[package]}{dot}{rest}")

    def exec_module(self, module: ModuleType) -> None:
        """The module ran when it was imported under its own name."""
