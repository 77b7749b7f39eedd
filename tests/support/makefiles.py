"""Targets and variables of the makefiles."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


TARGET = re.compile(r"^([a-z][a-z-]*):(?!=)", re.M)


def makefiles() -> str:
    """The Makefile, and tests/targets.mk with targets for work on the project."""
    files = (ROOT / "Makefile", ROOT / "tests" / "targets.mk")
    return "".join(each.read_text(encoding="utf-8") for each in files)
