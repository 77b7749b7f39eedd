"""Keeps apart what is for AWS and what is for the rehearsal: `python -m tools.target OUT aws|rehearsal`.

When an environment changes from one to the other, everything that terraform and make left beside its
configuration goes: providers, lock files, plans, marks. States are elsewhere and stay.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from rehearsal.files import write

MARK = "target"
KEPT = ("cdk.tf.json", "charts", "errored.tfstate", "journal")


def main() -> None:
    out, target = Path(sys.argv[1]), sys.argv[2]
    mark = out / MARK
    if not mark.exists() or mark.read_text() != f"{target}\n":
        for left in out.glob("stacks/*/*"):
            if left.name not in KEPT:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        shutil.rmtree(out / "forecast", ignore_errors=True)
        write(mark, f"{target}\n")


if __name__ == "__main__":
    main()
