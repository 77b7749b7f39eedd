"""Turns generated root modules into rehearsal ones.

Each generated `cdk.tf.json` gets a `rehearsal_override.tf.json`, which terraform merges over it. Its state
and the states of other tiers are then local files; the generated file is not touched.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tierra.run.workspace import OVERRIDE, Workspace, write

NAME = OVERRIDE
# Arguments that make AWS refuse a deletion.
PROTECTIONS = ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection")


def write_overrides(workspace: Workspace) -> None:
    """Writes the override of every tier, without deletion protection at the end of a dress rehearsal."""
    workspace.states.mkdir(parents=True, exist_ok=True)
    for tier in workspace.tiers(workspace.order):
        configuration = tier.configured()
        override = rehearsed(
            tier.folder, tier.local_state, {producer.name: producer.local_state for producer in tier.reads}
        )
        if workspace.unprotected:
            override["output"] = {"protection": {"value": False}}
            if resources := unprotected(configuration):
                override["resource"] = resources
        save(tier.override, override)


def rehearsed(module: Path, state: Path, producers: dict[str, Path]) -> dict[str, Any]:
    """The override of one root module: its state, and the states of its producers, as local files.

    Paths are relative to the module. The state of a producer that is not given stays where it is configured.
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
    """For every resource that terraform or AWS refuses to delete, the arguments that allow it."""
    result: dict[str, Any] = {}
    for type_name, resources in configuration.get("resource", {}).items():
        for name, resource in resources.items():
            allowed: dict[str, Any] = {key: False for key in PROTECTIONS if resource.get(key) is True}
            if resource.get("lifecycle", {}).get("prevent_destroy"):
                allowed["lifecycle"] = {"prevent_destroy": False}
            if allowed:
                result.setdefault(type_name, {})[name] = allowed
    return result


def save(file: Path, override: dict[str, Any]) -> None:
    write(file, json.dumps(override, indent=2, sort_keys=True) + "\n")
