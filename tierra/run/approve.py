"""Asks before anything changes.

An apply needs a yes to the report, once for the whole environment; a destroy needs the name of the
environment. APPROVE gives the answer in advance, which is required without a terminal. A tier that is planned
again later needs a new approval only if its plan does something that the approved one did not show.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from io import StringIO
from typing import Any

from rich.console import Console, RenderableType

from tierra.plans.changes import changes
from tierra.plans.resources import planned_resources
from tierra.report import report, terminal
from tierra.report.findings import DATA, EXPOSURE, IDENTITY, POLICY, REACH, REFUSED, RESILIENCE
from tierra.report.transitions import refused_plan
from tierra.run import gate, order, preflight, saved, upstream
from tierra.run.board import ASKS, RUNNING, Board
from tierra.run.workspace import Failed, Tier, Workspace, read_json, write

TERMINAL = "/dev/tty"
WIDE, NARROW, ROWS = 160, 80, 40  # of a log, and of a terminal of unknown size
# An apply with more findings of these subjects than were shown asks again.
WATCHED = (DATA, EXPOSURE, IDENTITY, REACH, RESILIENCE)
MOST = 6  # lines of a finding that are shown again
SHORTEST = 6  # the least length of an output's value that is looked for in a finding


def apply(workspace: Workspace) -> None:
    """Raises Failed unless the saved plans and forecasts of the selected tiers may be applied, and are
    approved."""
    tiers = workspace.tiers()
    saved.check(workspace, tiers)
    planned = [tier for tier in tiers if tier.plan_json.exists()]
    shown: list[RenderableType] = []
    if planned:
        names = [tier.name for tier in planned]
        beyond_one = [*order.findings(workspace), *gate.findings(planned)]
        result = report.report(workspace.out, names, workspace.environment, beyond_one)
        if refused := [finding for finding in result["findings"] if _stops(finding)]:
            raise Failed(_refusal(refused))
        shown = [*terminal.screen(result, f"{workspace.out}/report.html", *size())]
    from tierra.run import adopt  # imports a YAML parser, which a report does not need

    adopted = [line for tier in planned for line in adopt.lines(read_json(tier.plan_json))]
    shown += adopted
    if workspace.approval == "yes":
        Board(workspace.out).say("".join(f"{line}\n" for line in adopted))
    elif planned:
        names = [tier.name for tier in tiers]
        what = "all tiers" if names == workspace.order else ", ".join(names)
        question = f"apply {what} of {workspace.environment}? Type yes: "
        ask(Board(workspace.out), "yes", question, shown)


def _stops(finding: dict[str, Any]) -> bool:
    return finding["subject"] == REFUSED or (finding["subject"] == POLICY and bool(finding["critical"]))


def _refusal(findings: Iterable[dict[str, Any]]) -> str:
    findings = list(findings)
    why = "AWS would refuse this"
    if all(finding["subject"] == POLICY for finding in findings):
        why = "a policy of your own forbids this"
    groups: dict[tuple[str, ...], list[str]] = {}
    for finding in findings:
        groups.setdefault((finding["message"], *finding["lines"]), []).append(
            f"{finding['tier']} {finding['address']}"
        )
    lines = [f"apply: refused, nothing was changed: {why}"]
    for (message, *more), addresses in groups.items():
        lines += [f"  {', '.join(addresses)}:", f"    {message}", *(f"      {line}" for line in more)]
    return "\n".join(lines)


def keep(workspace: Workspace) -> None:
    """Records what the plans of the selected tiers do, and keeps the records of other tiers."""
    shown = read_json(workspace.shown) if workspace.shown.exists() else {}
    shown |= {tier.name: does(tier, upstream.later) for tier in workspace.tiers()}
    write(workspace.shown, json.dumps(shown, indent=1) + "\n")


def does(tier: Tier, outputs: Callable[[Tier], Any]) -> dict[str, Any]:
    """The subject of an approval: the addresses that a plan destroys, and its findings. Values of other
    tiers, which a forecast makes up, are replaced by their names; `outputs` has their values."""
    plan, configuration = read_json(tier.plan_json), tier.kept_configuration()
    changed, resources = changes(tier.name, plan, configuration), planned_resources(plan, configuration)
    known = dict(
        sorted(
            (pair for need in tier.needs for pair in _leaves(need.name, outputs(need))),
            key=lambda pair: -len(pair[0]),
        )
    )

    def named(line: str) -> str:
        for value, name in known.items():
            line = line.replace(value, name)
        return re.sub(r"\S*…$", "…", line)

    return {
        "destroys": sorted(change.address for change in changed if change.destroys),
        "findings": sorted(
            [finding.subject, finding.address, finding.action, *map(named, finding.lines)]
            for finding in report.findings({tier.name: changed}, {tier.name: resources})
            if finding.subject in WATCHED
        ),
    }


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a value that is long enough to be recognized, with its path."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(f"{name}.{key}", member)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _leaves(f"{name}.{index}", member)
    elif isinstance(value, str) and len(value) >= SHORTEST:
        yield value, f"${{{name}}}"


def beyond(tier: Tier) -> list[str]:
    """What the plan of a tier does beyond the approved one, a line each."""
    approved = read_json(tier.workspace.shown) if tier.workspace.shown.exists() else {}
    before = approved.get(tier.name, {"destroys": [], "findings": []})
    now = does(tier, upstream.now)
    lines = [f"destroys {address}" for address in now["destroys"] if address not in before["destroys"]]
    for subject, address, action, *details in now["findings"]:
        if [subject, address, action, *details] not in before["findings"]:
            lines.append(f"{subject}: {address} ({action})")
            lines += [f"  {line}" for line in details[:MOST]]
    return lines


def again(tier: Tier, board: Board, why: str) -> None:
    """Raises Failed unless the new plan does no more than was approved, or is approved now."""
    plan, configuration = read_json(tier.plan_json), tier.kept_configuration()
    forbidden = [finding for finding in gate.findings([tier]) if finding.critical]
    if refused := [*refused_plan(plan, configuration, tier.name), *forbidden]:
        raise Failed(_refusal(asdict(finding) for finding in refused))
    if not (lines := beyond(tier)):
        return
    workspace = tier.workspace
    shown: list[RenderableType] = [
        f"{tier.name} was planned again ({why}), and does more than was shown:",
        *(f"  {line}" for line in lines),
    ]
    if workspace.approval == "yes":
        raise Failed(
            "".join(f"{line}\n" for line in shown)
            + f"apply: {tier.name} of {workspace.environment}: APPROVE=yes approves only what was shown\n"
            f"  remedy: {workspace.command('plan')}, read the report, then {workspace.command('apply')}"
        )
    board.update(tier.name, ASKS, "asks")
    ask(board, "yes", f"apply {tier.name} of {workspace.environment}? Type yes: ", shown)
    board.update(tier.name, RUNNING, "approved")


def destroy(workspace: Workspace, tiers: list[Tier], dependents: list[Tier]) -> None:
    """Raises Failed unless these tiers may be destroyed, and the name of the environment is given."""
    targets = preflight.read_states(tiers)
    if not targets:
        return
    refused = list(preflight.refusals(workspace, targets, preflight.read_states(dependents)))
    shown: list[RenderableType] = [preflight.table(targets), *preflight.summary(targets)]
    if refused:
        Board(workspace.out).say(text(shown, WIDE))
        raise Failed("\n".join(f"destroy: refused, nothing was changed: {line}" for line in refused).rstrip())
    name, approved = workspace.environment, workspace.approval
    if approved and approved != name:
        raise Failed(f"destroy: the approval in advance is the environment's name: APPROVE={name}")
    if approved:
        Board(workspace.out).say(text(shown, WIDE))
        return
    names = ", ".join(state.tier for state in targets)
    question = f"destroy {names}? Type the name of the environment: "
    ask(Board(workspace.out), name, question, shown)


def ask(board: Board, wanted: str, question: str, shown: list[RenderableType]) -> None:
    """Prints the text and asks on the terminal. Raises Failed for any other answer."""
    verb = question.partition(" ")[0]
    try:
        # Opened twice, because a terminal is not seekable, which Python requires of a file that it reads and
        # writes.
        with (
            open(TERMINAL, encoding="utf-8", errors="replace") as typed,
            open(TERMINAL, "w", encoding="utf-8", errors="replace") as seen,
            board.question(),
        ):
            seen.write(text(shown, os.get_terminal_size(seen.fileno()).columns or NARROW) + question)
            seen.flush()
            answer = typed.readline().strip()
    except OSError:
        board.say(text(shown, WIDE))
        raise Failed(
            f"{verb}: there is no terminal for questions\n  remedy: approve in advance with APPROVE={wanted}"
        ) from None
    if answer != wanted:
        raise Failed(f"{verb}: not approved, nothing was changed")


def size() -> tuple[int, int]:
    """Columns and rows of the terminal that is asked on, or of a log."""
    try:
        with open(TERMINAL, "w") as terminal_:
            columns = os.get_terminal_size(terminal_.fileno())
            return columns.columns or NARROW, columns.lines or ROWS
    except OSError:
        return WIDE, ROWS


def text(shown: list[RenderableType], width: int) -> str:
    written = StringIO()
    console = Console(highlight=False, markup=False, file=written, width=width)
    for line in shown:
        console.print(line, soft_wrap=isinstance(line, str))
    return written.getvalue()
