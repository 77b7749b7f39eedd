"""`python -m review.environments` prints the environments with target: aws as one line of JSON: the matrix of
the workflow that plans and applies them."""

from __future__ import annotations

import json
import sys

from modules.delivery.workflows import MOST_ENVIRONMENTS, account_of
from review.specs import Refused, real_environments


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
    print(json.dumps([account_of(environment) for environment in environments], separators=(",", ":")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
