"""Compares the output of cdktf and of its successor for every environment: `make successor`. Only differences
that `EXPLAINED` lists are allowed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tierra.bindings.successor import NAME

ROOT = Path(__file__).resolve().parent.parent

# The reason for a difference, by the end of its path in the generated Terraform.
EXPLAINED = {
    "required_providers.aws.source": "cdktf writes the short form of the same address",
}


def main() -> int:
    """The exit code: 1 if there is a difference without an explanation."""
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="tierra-") as scratch:
        for spec in sorted(Path(ROOT, "environments").glob("*.yaml")):
            ours, theirs = (
                written(spec.stem, bindings, Path(scratch, bindings)) for bindings in ("cdktf", NAME)
            )
            changes = sorted(set(differences(ours, theirs)))
            unexplained = [change for change in changes if explained(change[0]) is None]
            wrong += len(unexplained)
            count = sum(len(named) for root in theirs.values() for named in root["resource"].values())
            print(f"{spec.stem}: {count} resources, {len(unexplained)} unexplained differences")
            for path, before, after in changes:
                print(f"  {path}: cdktf {before}, {NAME} {after}: {explained(path) or 'not explained'}")
    return 1 if wrong else 0


def written(environment: str, bindings: str, folder: Path) -> dict[str, Any]:
    """The generated Terraform by tier, from these bindings."""
    settings = {**os.environ, "BINDINGS": bindings, "CDKTF_OUTDIR": str(folder / environment)}
    subprocess.run([sys.executable, "main.py", environment], cwd=ROOT, env=settings, check=True)
    roots = sorted((folder / environment / "stacks").glob("*/cdk.tf.json"))
    return {root.parent.name: json.loads(root.read_text(encoding="utf-8")) for root in roots}


def explained(path: str) -> str | None:
    return next((why for end, why in EXPLAINED.items() if path.endswith(end)), None)


def differences(left: Any, right: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Paths whose values differ, with both values."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}):
            inner = f"{path}.{key}" if path else key
            yield from differences(left.get(key), right.get(key), inner)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (first, second) in enumerate(zip(left, right, strict=True)):
            yield from differences(first, second, f"{path}[{index}]")
    elif left != right:
        yield path, json.dumps(left), json.dumps(right)


if __name__ == "__main__":
    sys.exit(main())
