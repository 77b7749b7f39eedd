"""Turns generated root modules into rehearsed ones.

`python -m rehearsal.override STACKS STATES [--unprotected]`

Beside each generated `cdk.tf.json` goes a `rehearsal_override.tf.json`, which terraform merges over it. State
and the states of other tiers are then local files in the folder STATES; the generated file is not touched.
With --unprotected the guards that keep terraform and AWS from deleting resources are lifted, for the end of a
dress rehearsal.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from rehearsal.files import write

GENERATED = "cdk.tf.json"
NAME = "rehearsal_override.tf.json"
GUARDS = ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection")


def main() -> None:
    stacks, states = Path(sys.argv[1]), Path(sys.argv[2])
    states.mkdir(parents=True, exist_ok=True)
    for generated in sorted(stacks.glob(f"*/{GENERATED}")):
        configuration, module = json.loads(generated.read_text()), generated.parent
        producers = configuration.get("data", {}).get("terraform_remote_state", {})
        override = rehearsed(
            module,
            states / f"{module.name}.tfstate",
            {name: states / f"{name}.tfstate" for name in producers},
        )
        if "--unprotected" in sys.argv[3:]:
            override["output"] = {"protection": {"value": False}}
            if lifted := unprotected(configuration):
                override["resource"] = lifted
        save(module / NAME, override)


def rehearsed(module: Path, state: Path, producers: dict[str, Path]) -> dict[str, Any]:
    """The override of one root module: its state, and the states of its producers, as local files.

    Paths are relative to the module. A producer that is not named stays where the configuration says.
    """

    def local(path: Path) -> dict[str, str]:
        return {"path": os.path.relpath(path, module)}

    override: dict[str, Any] = {"terraform": {"backend": {"local": local(state)}}}
    if producers:
        override["data"] = {
            "terraform_remote_state": {
                name: {"backend": "local", "config": local(path)} for name, path in sorted(producers.items())
            }
        }
    return override


def unprotected(configuration: dict[str, Any]) -> dict[str, Any]:
    """For every resource that terraform or AWS refuses to delete, what lifts the refusal."""
    lifted: dict[str, Any] = {}
    for type_name, resources in configuration.get("resource", {}).items():
        for name, resource in resources.items():
            free: dict[str, Any] = {guard: False for guard in GUARDS if resource.get(guard) is True}
            if resource.get("lifecycle", {}).get("prevent_destroy"):
                free["lifecycle"] = {"prevent_destroy": False}
            if free:
                lifted.setdefault(type_name, {})[name] = free
    return lifted


def save(file: Path, override: dict[str, Any]) -> None:
    write(file, json.dumps(override, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
