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

NAMES = ("aws", "helm")
"""The embedded providers."""
CONFIGURED = "REHEARSAL_CONFIGURED"
_PROVIDER = re.compile(rf'\bprovider\s+"?({"|".join(NAMES)})"?\s*\{{')
_MAYBE_PROVIDER = re.compile(r"\bprovider\b(?!\s*=)")
_ALIAS = re.compile(r"\balias\b")
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
    """True only if no provider is configured more than once in a root module and its modules. What cannot be
    read for certain, such as a comment in the head of a block, counts as configured twice."""
    names: list[str] = []
    for file in _configuration(folder):
        text = file.read_text(errors="replace")
        here = _in_hcl(text) if file.suffix == ".tf" else _in_json(text)
        if here is None or (here and file.parent != folder):
            return False
        names += here
    return len(names) == len(set(names))


def _in_hcl(text: str) -> list[str] | None:
    """The provider name of each configuration; None if one may have an alias or another name."""
    names = _PROVIDER.findall(text)
    unread = len(names) != len(_MAYBE_PROVIDER.findall(text))
    return None if unread or (names and _ALIAS.search(text)) else names


def _in_json(text: str) -> list[str] | None:
    """Like `_in_hcl`, for JSON."""
    try:
        body = json.loads(text, object_pairs_hook=_without_repeated_keys)
    except ValueError:
        return None
    providers = body.get("provider", {}) if isinstance(body, dict) else None
    if not isinstance(providers, dict):
        return None
    configurations = [
        (name, configuration)
        for name, listed in providers.items()
        for configuration in (listed if isinstance(listed, list) else [listed])
    ]
    known = all(name in NAMES and isinstance(each, dict) for name, each in configurations)
    if not known or any("alias" in each for _, each in configurations):
        return None
    return [name for name, _ in configurations]


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for a repeated key, which terraform reads as a second block."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key is repeated")
    return result


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
