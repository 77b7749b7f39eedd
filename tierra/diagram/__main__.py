"""The diagram of an environment: `diagram.svg` for browsers and print, `diagram.mmd` (Mermaid) for pull
requests.

`python -m tierra.diagram cdktf.out/<env> TARGET TIER…` reads the generated Terraform of all tiers, and the
saved plans and forecasts: the resources that they add, change, replace and destroy are marked. TARGET is that
of the spec; if plans were made against another one, theirs is used. The date is that of the plans, so that
the same files give the same picture.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tierra.diagram import mermaid, svg
from tierra.diagram.layout import arrange
from tierra.diagram.read import picture_of
from tierra.diagram.terraform import load
from tierra.files import write

SPECS = Path("environments")
MARK = "target"


def commit(spec: Path) -> str:
    """The short commit that last changed a spec, `1a2b3c4, edited since` if it was edited; empty if Git has
    none."""
    try:
        hash_ = _git("log", "-1", "--format=%h", "--abbrev=7", "--", str(spec))
        edited = hash_ and _git("status", "--porcelain", "--", str(spec))
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{hash_}, edited since" if edited else hash_


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    folder, target, tiers = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    terraform, stale = load(folder, tiers)
    for tier in stale:
        left_out = f"diagram: the configuration is newer than the saved plan of {tier}, which is left out"
        print(f"{left_out}: run make plan ENV={folder.name}", file=sys.stderr)
    made_for = folder / MARK
    if terraform.plans and made_for.exists():
        target = made_for.read_text(encoding="utf-8").strip()
    picture = picture_of(folder.name, target, terraform, commit(SPECS / f"{folder.name}.yaml"))
    texts = {
        "diagram.svg": svg.render(picture, arrange(picture)),
        "diagram.mmd": mermaid.render(picture),
    }
    for name, text in texts.items():
        write(folder / name, text)
        print(f"diagram: {folder / name}")


if __name__ == "__main__":
    main()
