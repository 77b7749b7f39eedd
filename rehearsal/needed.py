"""Which types a root module uses, so that terraform receives only the schemas that it needs.

terraform starts a provider in the folder of the root module, so the configuration can be read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

CONFIGURED = "REHEARSAL_CONFIGURED"
_WORD = re.compile(r"\b[a-z][a-z0-9_]*")


def used_words(folder: Path) -> set[str] | None:
    """Every word in the configuration, its modules and its state that may name a type or a block.

    None means that the state cannot be read here (a remote backend), so that anything may be needed, unless
    REHEARSAL_CONFIGURED declares that the state has only types of the configuration.
    """
    states = list(_state_files(folder))
    if None in states and os.environ.get(CONFIGURED) != "yes":
        return None
    files = [*_configuration(folder), *(file for file in states if file)]
    return {
        word for file in files if file.is_file() for word in _WORD.findall(file.read_text(errors="replace"))
    }


def _configuration(folder: Path) -> Iterator[Path]:
    folders = {folder}
    manifest = folder / ".terraform" / "modules" / "modules.json"
    if manifest.is_file():
        folders |= {folder / module["Dir"] for module in json.loads(manifest.read_text())["Modules"]}
    for directory in sorted(folders):
        yield from sorted(directory.glob("*.tf"))
        yield from sorted(directory.glob("*.tf.json"))


def _state_files(folder: Path) -> Iterator[Path | None]:
    yield folder / "terraform.tfstate"
    chosen = folder / ".terraform" / "terraform.tfstate"
    if chosen.is_file():
        backend = json.loads(chosen.read_text()).get("backend") or {"type": "local"}
        if backend["type"] != "local":
            yield None
        else:
            path = (backend.get("config") or {}).get("path")
            yield folder / (path or "terraform.tfstate")
