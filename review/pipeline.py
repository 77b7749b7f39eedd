"""`python -m review.pipeline REPORT ROW`, for the workflow that plans: what a report says of an environment.

ROW gets its row of the table that sums up all environments. Printed, for later steps, is `tiers=`: those whose
saved plan changes something. A forecast has no saved plan.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

VERBS = ("add", "change", "destroy")


def changing(report: dict[str, Any]) -> list[str]:
    """The tiers that change, forecasts among them."""
    return [tier for tier, counts in report["tiers"].items() if any(counts[verb] for verb in VERBS)]


def to_apply(report: dict[str, Any]) -> list[str]:
    """The tiers whose saved plan is to be applied."""
    return [tier for tier in changing(report) if not report["tiers"][tier]["forecast"]]


def row(report: dict[str, Any]) -> str:
    """The environment, the sums, and which tiers change."""
    sums = [str(sum(counts[verb] for counts in report["tiers"].values())) for verb in VERBS]
    ready = to_apply(report)
    tiers = ", ".join(tier if tier in ready else f"{tier} (forecast)" for tier in changing(report))
    return f"| {' | '.join([report['environment'], *sums, tiers or 'no changes'])} |\n"


def main() -> None:
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(sys.argv[2]).write_text(row(report), encoding="utf-8")
    print(f"tiers={' '.join(to_apply(report))}")


if __name__ == "__main__":
    main()
