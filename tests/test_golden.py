"""Compares the generated Terraform of production and sandbox with tests/golden/, so that reviews show every
change. The same code generates staging from other values: test_hcl.py plans all of it.

UPDATE_GOLDEN=1 rewrites files that differ; that run still fails, so that a rewrite never passes by itself.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from modules.architecture import TIERS

GOLDEN = Path(__file__).resolve().parent / "golden"
ENVIRONMENTS = ("production", "sandbox")
LINES_SHOWN = 200


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_generated_terraform_is_the_golden_one(folders: dict[str, Path], name: str, tier: str) -> None:
    generated = (folders[name] / "stacks" / tier / "cdk.tf.json").read_text(encoding="utf-8")
    golden = GOLDEN / name / f"{tier}.tf.json"
    expected = golden.read_text(encoding="utf-8") if golden.is_file() else ""
    if generated == expected:
        return
    title = f"{name}/{tier}.tf.json"
    lines = list(
        difflib.unified_diff(
            expected.splitlines(),
            generated.splitlines(),
            f"golden/{title}",
            f"generated/{title}",
            lineterm="",
        )
    )
    difference = "\n".join([*lines[:LINES_SHOWN], *(["…"] if len(lines) > LINES_SHOWN else [])])
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(generated, encoding="utf-8")
        pytest.fail(
            f"rewritten; read the difference and run again without UPDATE_GOLDEN\n{difference}", pytrace=False
        )
    pytest.fail(
        f"{difference}\n\nIf that is meant: UPDATE_GOLDEN=1 pytest tests/test_golden.py", pytrace=False
    )


def test_no_golden_file_is_obsolete() -> None:
    expected = {f"{name}/{tier}.tf.json" for name in ENVIRONMENTS for tier in TIERS}
    assert {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*") if path.is_file()} == expected
