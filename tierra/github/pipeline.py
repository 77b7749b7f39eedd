"""`python -m tierra.github.pipeline FOLDER ROW`, for the workflow that plans: a summary of saved plans.

FOLDER is cdktf.out/<env> after `make plan`. The environment's row of the summary table is written to ROW.
`tiers=` is printed for later steps: the tiers whose plan changes something. The apply plans a forecast again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tierra.plans.changes import PLAN

VERBS = ("add", "change", "destroy")


def changing(folder: Path, report: dict[str, Any]) -> list[str]:
    """The tiers whose plan changes something, if only outputs, including forecasts."""
    plans = {tier: folder / "stacks" / tier / PLAN for tier in report["tiers"]}
    return [tier for tier, plan in plans.items() if json.loads(plan.read_text(encoding="utf-8"))["applyable"]]


def row(report: dict[str, Any], changing: list[str]) -> str:
    """The environment, the sums, and which tiers change."""
    sums = [str(sum(counts[verb] for counts in report["tiers"].values())) for verb in VERBS]
    forecast = {tier for tier in changing if report["tiers"][tier]["forecast"]}
    tiers = ", ".join(f"{tier} (forecast)" if tier in forecast else tier for tier in changing)
    return f"| {' | '.join([report['environment'], *sums, tiers or 'no changes'])} |\n"


def main() -> None:
    folder = Path(sys.argv[1])
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    tiers = changing(folder, report)
    Path(sys.argv[2]).write_text(row(report, tiers), encoding="utf-8")
    print(f"tiers={' '.join(tiers)}")


if __name__ == "__main__":
    main()
