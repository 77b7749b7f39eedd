"""Plans of tiers whose upstream does not exist yet: with outputs that the rehearsal makes up.

    python -m rehearsal.forecast complete STACK              is this tier applied, outputs and all?
    python -m rehearsal.forecast prepare OUT STATES TIER     lay out OUT/forecast/TIER for a scratch plan

`complete` leaves a file of that name in the tier's folder when its state (in `outputs.json`, as
`terraform output -json` writes it) has every output that its configuration declares, and every key of those
that are maps: a second replica is one key more, which consumers ask for. Otherwise it removes the file.

`prepare` takes the file `pulled.tfstate` from the tier's folder: what `terraform state pull` wrote, nothing
when there is no state. A tier all of whose producers are complete is planned for real; any other is planned,
and for the sake of its consumers applied, in a folder of its own with a copy of its state: nothing there can
reach a real apply.
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
PULLED = "pulled.tfstate"


def main() -> None:
    if sys.argv[1] == "complete":
        mark(Path(sys.argv[2]))
    else:
        prepare(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])


def mark(stack: Path) -> None:
    """Write or remove the file `complete` in the folder of a root module."""
    declared = json.loads((stack / GENERATED).read_text()).get("output", {})
    found = json.loads((stack / "outputs.json").read_text() or "{}")
    if all(name in found and _has(found[name]["value"], declared[name]["value"]) for name in declared):
        (stack / COMPLETE).touch()
    else:
        (stack / COMPLETE).unlink(missing_ok=True)


def _has(value: Any, declared: Any) -> bool:
    """Whether an output has the keys that its configuration writes out, if it is a map."""
    return not isinstance(declared, dict) or declared.keys() <= value.keys()


def prepare(out: Path, states: Path, tier: str) -> None:
    """A fresh folder `out/forecast/<tier>`: the tier's configuration, and a copy of its state if it has any.

    Outputs of complete producers are the real ones, from where they really are; those of the others come from
    their own scratch states.
    """
    source, folder = out / "stacks" / tier, out / "forecast" / tier
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    configuration = json.loads((source / GENERATED).read_text())
    (folder / GENERATED).write_bytes((source / GENERATED).read_bytes())
    pulled = source / PULLED
    if state := pulled.read_text(encoding="utf-8").strip():
        (folder / STATE).write_text(_readable(state), encoding="utf-8")
    pulled.unlink()
    save(folder / NAME, rehearsed(folder, folder / STATE, _producers(out, states, configuration)))


def _readable(state: str) -> str:
    """A state as the embedded provider reads it: its schemas have no versions, nor private notes."""
    copy = json.loads(state)
    for resource in copy["resources"]:
        for instance in resource["instances"]:
            instance["schema_version"] = 0
            instance.pop("private", None)
    return json.dumps(copy)


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
