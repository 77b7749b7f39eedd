"""Merges a spec with the base that it extends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tierra.validation.errors import Problem, SpecError
from tierra.validation.reader import Document, read
from tierra.validation.upgrades import STEPS, Step, upgrade


def resolved(path: Path, steps: Mapping[int, Step] = STEPS) -> tuple[Document, list[str]]:
    """A spec merged with its base (`extends`), and the translations of both. Raises SpecError."""
    document = read(path)
    changes = upgrade(path.as_posix(), document, steps)
    named = document.data.get("extends")
    if named is None:
        return document, changes
    line = document.line(("extends",))
    if not isinstance(named, str) or not re.fullmatch(
        r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)+\.yaml", named
    ):
        rule = (
            f"a base must be in a folder below {path.parent.as_posix()}: files beside a spec are environments"
        )
        problem = Problem(
            "extends", document.shown(("extends",)), rule, "write extends: shared/base.yaml", line
        )
        raise SpecError(path.as_posix(), [problem])
    base_path = path.parent / named
    if not base_path.exists():
        rule = f"the base must exist, and there is no {base_path.as_posix()}"
        remedy = "check its path, which is below the folder of the spec; or write the file"
        raise SpecError(
            path.as_posix(), [Problem("extends", document.shown(("extends",)), rule, remedy, line)]
        )
    base = read(base_path)
    changes += [f"{named}: {each}" for each in upgrade(base_path.as_posix(), base, steps)]
    if "extends" in base.data:
        rule, remedy = "a base must not extend another file", "put the keys of both into one file"
        line = base.line(("extends",))
        raise SpecError(
            base_path.as_posix(), [Problem("extends", base.shown(("extends",)), rule, remedy, line)]
        )
    document.extend(base, base_path.as_posix())
    return document, changes
