"""Drift: differences between AWS and the states, and pending changes of the configuration: a table,
`drift.md` for people and `drift.json` for programs.

Each tier is compared by a refresh-only plan. A second plan, without a refresh, shows changes of the spec that
are not applied yet: they have their own row and are not drift.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tierra.plans.differences import differences
from tierra.report.expected_drift import covers, expected_drift
from tierra.run import destroy, program, waits
from tierra.run import plan as planning
from tierra.run.board import DONE, STOPPED, Board
from tierra.run.terraform import Terraform
from tierra.run.workspace import Failed, Tier, Workspace, read_json, write
from tierra.validation.errors import counted

EXIT_CODES = {"none": 0, "drift": 2, "error": 1}
COLUMNS = ("tier", "address", "attribute", "was", "is")

Row = dict[str, str]


def compare_tier(tier: Tier) -> None:
    """Saves the result of a refresh-only plan of a tier, and the changes of its configuration. A tier that
    cannot be compared does not stop the others: the report names it."""
    board = Board(tier.workspace.out)
    for left in (tier.drift_json, tier.waiting_json):
        left.unlink(missing_ok=True)
    destroy.hold([tier], "drift")
    outcome = "not applied"
    if destroy.holds(tier):
        terraform = Terraform(tier, "drift")
        try:
            _plan(tier, terraform, "-refresh-only", tier.drift_json.name)
            outcome = "compared"
        except Failed as failed:
            board.update(tier.name, STOPPED, "could not be compared")
            board.say(f"{failed}\n", sys.stderr)
            return
        with suppress(Failed):  # outputs that it needs are not applied yet: both tiers wait
            _plan(tier, terraform, "-refresh=false", tier.waiting_json.name)
    board.update(tier.name, DONE, outcome)


def _plan(tier: Tier, terraform: Terraform, option: str, name: str) -> None:
    timeout = f"-lock-timeout={tier.workspace.lock_timeout}"
    options = ["-input=false", "-no-color", timeout, "-out=drift.tfplan"]
    log = tier.folder / "drift.log"
    terraform.run(
        ["plan", option, *options], log, doing=f"{program.of(tier.workspace).command} plan {option}"
    )
    try:
        terraform.save(["show", "-json", "drift.tfplan"], tier.folder / name)
    finally:
        (tier.folder / "drift.tfplan").unlink(missing_ok=True)


def compare(tier: Tier) -> dict[str, Any]:
    """The result of one tier: status, drift, the number of ignored differences, and the pending change."""
    values = read_json(tier.state_json).get("values", {})
    state = values.get("root_module", {})
    asked = values.get("outputs", {}).get(waits.OUTPUT, {}).get("value")
    managed = [resource for resource in state.get("resources", []) if resource["mode"] == "managed"]
    if not tier.drift_json.exists():
        status = "error" if managed else "not applied"
        return {"status": status, "differences": [], "ordinary": 0, "waiting": ""}
    configured = tier.configured().get("resource", {})
    rows: list[Row] = []
    left = 0
    for drifted in read_json(tier.drift_json).get("resource_drift", []):
        change, address = drifted["change"], drifted["address"]
        if change["after"] is None:
            rows.append({"address": address, "attribute": "", "was": "there", "is": "deleted"})
            continue
        ignored = expected_drift(
            drifted, managed, configured.get(drifted["type"], {}).get(drifted["name"], {})
        )
        # Changes of the last apply that AWS has made in a maintenance window since.
        wanted = waits.noted(asked, address)
        ignored += [name for name, value in wanted.items() if change["after"].get(name) == value]
        for difference in differences(change):
            if any(covers(name, difference.attribute) for name in ignored):
                left += 1
            else:
                rows.append(
                    {
                        "address": address,
                        "attribute": difference.attribute,
                        "was": difference.was,
                        "is": difference.now,
                    }
                )
    status = "drift" if rows else "none"
    return {"status": status, "differences": rows, "ordinary": left, "waiting": _waiting(tier)}


def _waiting(tier: Tier) -> str:
    """What the configuration would change in the present state; empty if nothing."""
    if not tier.waiting_json.exists():
        return "its changes are not known, because the tiers that it needs are not applied"
    plan = read_json(tier.waiting_json)
    text = planning.summary(waits.without(plan, waits.asked(plan)))
    return "" if text == planning.NOTHING else text


def report(workspace: Workspace, tiers: list[Tier]) -> dict[str, Any]:
    """The report of an environment. An error outweighs drift, because that tier could not be compared."""
    compared = {tier.name: compare(tier) for tier in tiers}
    statuses = {tier["status"] for tier in compared.values()}
    verdict = "error" if "error" in statuses else "drift" if "drift" in statuses else "none"
    return {"environment": workspace.environment, "verdict": verdict, "tiers": compared}


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row for each value that differs, in the order of COLUMNS."""
    return [
        (tier, *(row[name] for name in COLUMNS[1:]))
        for tier, compared in result["tiers"].items()
        for row in compared["differences"]
    ]


def summary(result: dict[str, Any]) -> Iterator[str]:
    """The lines below the table."""
    tiers = result["tiers"]
    skipped = [tier for tier, tier_ in tiers.items() if tier_["status"] == "not applied"]
    failed = [tier for tier, tier_ in tiers.items() if tier_["status"] == "error"]
    count = len({row[:2] for row in rows(result)})
    if skipped:
        yield f"not applied, so not compared: {', '.join(skipped)}"
    if left := sum(tier_["ordinary"] for tier_ in tiers.values()):
        yield f"not counted: {counted(left, 'value')} that AWS changes by itself or the configuration ignores"
    for tier, tier_ in tiers.items():
        if tier_["waiting"]:
            yield f"{tier}: the configuration waits to be applied: {tier_['waiting']}"
    if failed:
        yield f"ERROR, incomplete: {', '.join(failed)} could not be compared"
    if count:
        differ = "resources differ" if count > 1 else "resource differs"
        yield f"{count} {differ} from the state; make plan and make apply restore the values of the spec"
    if result["verdict"] == "none":
        yield "none"


def markdown(result: dict[str, Any]) -> str:
    """The report for an issue or a chat. Any value stays in its cell."""
    lines = [f"## Drift of {result['environment']}", ""]
    if table := rows(result):
        lines += [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
        lines += [f"| {' | '.join(map(_cell, row))} |" for row in table]
        lines.append("")
    return "\n".join([*lines, *(f"- {line}" for line in summary(result))]) + "\n"


def _cell(text: str) -> str:
    return f"`{text.replace('`', chr(39)).replace('|', chr(92) + '|')}`" if text else ""


def publish(workspace: Workspace) -> int:
    """Writes and prints the report. Returns terraform's exit code for plans: 0 no difference, 2 a difference,
    1 a tier could not be compared."""
    Board(workspace.out).close()
    result = report(workspace, workspace.tiers())
    write(workspace.out / "drift.json", json.dumps(result, indent=2) + "\n")
    write(workspace.out / "drift.md", markdown(result))
    if differing := rows(result):
        table = Table(box=box.SIMPLE_HEAD)
        for name in COLUMNS:
            table.add_column(name, overflow="fold")
        for row in differing:
            table.add_row(*row)
        Console(highlight=False, markup=False).print(table)
    for line in summary(result):
        print(f"drift: {line}")
    return EXIT_CODES[result["verdict"]]
