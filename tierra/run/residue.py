"""Resources that a rehearsal left behind."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path


def residue(states: Path) -> list[str]:
    """Everything that is still in the states or in the simulated account below the folder, one line each."""
    left = [
        f"{file.stem}: {resource['type']}.{resource['name']}"
        for file in sorted(states.glob("*.tfstate"))
        for resource in json.loads(file.read_text()).get("resources", [])
        if resource["mode"] == "managed"
    ]
    cloud = states / "cloud.sqlite"
    if cloud.exists():
        with closing(sqlite3.connect(cloud)) as database:
            left += [
                f"account: {type_} {id_}" for type_, id_ in database.execute("SELECT type, id FROM objects")
            ]
    return left
