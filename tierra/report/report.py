"""The report: the changes of the saved plans of an environment, on one page.

`python -m tierra.report.report [--detailed] cdktf.out/<env> TIER…` reads the JSON plans that `make plan`
wrote to `stacks/<tier>/`, prints the page, and writes it as `report.md` for a pull request, `report.html` for
a browser and `report.json` for programs. With --detailed the exit code is 2 if a plan changes something, like
that of terraform with -detailed-exitcode.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from tierra.files import write
from tierra.plans.changes import PLAN, Change, changes, configuration, outputs, read_plan
from tierra.plans.resources import Resources, planned_resources
from tierra.report import calendar, costs, pages, terminal
from tierra.report.compatibility import compatibility
from tierra.report.downtime import downtime
from tierra.report.exposure import exposure
from tierra.report.findings import REPLACEMENT, SUBJECTS, Finding, families, verdict, verdicts
from tierra.report.losses import losses
from tierra.report.policies import identity
from tierra.report.reach import reach
from tierra.report.releases import RELEASE, image
from tierra.report.resilience import resilience
from tierra.report.tenants import Tenant, tenants
from tierra.report.title import title
from tierra.report.transitions import refused_plan
from tierra.report.waiting import waiting

FORECAST = "forecast"
SEAL = "plan.seal"
CHANGES, NOTHING = "changes", "none"


@dataclass(frozen=True)
class Counts:
    """How many resources a tier's plan creates, updates in place and destroys; a replacement counts twice,
    as terraform counts it. `forecast`: the plan is based on values made up by the rehearsal."""

    add: int
    change: int
    destroy: int
    forecast: bool = False


def counts(plan: dict[str, Any], *, forecast: bool = False) -> Counts:
    """The counts of one `terraform show -json` plan."""
    actions = [change["change"]["actions"] for change in plan.get("resource_changes", [])]
    return Counts(
        add=sum("create" in action for action in actions),
        change=sum("update" in action for action in actions),
        destroy=sum("delete" in action for action in actions),
        forecast=forecast,
    )


def report(
    folder: Path,
    tiers: list[str],
    environment: str = "",
    refused: Sequence[Finding] = (),
    day: date | None = None,
) -> dict[str, Any]:
    """The report of the plans in the output folder of an environment (the name of the folder, unless it is
    given), as it is written to `report.json`:

    - `environment`, and `title`: see tierra/report/title.py
    - `verdict`: `changes` or `none`; outputs count as changes
    - `verdict_line`: the worst verdict, and `verdicts`: all that apply (tierra/report/findings.py)
    - `tiers`: the counts of each tier, and its `cost` before and after
    - `cost`: the monthly cost of all tiers, see tierra/report/costs
    - `findings`: the findings, the most important first, in the order of a report
    - `resources`: every changed resource, with its differing values
    - `outputs`: the names of changed outputs, by tier
    - `plans`: the seals of all saved plans of the environment, by tier

    `refused` are findings about several plans together. `day` is the date for the support of versions, by
    default today. No sensitive value is in the report. Raises FileNotFoundError when a tier has no JSON plan.
    """
    environment = environment or folder.name
    tier_counts, outputs_of, plans = {}, {}, {}
    touched: dict[str, list[Change]] = {}
    resources_of: dict[str, Resources] = {}
    stopped = [*refused]
    day = day or calendar.today()
    for tier in tiers:
        stack = folder / "stacks" / tier
        plan = plans[tier] = json.loads((stack / PLAN).read_text(encoding="utf-8"))
        planned = configuration(stack)
        tier_counts[tier] = asdict(counts(plan, forecast=(stack / FORECAST).exists()))
        touched[tier] = changes(tier, plan, planned)
        stopped += refused_plan(plan, planned, tier)
        resources_of[tier] = planned_resources(plan, planned)
        stopped += calendar.findings(tier, resources_of[tier], touched[tier], day)
        if names := outputs(plan):
            outputs_of[tier] = names
    changed = bool(outputs_of) or any(touched.values())
    findings_ = findings(touched, resources_of, stopped, tenants(folder))
    whole = verdicts(findings_, changes=changed)
    result = {
        "environment": environment,
        "title": title(folder, tiers, environment),
        "verdict": CHANGES if changed else NOTHING,
        "verdict_line": whole[0],
        "verdicts": whole,
        "tiers": tier_counts,
        "findings": [asdict(finding) for finding in findings_],
        "resources": [_resource(change) for mine in touched.values() for change in mine],
        "outputs": outputs_of,
        "plans": seals(folder),
    }
    costs.add(result, folder, plans)
    return result


def seals(folder: Path) -> dict[str, dict[str, Any]]:
    """The seals of all saved plans of an environment, by tier: tierra/run/saved.py writes them."""
    return {file.parent.name: read_plan(file) for file in sorted(folder.glob(f"stacks/*/{SEAL}"))}


def findings(
    touched: Mapping[str, list[Change]],
    resources_of: Mapping[str, Resources],
    refused: Sequence[Finding] = (),
    within: Sequence[Tenant] = (),
) -> list[Finding]:
    """The findings by subject; within a subject critical ones first and new resources last. `touched` and
    `resources_of` are by tier, in the order of the tiers; `within` are the resources in the network."""
    images = dict(sorted(image for resources in resources_of.values() for image in _images(resources)))
    result: list[Finding] = [*refused]
    for tier, mine in touched.items():
        resources = resources_of[tier]
        for change in mine:
            for look in (identity, waiting, replacement):
                result += look(change)
            result += losses(change, within)
            result += downtime(change, resources)
            result += exposure(change, resources)
            result += compatibility(change, images)
        result += resilience(mine, resources)
        result += reach(mine, resources)
    kin = families(
        change.address for mine in touched.values() for change in mine if change.action == "delete"
    )
    result = [
        replace(
            finding,
            verdict=verdict(finding),
            family=kin.get(finding.address, "") if finding.action == "delete" else "",
        )
        for finding in result
    ]
    subjects, tiers = list(SUBJECTS), list(touched)

    def order(finding: Finding) -> tuple[int, bool, bool, int, str]:
        new = finding.action == "create" and not finding.critical
        return (
            subjects.index(finding.subject),
            new,
            not finding.critical,
            tiers.index(finding.tier),
            finding.address,
        )

    return sorted(result, key=order)


def _images(resources: Resources) -> Iterator[tuple[str, str]]:
    for values in resources.was(RELEASE).values():
        if used := image(values):
            yield str(values.get("name", "")), used


def replacement(change: Change) -> Iterator[Finding]:
    """Why a resource is replaced, with the arguments that force it."""
    if change.action == "replace":
        lines = tuple(
            f"~ {value.attribute}: {value.was} → {value.now}"
            for value in change.values
            if any(
                value.attribute == path or value.attribute.startswith((f"{path}.", f"{path}["))
                for path in change.forced_by
            )
        )
        message = f"forced by {', '.join(change.forced_by)}" if change.forced_by else change.reason
        yield Finding(REPLACEMENT, change.tier, change.address, change.action, message, lines)


def _resource(change: Change) -> dict[str, Any]:
    return {
        "tier": change.tier,
        "address": change.address,
        "type": change.type,
        "action": change.action,
        "forced_by": list(change.forced_by),
        "reason": change.reason,
        "values": [value._asdict() for value in change.values],
        "later": change.later,
    }


def publish(
    folder: Path, tiers: list[str], environment: str = "", refused: Sequence[Finding] = ()
) -> dict[str, Any]:
    """Builds the report and writes it, each file atomically; `report.json` last, for programs."""
    result = report(folder, tiers, environment, refused)
    write(folder / "report.md", pages.markdown(result))
    write(folder / "report.html", pages.html(result))
    write(folder / "report.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    return result


def main() -> int:
    detailed = "--detailed" in sys.argv[1:]
    folder, *tiers = (argument for argument in sys.argv[1:] if argument != "--detailed")
    result = publish(Path(folder), tiers)
    terminal.show(result, f"{folder}/report.html")
    return 2 if detailed and result["verdict"] == CHANGES else 0


if __name__ == "__main__":
    sys.exit(main())
