"""What differs between AWS and the states: a table, `drift.md` for people and `drift.json` for programs.

    python -m review.drift FOLDER TIER…

reads what `make drift` left in `stacks/<tier>/` of the environment's folder: the state, and the JSON of a
refresh-only plan unless the tier could not be compared. The exit code is terraform's own for plans: 0 nothing
differs, 2 something does, 1 a tier could not be compared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from rehearsal.files import write
from review.differences import differences
from review.ordinary import covers, ordinary

PLAN = "drift.plan.json"
EXIT_CODES = {"none": 0, "drift": 2, "error": 1}
COLUMNS = ("tier", "address", "attribute", "was", "is")

Row = dict[str, str]


def compare(stack: Path) -> dict[str, Any]:
    """How one tier fares: status, the differences that count, and how many do not."""
    state = json.loads((stack / "state.json").read_text()).get("values", {}).get("root_module", {})
    managed = [each for each in state.get("resources", []) if each["mode"] == "managed"]
    if not (stack / PLAN).exists():
        return {"status": "error" if managed else "not applied", "differences": [], "ordinary": 0}
    configured = json.loads((stack / "cdk.tf.json").read_text()).get("resource", {})
    found: list[Row] = []
    left = 0
    for each in json.loads((stack / PLAN).read_text()).get("resource_drift", []):
        change, address = each["change"], each["address"]
        if change["after"] is None:
            found.append({"address": address, "attribute": "", "was": "there", "is": "deleted"})
            continue
        quiet = ordinary(each, managed, configured.get(each["type"], {}).get(each["name"], {}))
        for one in differences(change):
            if any(covers(name, one.attribute) for name in quiet):
                left += 1
            else:
                found.append({"address": address, "attribute": one.attribute, "was": one.was, "is": one.now})
    return {"status": "drift" if found else "none", "differences": found, "ordinary": left}


def report(folder: Path, tiers: list[str]) -> dict[str, Any]:
    """The report of an environment. An error outweighs drift: what could not be compared is not known."""
    compared = {tier: compare(folder / "stacks" / tier) for tier in tiers}
    statuses = {each["status"] for each in compared.values()}
    verdict = "error" if "error" in statuses else "drift" if "drift" in statuses else "none"
    return {"environment": folder.name, "verdict": verdict, "tiers": compared}


def rows(made: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row for each value that differs, in the order of COLUMNS."""
    return [
        (tier, *(each[name] for name in COLUMNS[1:]))
        for tier, compared in made["tiers"].items()
        for each in compared["differences"]
    ]


def summary(made: dict[str, Any]) -> Iterator[str]:
    """The lines below the table."""
    tiers = made["tiers"]
    skipped = [tier for tier, each in tiers.items() if each["status"] == "not applied"]
    failed = [tier for tier, each in tiers.items() if each["status"] == "error"]
    count = len({row[:2] for row in rows(made)})
    if skipped:
        yield f"not applied, so not compared: {', '.join(skipped)}"
    if left := sum(each["ordinary"] for each in tiers.values()):
        yield f"{left} values are not counted, which AWS moves by itself or the configuration leaves alone"
    if failed:
        yield f"ERROR, not all is known: {', '.join(failed)} could not be compared"
    if count:
        differ = "resources differ" if count > 1 else "resource differs"
        yield f"{count} {differ} from the state; make plan and make apply set back what the spec says"
    if made["verdict"] == "none":
        yield "none"


def markdown(made: dict[str, Any]) -> str:
    """The report for an issue or a chat. Whatever a value says, it stays in its cell."""
    lines = [f"## Drift of {made['environment']}", ""]
    if found := rows(made):
        lines += [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
        lines += [f"| {' | '.join(map(_cell, row))} |" for row in found]
        lines.append("")
    return "\n".join([*lines, *(f"- {line}" for line in summary(made))]) + "\n"


def _cell(text: str) -> str:
    return f"`{text.replace('`', chr(39)).replace('|', chr(92) + '|')}`" if text else ""


def main() -> int:
    folder, tiers = Path(sys.argv[1]), sys.argv[2:]
    made = report(folder, tiers)
    write(folder / "drift.json", json.dumps(made, indent=2) + "\n")
    write(folder / "drift.md", markdown(made))
    if found := rows(made):
        table = Table(box=box.SIMPLE_HEAD)
        for name in COLUMNS:
            table.add_column(name, overflow="fold")
        for row in found:
            table.add_row(*row)
        Console(highlight=False, markup=False).print(table)
    for line in summary(made):
        print(f"drift: {line}")
    return EXIT_CODES[made["verdict"]]


if __name__ == "__main__":
    sys.exit(main())
