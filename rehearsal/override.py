"""Turns generated root modules into rehearsed ones.

`python -m rehearsal.override STACKS STATES [--unprotected]`

Beside each generated `cdk.tf.json` goes a `rehearsal_override.tf.json`, which terraform merges over it. State
and the states of other tiers are then local files in the folder STATES; the generated file is not touched.
With --unprotected the resources that terraform must never destroy may be destroyed, for the end of a dress
rehearsal.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

NAME = "rehearsal_override.tf.json"


def main() -> None:
    stacks, states = Path(sys.argv[1]), Path(sys.argv[2])
    states.mkdir(parents=True, exist_ok=True)
    for generated in sorted(stacks.glob("*/cdk.tf.json")):
        configuration = json.loads(generated.read_text())
        override = rehearsed(configuration, generated.parent, states)
        lifted = unprotected(configuration) if "--unprotected" in sys.argv[3:] else {}
        if lifted:
            override["resource"] = lifted
        _write(generated.parent / NAME, override)


def rehearsed(configuration: dict[str, Any], module: Path, states: Path) -> dict[str, Any]:
    """The override of one root module, with paths relative to it."""

    def state(tier: str) -> str:
        return os.path.relpath(states / f"{tier}.tfstate", module)

    override: dict[str, Any] = {"terraform": {"backend": {"local": {"path": state(module.name)}}}}
    producers = configuration.get("data", {}).get("terraform_remote_state", {})
    if producers:
        local = {name: {"backend": "local", "config": {"path": state(name)}} for name in sorted(producers)}
        override["data"] = {"terraform_remote_state": local}
    return override


def unprotected(configuration: dict[str, Any]) -> dict[str, Any]:
    """For every resource with prevent_destroy, the same without."""
    lifted: dict[str, Any] = {}
    for type_name, resources in configuration.get("resource", {}).items():
        for name, resource in resources.items():
            if resource.get("lifecycle", {}).get("prevent_destroy"):
                lifted.setdefault(type_name, {})[name] = {"lifecycle": {"prevent_destroy": False}}
    return lifted


def _write(file: Path, override: dict[str, Any]) -> None:
    text = json.dumps(override, indent=2, sort_keys=True) + "\n"
    if not file.exists() or file.read_text() != text:
        temporary = file.with_name(f"{file.name}.new")
        temporary.write_text(text)
        os.replace(temporary, file)


if __name__ == "__main__":
    main()
