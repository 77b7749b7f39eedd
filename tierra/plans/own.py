"""The declarations of own Terraform, which synthesis writes beside the generated Terraform.
modules/own/terraform.py writes the index, and Terraform reads the files themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

INDEX = "own.json"
PLANNED = "plan.own"  # the index that a plan was made with
FILES = ("own_*.tf", "own_*.tf.json")
FOLDERS = ("files", "modules")


def index(file: Path) -> dict[str, Any]:
    """`sources` by file, and `configuration`; empty if there is no own Terraform."""
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def declared(file: Path) -> dict[str, Any]:
    """The declarations of own Terraform, as Terraform JSON."""
    return dict(index(file).get("configuration", {}))


def merged(generated: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A root module with the declarations of own Terraform. No address is in both."""
    result = dict(generated)
    for section, entries in own.items():
        before = result.get(section, {})
        deep = section not in ("output", "module")
        result[section] = {
            **before,
            **{name: {**before.get(name, {}), **entry} if deep else entry for name, entry in entries.items()},
        }
    return result
