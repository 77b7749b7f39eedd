"""Plans of tiers whose upstream does not exist yet: with outputs that the rehearsal makes up.

    python -m rehearsal.forecast complete STACK              is this tier applied, outputs and all?
    python -m rehearsal.forecast prepare OUT STATES TIER     lay out OUT/forecast/TIER for a scratch plan

`complete` leaves a file of that name in the tier's folder when its state (in `outputs.json`, as
`terraform output -json` writes it) has every output that its configuration declares, and removes it
otherwise. A tier all of whose producers are complete is planned for real; any other is planned, and for the
sake of its consumers applied, in a folder of its own with a state of its own: nothing there can reach a real
apply.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from rehearsal.override import GENERATED, NAME, rehearsed, save

COMPLETE = "complete"
STATE = "scratch.tfstate"


def main() -> None:
    if sys.argv[1] == "complete":
        mark(Path(sys.argv[2]))
    else:
        prepare(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])


def mark(stack: Path) -> None:
    """Write or remove the file `complete` in the folder of a root module."""
    declared = json.loads((stack / GENERATED).read_text()).get("output", {})
    found = json.loads((stack / "outputs.json").read_text() or "{}")
    if declared.keys() <= found.keys():
        (stack / COMPLETE).touch()
    else:
        (stack / COMPLETE).unlink(missing_ok=True)


def prepare(out: Path, states: Path, tier: str) -> None:
    """A fresh folder `out/forecast/<tier>`: the tier's configuration, with an empty state of its own.

    Outputs of complete producers are the real ones, from where they really are; those of the others come from
    their own scratch states.
    """
    source, folder = out / "stacks" / tier, out / "forecast" / tier
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    configuration = json.loads((source / GENERATED).read_text())
    (folder / GENERATED).write_bytes((source / GENERATED).read_bytes())
    save(folder / NAME, rehearsed(folder, folder / STATE, _producers(out, states, configuration)))


def _producers(out: Path, states: Path, configuration: dict[str, Any]) -> dict[str, Path]:
    """The state files from which the tier reads others' outputs; a remote one is left to the backend."""
    found = {}
    for name in configuration.get("data", {}).get("terraform_remote_state", {}):
        stack = out / "stacks" / name
        if not (stack / COMPLETE).exists():
            found[name] = out / "forecast" / name / STATE
        elif (stack / NAME).exists():
            found[name] = states / f"{name}.tfstate"
    return found


if __name__ == "__main__":
    main()
