"""What differs between AWS and the states: a table, and `drift.json` for other programs.

    python -m review.drift FOLDER TIER…

reads what `make drift` left in `stacks/<tier>/` of the environment's folder: the state, and the JSON of a
refresh-only plan unless the tier could not be compared. The exit code is terraform's own for plans: 0 nothing
differs, 2 something does, 1 a tier could not be compared.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from review.differences import Difference, differences, left_alone

REPORT = "drift.json"
PLAN = "drift.plan.json"
EXIT_CODES = {"none": 0, "drift": 2, "error": 1}


def compare(stack: Path) -> dict[str, Any]:
    """How one tier fares: status, the differences that count, and those that are left alone."""
    plan = stack / PLAN
    if not plan.exists():
        held = json.loads((stack / "state.json").read_text()).get("values")
        return {"status": "error" if held else "not applied", "differences": [], "left_alone": []}
    resources = json.loads((stack / "cdk.tf.json").read_text()).get("resource", {})
    found: list[Difference] = []
    quiet: list[Difference] = []
    for each in differences(json.loads(plan.read_text())):
        (quiet if left_alone(each, resources) else found).append(each)
    return {
        "status": "drift" if found else "none",
        "differences": [each.shown() for each in found],
        "left_alone": [each.shown() for each in quiet],
    }


def report(folder: Path, tiers: list[str]) -> dict[str, Any]:
    """The report of an environment. An error outweighs drift: what could not be compared is not known."""
    compared = {tier: compare(folder / "stacks" / tier) for tier in tiers}
    statuses = {each["status"] for each in compared.values()}
    verdict = "error" if "error" in statuses else "drift" if "drift" in statuses else "none"
    return {
        "environment": folder.name,
        "verdict": verdict,
        "exit_code": EXIT_CODES[verdict],
        "tiers": compared,
    }


def table(tiers: dict[str, Any]) -> Table:
    """A row for each value that differs."""
    rows = Table(box=box.SIMPLE_HEAD)
    for name in ("tier", "address", "attribute", "was", "is"):
        rows.add_column(name, overflow="fold")
    for tier, compared in tiers.items():
        for each in compared["differences"]:
            rows.add_row(tier, each["address"], each["attribute"], each["was"], each["is"])
    return rows


def summary(made: dict[str, Any]) -> Iterator[str]:
    """The lines below the table; the last one is the verdict."""
    tiers = made["tiers"]
    skipped = [tier for tier, each in tiers.items() if each["status"] == "not applied"]
    quiet = sum(len(each["left_alone"]) for each in tiers.values())
    count = len({(tier, each["address"]) for tier in tiers for each in tiers[tier]["differences"]})
    if skipped:
        yield f"drift: not applied, so not compared: {', '.join(skipped)}"
    if quiet:
        yield f"drift: {quiet} values that AWS moves by itself, or that ignore_changes names, are not counted"
    if made["verdict"] == "error":
        failed = [tier for tier, each in tiers.items() if each["status"] == "error"]
        yield f"drift: ERROR, not all is known: {', '.join(failed)} not compared; the reason is above"
    if count:
        yield (
            f"drift: {count} resource{'s differ' if count > 1 else ' differs'} from the state; make plan and"
            " make apply set back what the spec says"
        )
    if made["verdict"] == "none":
        yield "drift: none"


def main() -> int:
    folder, tiers = Path(sys.argv[1]), sys.argv[2:]
    made = report(folder, tiers)
    temporary = folder / f"{REPORT}.new"
    temporary.write_text(json.dumps(made, indent=2) + "\n")
    os.replace(temporary, folder / REPORT)
    console = Console(highlight=False)
    if any(each["differences"] for each in made["tiers"].values()):
        console.print(table(made["tiers"]))
    for line in summary(made):
        print(line)
    return int(made["exit_code"])


if __name__ == "__main__":
    sys.exit(main())
