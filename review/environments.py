"""`python -m review.environments` prints the environments with target: aws as one line of JSON: the matrix of
the workflow that plans and applies them."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from modules.delivery.workflows import CODEBUILD, MOST_ENVIRONMENTS, account_of
from review.specs import Refused, real_environments


def started(entry: dict[str, Any], run: str) -> dict[str, Any]:
    """With labels of CodeBuild as its runners have them, for it starts one for each run."""
    labels = [f"{each}-{run}" if each.startswith(CODEBUILD) else each for each in entry["runner"]]
    return {**entry, "runner": labels}


def main() -> int:
    try:
        environments = real_environments()
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
    print(json.dumps(entries, separators=(",", ":")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
