"""`python -m tierra.github.environments` prints the environments with target: aws, for the workflow that
plans and applies them: lines of a name and the JSON of a matrix.

`all` are all of them, `apart` those that are in no chain, and `wave_1`, `wave_2`, … those that are applied
one wave after another, because each takes its images from an environment of the previous wave.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from tierra.github.workflows import CODEBUILD, MOST_ENVIRONMENTS, account_of
from tierra.specs import Refused, real_environments


def started(entry: dict[str, Any], run: str) -> dict[str, Any]:
    """The entry with the labels of CodeBuild's runners, which are specific to a run."""
    labels = [f"{label}-{run}" if label.startswith(CODEBUILD) else label for label in entry["runner"]]
    return {**entry, "runner": labels}


def main() -> int:
    try:
        environments = [environment for environment in real_environments() if environment.delivery.github]
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
        entries = [started(entry, f"{run}-{os.environ['GITHUB_RUN_ATTEMPT']}") for entry in entries]
    positions = [
        environment.chain.position + 1 if environment.chain.linked else 0 for environment in environments
    ]
    matrices = {"all": entries}
    for stage in range(max(positions, default=0) + 1):
        name = f"wave_{stage}" if stage else "apart"
        matrices[name] = [entry for entry, its in zip(entries, positions, strict=True) if its == stage]
    for name, matrix in matrices.items():
        print(f"{name}={json.dumps(matrix, separators=(',', ':'))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
