"""Compares the facts of the rehearsal with the real provider's schema.

    python -m tests.support.witness DUMP

DUMP is a clone of lonegunmanb/terraform-aws-schema, which publishes what `terraform providers schema` says of
each version. Where the two differ about an argument of a type with facts, tests/rehearsal/witness.yaml has a
line; what was explained there stays explained.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from rehearsal.catalog import Catalog, catalog_path
from tierra.bindings.schema import Block

REPORT = Path(__file__).parents[1] / "rehearsal/witness.yaml"
FLAGS = ("required", "optional", "computed", "sensitive", "write_only")
UNEXPLAINED = "not explained yet"


def main() -> int:
    dump = Path(sys.argv[1])
    version = re.search(r"[\d.]+$", git(dump, "log", "-1", "--format=%s").strip())
    known = yaml.safe_load(REPORT.read_text(encoding="utf-8"))["differ"] if REPORT.exists() else {}
    resources = {
        name: each
        for name, each in Catalog(catalog_path()).load("aws", "resource").items()
        if each.facts.source
    }
    differ: dict[str, dict[str, str]] = {}
    absent, compared = [], 0
    for name, each in sorted(resources.items()):
        real = schema(dump, name)
        if real is None:
            absent.append(name)
            continue
        compared += 1
        for path, words in differences(each.block, real["block"], set(each.facts.defaults)):
            why = known.get(name, {}).get(path, "").partition(": ")[2] or UNEXPLAINED
            differ.setdefault(name, {})[path] = f"{words}: {why}"
    report = {
        "dump": f"lonegunmanb/terraform-aws-schema, {version.group() if version else 'of no version'}",
        "types": compared,
        "absent": absent,
        "differ": differ,
    }
    text = yaml.safe_dump(report, sort_keys=False, width=110, allow_unicode=True)
    REPORT.write_text(
        f"# Written by python -m tests.support.witness; what stands after the colon is ours.\n{text}",
        encoding="utf-8",
    )
    count = sum(map(len, differ.values()))
    print(f"witness: {compared} types compared, {count} arguments of {len(differ)} types differ")
    return 0


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(folder), *words],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def schema(dump: Path, type_name: str) -> dict[str, Any] | None:
    camel = "".join(part.capitalize() for part in type_name.split("_"))
    try:
        text = git(dump, "show", f"HEAD:generated/resource/{camel[0].lower()}{camel[1:]}.go")
    except subprocess.CalledProcessError:
        return None
    parsed: dict[str, Any] = json.loads(text.split("`")[1])
    return parsed


def differences(
    ours: Block, real: dict[str, Any], defaults: set[str], path: str = ""
) -> Iterator[tuple[str, str]]:
    """Paths of arguments that both know, with the flags that only one has.

    An argument with a default is computed here, which is how the rehearsal plans the default.
    """
    for name, attribute in real.get("attributes", {}).items():
        mine = ours.attributes.get(name)
        if mine is None or attribute.get("deprecated"):
            continue
        theirs = flags(attribute) | ({"computed"} if f"{path}{name}" in defaults else set())
        if theirs != (here := {flag for flag in FLAGS if getattr(mine, flag)}):
            words = [*(f"ours alone {flag}" for flag in sorted(here - theirs))]
            words += [f"the dump's alone {flag}" for flag in sorted(theirs - here)]
            yield f"{path}{name}", ", ".join(words)
    for name, nested in real.get("block_types", {}).items():
        if name in ours.blocks and name != "timeouts":
            yield from differences(ours.blocks[name].block, nested["block"], defaults, f"{path}{name}.")


def flags(attribute: dict[str, Any]) -> set[str]:
    return {flag for flag in FLAGS if attribute.get(flag)}


if __name__ == "__main__":
    sys.exit(main())
