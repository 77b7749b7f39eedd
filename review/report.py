"""What the saved plans of an environment will do: a table, and `report.json` for other programs.

`python -m review.report cdktf.out/<env> TIER…` reads the JSON plans that `make plan` left in
`stacks/<tier>/`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from review.saved import seals

PLAN = "plan.json"
FORECAST = "forecast"


@dataclass(frozen=True)
class Counts:
    """How many resources a tier's plan creates, updates in place and destroys; a replacement counts twice,
    as terraform counts it. `forecast` says that the plan rests on values made up by the rehearsal."""

    add: int
    change: int
    destroy: int
    forecast: bool = False


def counts(plan: dict[str, Any], *, forecast: bool = False) -> Counts:
    """The counts of one `terraform show -json` plan."""
    actions = [change["change"]["actions"] for change in plan.get("resource_changes", [])]
    return Counts(
        add=sum("create" in each for each in actions),
        change=sum("update" in each for each in actions),
        destroy=sum("delete" in each for each in actions),
        forecast=forecast,
    )


def report(folder: Path, tiers: list[str]) -> dict[str, Any]:
    """The report of the environment whose output folder is given: what the plans of these tiers do, and of
    all saved plans what they were made of.

    Raises FileNotFoundError when a tier has no JSON plan.
    """
    made = {}
    for tier in tiers:
        stack = folder / "stacks" / tier
        plan = json.loads((stack / PLAN).read_text())
        made[tier] = asdict(counts(plan, forecast=(stack / FORECAST).exists()))
    return {"environment": folder.name, "tiers": made, "plans": seals(folder)}


def table(tiers: dict[str, Any]) -> Table:
    """The report as a table with a row a tier and a row of sums."""
    rows = Table(box=box.SIMPLE_HEAD, show_footer=True)
    names = ("add", "change", "destroy")
    rows.add_column("tier", "total")
    for name in names:
        rows.add_column(name, str(sum(tier[name] for tier in tiers.values())), justify="right")
    rows.add_column("forecast", "")
    for tier, count in tiers.items():
        numbers = (str(count[name]) for name in names)
        rows.add_row(tier, *numbers, "forecast" if count["forecast"] else "")
    return rows


def main() -> None:
    folder, tiers = Path(sys.argv[1]), sys.argv[2:]
    made = report(folder, tiers)
    temporary = folder / "report.json.new"
    temporary.write_text(json.dumps(made, indent=2) + "\n")
    os.replace(temporary, folder / "report.json")
    Console(highlight=False).print(table(made["tiers"]))


if __name__ == "__main__":
    main()
