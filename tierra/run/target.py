"""Separates files for AWS from those for the rehearsal. When an environment changes from one to the other,
all files of terraform and of a run beside its configuration are removed: providers, lock files, plans, marks.
States are elsewhere and stay.
"""

from __future__ import annotations

import shutil

from tierra.plans import own
from tierra.run.workspace import CARRIED, GENERATED, VERSIONS, Workspace, write

MARK = "target"
KEPT = (GENERATED, VERSIONS, *CARRIED, own.INDEX, "errored.tfstate", "journal")


def switch(workspace: Workspace) -> None:
    """Clears the folder if the last run was for the other target."""
    mark = workspace.out / MARK
    if mark.exists() and mark.read_text() == f"{workspace.target}\n":
        return
    for left in workspace.out.glob("stacks/*/*"):
        if left.name not in KEPT and not any(left.match(pattern) for pattern in own.FILES):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    shutil.rmtree(workspace.forecasts, ignore_errors=True)
    write(mark, f"{workspace.target}\n")
