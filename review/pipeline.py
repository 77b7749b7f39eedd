"""`python -m review.pipeline FOLDER ROW`, for the workflow that plans: what saved plans do.

FOLDER is cdktf.out/<env> after `make plan`. ROW gets the environment's row of the table that sums up all of
them. Printed, for later steps, is `tiers=`: those whose saved plan does something. A forecast has none.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from review.changes import PLAN

VERBS = ("add", "change", "destroy")


def changing(folder: Path, report: dict[str, Any]) -> list[str]:
    """The tiers whose plan does something, be it to outputs alone; forecasts among them."""
    plans = {tier: folder / "stacks" / tier / PLAN for tier in report["tiers"]}
    return [tier for tier, plan in plans.items() if json.loads(plan.read_text(encoding="utf-8"))["applyable"]]


def row(report: dict[str, Any], changing: list[str], ready: list[str]) -> str:
    """The environment, the sums, and which tiers change."""
    sums = [str(sum(counts[verb] for counts in report["tiers"].values())) for verb in VERBS]
    tiers = ", ".join(tier if tier in ready else f"{tier} (forecast)" for tier in changing)
    return f"| {' | '.join([report['environment'], *sums, tiers or 'no changes'])} |\n"


def main() -> None:
    folder = Path(sys.argv[1])
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    tiers = changing(folder, report)
    ready = [tier for tier in tiers if not report["tiers"][tier]["forecast"]]
    Path(sys.argv[2]).write_text(row(report, tiers, ready), encoding="utf-8")
    print(f"tiers={' '.join(ready)}")


if __name__ == "__main__":
    main()
