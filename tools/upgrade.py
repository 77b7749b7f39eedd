"""Rewrites a spec in the form of today: `python -m tools.upgrade environments/<env>.yaml`.

Only the keys and values that changed are touched, in their places: comments, order and layout stay. The new
text is read back before it replaces the old, and must mean the same environment.
"""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from modules.errors import SpecError
from modules.section import KeyPath
from modules.spec import load_any
from modules.upgrades import OLDEST, STEPS, Change, Step


class Edit(NamedTuple):
    """Text to put in the place of what is there."""

    start: int
    end: int
    text: str


def upgraded(text: str, changes: list[Change], version: int) -> str:
    """The text of a spec with the changes written into it, and its version."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    edits: dict[tuple[KeyPath, str], Edit] = {}
    for change in changes:  # of several changes in one place the last one counts
        key, value = _found(root, change.written)
        if change.key is not None:
            edits[change.written, "key"] = Edit(key.start_mark.index, key.end_mark.index, change.key)
        else:
            edits[change.written, "value"] = Edit(
                value.start_mark.index, value.end_mark.index, _yaml(change.value)
            )
    edits[("version",), "value"] = _version(root, version)
    for edit in sorted(edits.values(), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _found(root: Any, path: KeyPath) -> tuple[Any, Any]:
    """The nodes of the key and the value at a path."""
    key, node = root, root
    for part in path:
        if isinstance(node, yaml.MappingNode):
            key, node = next(pair for pair in node.value if pair[0].value == part)
        else:
            key = node = node.value[part]
    return key, node


def _version(root: Any, version: int) -> Edit:
    for key, value in root.value:
        if key.value == "version":
            return Edit(value.start_mark.index, value.end_mark.index, str(version))
    if root.flow_style:
        return Edit(root.start_mark.index + 1, root.start_mark.index + 1, f"version: {version}, ")
    first = root.value[0][0].start_mark.index
    return Edit(first, first, f"version: {version}\n")


def _yaml(value: Any) -> str:
    """A value on one line."""
    dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return dumped.removesuffix("\n").removesuffix("\n...")


def rewrite(file: Path, steps: Mapping[int, Step] = STEPS) -> str:
    """Upgrades the file and returns the difference; empty when it is of the latest version already.

    Raises SpecError when the spec is wrong, or when the rewritten one would mean something else.
    """
    loaded = load_any(file, steps)
    if not loaded.changes:
        return ""
    with file.open(encoding="utf-8", newline="") as stream:
        before = stream.read()
    after = upgraded(before, loaded.changes, OLDEST + len(steps))
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".upgrade-") as scratch:
        candidate = Path(scratch, file.name)
        candidate.write_text(after, encoding="utf-8", newline="")
        again = load_any(candidate, steps)
        if again.environment != loaded.environment or again.changes:
            raise RuntimeError(f"{file}: the upgraded spec would mean something else; nothing was written")
        os.chmod(candidate, file.stat().st_mode)
        os.replace(candidate, file)
    lines = (each.splitlines(keepends=True) for each in (before, after))
    return "".join(difflib.unified_diff(*lines, f"{file} (before)", str(file)))


def main() -> int:
    file = Path(sys.argv[1])
    try:
        difference = rewrite(file)
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    print(difference or f"upgrade: {file} is of the latest version")
    return 0


if __name__ == "__main__":
    sys.exit(main())
