"""Compares what cdktf and its successor write for every environment: `make successor`.

Nothing may differ but what `EXPLAINED` says.
"""

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

# By the end of a path in the generated Terraform, why it differs.
EXPLAINED = {
    "required_providers.aws.source": "cdktf writes the short form of the same address",
}


def main() -> int:
    """The exit code: 1 when something differs without an explanation."""
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="tierra-") as scratch:
        for spec in sorted(Path(ROOT, "environments").glob("*.yaml")):
            ours, theirs = (written(spec.stem, each, Path(scratch, each)) for each in ("cdktf", NAME))
            found = sorted(set(differences(ours, theirs)))
            unexplained = [each for each in found if explained(each[0]) is None]
            wrong += len(unexplained)
            count = sum(len(named) for root in theirs.values() for named in root["resource"].values())
            print(f"{spec.stem}: {count} resources, {len(unexplained)} unexplained differences")
            for path, before, after in found:
                print(f"  {path}: cdktf {before}, {NAME} {after}: {explained(path) or 'not explained'}")
    return 1 if wrong else 0


def written(environment: str, bindings: str, folder: Path) -> dict[str, Any]:
    """The generated Terraform by tier, as these bindings write it."""
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
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif left != right:
        yield path, json.dumps(left), json.dumps(right)


if __name__ == "__main__":
    sys.exit(main())
