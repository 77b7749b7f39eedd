"""cdktn, the maintained successor of cdktf, in its place: the same modules/, with `BINDINGS=cdktn`.

    use()       every later import of cdktf or of its provider packages gives the successor's module

It has a lean copy of its own, made by `make successor` (trim.py); its packages are never installed.
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

from tierra.bindings import trim
from tierra.bindings.package import CDKTN

NAME = CDKTN.name


class MissingError(Exception):
    """The successor cannot be used; one line with the remedy."""


def use(root: Path = trim.ROOT) -> Path:
    """The lean copy of the successor, which is first on the import path. Raises MissingError, and changes
    nothing, if it cannot be used."""
    if (reason := trim.unusable(root, CDKTN)) is not None:
        raise MissingError(f"BINDINGS={NAME}: {reason}; remedy: make successor")
    copy = trim.current(root, CDKTN)
    sys.path.insert(0, str(copy))
    sys.meta_path.insert(0, _Renaming())
    return copy


class _Renaming(MetaPathFinder, Loader):
    """Finds modules by the former names, and returns those of the new names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname.partition(".")[0] in CDKTN.packages else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        package, dot, rest = spec.name.partition(".")
        return import_module(f"{CDKTN.packages[package]}{dot}{rest}")

    def exec_module(self, module: ModuleType) -> None:
        """The module ran when it was imported under its own name."""
