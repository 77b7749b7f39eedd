"""Which types a root module uses, so that terraform receives only the schemas that it needs.

terraform starts a provider in the folder of the root module, so the configuration can be read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONFIGURED = "REHEARSAL_CONFIGURED"
_PROVIDER = re.compile(r"^\s*provider\s", re.MULTILINE)
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


def configured_once(folder: Path) -> bool:
    """Whether a root module certainly has one configuration of each provider, as far as it has any."""
    for file in _configuration(folder):
        text = file.read_text(errors="replace")
        if file.suffix == ".tf":
            if _PROVIDER.search(text):
                return False
        elif not _without_alias(json.loads(text).get("provider", {})):
            return False
    return True


def _without_alias(providers: Any) -> bool:
    if not isinstance(providers, dict):
        return False
    configurations = [each if isinstance(each, list) else [each] for each in providers.values()]
    return all(isinstance(each, dict) and "alias" not in each for listed in configurations for each in listed)


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
