"""What the saved plans of an environment will do, on one page.

`python -m review.report [--detailed] cdktf.out/<env> TIER…` reads the JSON plans that `make plan` left in
`stacks/<tier>/`, prints the page, and writes it as `report.md` for a pull request, `report.html` for a
browser and `report.json` for programs. With --detailed the exit code is 2 when a plan changes something, as
terraform's own is with -detailed-exitcode.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rehearsal.files import write
from review import pages, terminal
from review.changes import CONFIGURATION, PLAN, Change, changes, outputs, read
from review.downtime import downtime
from review.exposure import exposure
from review.findings import REPLACEMENT, SUBJECTS, Finding
from review.losses import losses
from review.policies import identity
from review.saved import seals
from review.standing import GROUND, Tenant, tenants
from review.transitions import refused_plan

FORECAST = "forecast"
CHANGES, NOTHING = "changes", "none"


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
    """The report of the environment whose output folder is given, as it is written to `report.json`:

    - `environment`, and `verdict`: `changes` or `none`; outputs count as changes
    - `tiers`: the counts of each
    - `findings`: what matters first, in the order of a report
    - `resources`: every resource that is touched, with the values that differ
    - `outputs`: the names of those that change, by tier
    - `plans`: the seals of all saved plans of the environment, by tier

    No sensitive value is in it. Raises FileNotFoundError when a tier has no JSON plan.
    """
    made: dict[str, Any] = {"environment": folder.name, "verdict": NOTHING, "tiers": {}}
    touched: list[Change] = []
    refusals: list[Finding] = []
    changed = {}
    for tier in tiers:
        stack = folder / "stacks" / tier
        plan = json.loads((stack / PLAN).read_text(encoding="utf-8"))
        made["tiers"][tier] = asdict(counts(plan, forecast=(stack / FORECAST).exists()))
        mine = changes(tier, plan, read(stack / CONFIGURATION))
        touched += mine
        refusals += refused_plan(plan, read(stack / CONFIGURATION), tier)
        if names := outputs(plan):
            changed[tier] = names
        if mine or names:
            made["verdict"] = CHANGES
    within = tenants(folder) if any(each.destroys and each.type in GROUND for each in touched) else []
    made["findings"] = [asdict(each) for each in findings(touched, tiers, refusals, within)]
    made["resources"] = [_resource(each) for each in touched]
    return {**made, "outputs": changed, "plans": seals(folder)}


def findings(
    touched: list[Change],
    tiers: list[str],
    refusals: Iterable[Finding] = (),
    within: list[Tenant] | None = None,
) -> list[Finding]:
    """What matters, by subject; within one the grave first, and what is new last. `within` is what stands in
    the network."""
    found = list(refusals)
    found += [
        each
        for change in touched
        for look in (partial(losses, tenants=within or ()), downtime, exposure, identity, replacement)
        for each in look(change)
    ]
    subjects = list(SUBJECTS)

    def place(each: Finding) -> tuple[int, bool, bool, int, str]:
        new = each.action == "create"
        return subjects.index(each.subject), new, not each.grave, tiers.index(each.tier), each.address

    return sorted(found, key=place)


def replacement(change: Change) -> Iterator[Finding]:
    """Why a resource is made anew, with the arguments that force it."""
    if change.action == "replace":
        lines = tuple(
            f"~ {each.attribute}: {each.was} → {each.now}"
            for each in change.values
            if any(
                each.attribute == path or each.attribute.startswith((f"{path}.", f"{path}["))
                for path in change.forced_by
            )
        )
        says = f"forced by {', '.join(change.forced_by)}" if change.forced_by else change.reason
        yield Finding(REPLACEMENT, change.tier, change.address, change.action, says, lines)


def _resource(change: Change) -> dict[str, Any]:
    return {
        "tier": change.tier,
        "address": change.address,
        "type": change.type,
        "action": change.action,
        "forced_by": list(change.forced_by),
        "reason": change.reason,
        "values": [each._asdict() for each in change.values],
        "later": change.later,
    }


def main() -> int:
    detailed = "--detailed" in sys.argv[1:]
    folder, *tiers = (each for each in sys.argv[1:] if each != "--detailed")
    made = report(Path(folder), tiers)
    write(Path(folder) / "report.md", pages.markdown(made))
    write(Path(folder) / "report.html", pages.html(made))
    write(Path(folder) / "report.json", json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    terminal.show(made, f"{folder}/report.html")
    return 2 if detailed and made["verdict"] == CHANGES else 0


if __name__ == "__main__":
    sys.exit(main())
