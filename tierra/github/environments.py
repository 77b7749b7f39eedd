"""`python -m tierra.github.environments` prints the environments with target: aws, for the workflow that
plans and applies them: lines of a name and the JSON of a matrix.

`all` are all of them, `apart` those that are in no chain, and `wave_1`, `wave_2`, … those that are applied
one wave after another, for each takes its images from one of the wave before.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from tierra.github.workflows import CODEBUILD, MOST_ENVIRONMENTS, account_of
from tierra.specs import Refused, real_environments


def started(entry: dict[str, Any], run: str) -> dict[str, Any]:
    """With labels of CodeBuild as its runners have them, for it starts one for each run."""
    labels = [f"{each}-{run}" if each.startswith(CODEBUILD) else each for each in entry["runner"]]
    return {**entry, "runner": labels}


def main() -> int:
    try:
        environments = [each for each in real_environments() if each.delivery.github]
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    if len(environments) > MOST_ENVIRONMENTS:
        print(
            f"environments: {len(environments)} have target: aws; a matrix of GitHub Actions has at most"
            f" {MOST_ENVIRONMENTS} jobs\n  remedy: move some to another repository",
            file=sys.stderr,
        )
        return 1
    entries = [account_of(environment) for environment in environments]
    if run := os.environ.get("GITHUB_RUN_ID"):
        entries = [started(each, f"{run}-{os.environ['GITHUB_RUN_ATTEMPT']}") for each in entries]
    places = [each.chain.place + 1 if each.chain.linked else 0 for each in environments]
    matrices = {"all": entries}
    for place in range(max(places, default=0) + 1):
        name = f"wave_{place}" if place else "apart"
        matrices[name] = [entry for entry, its in zip(entries, places, strict=True) if its == place]
    for name, matrix in matrices.items():
        print(f"{name}={json.dumps(matrix, separators=(',', ':'))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
