"""The architecture of an environment as a picture: `diagram.svg` for browsers and walls, `diagram.mmd`
(Mermaid) for pull requests.

`python -m review.diagram cdktf.out/<env> TARGET TIER…` reads the generated Terraform of all tiers, and the
saved plans of those that have one: what they add, change, replace and destroy is marked. TARGET is that of
the spec.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from review.picture import mermaid, svg
from review.picture.layout import arrange
from review.picture.read import read
from review.picture.terraform import load


def main() -> None:
    folder, target, tiers = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    terraform, stale = load(folder, tiers)
    for tier in stale:
        print(f"diagram: left out: the saved plan of {tier}, older than its configuration", file=sys.stderr)
    picture = read(folder.name, target, terraform)
    texts = {
        "diagram.svg": svg.render(picture, arrange(picture)),
        "diagram.mmd": mermaid.render(picture),
    }
    for name, text in texts.items():
        temporary = folder / f"{name}.new"
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, folder / name)
        print(f"diagram: {folder / name}")


if __name__ == "__main__":
    main()
