"""The report on the terminal: one screen with the verdict, the counts and the most important findings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from tierra.report.findings import FORBIDS, LOSES_DATA, NO_CHANGES, REFUSES, SAFE, SUBJECTS
from tierra.report.folding import Group, folded
from tierra.report.title import REHEARSAL

MOST = 12  # findings of a subject, and lines of a finding
STYLES = {"+": "green", "-": "red", "~": "yellow"}
LOG = (160, 41)  # columns and rows without a terminal
# From more to less detail: the numbers of findings of a subject, and of lines of each. The first that fits is
# used; if
# none does, a subject is one line.
DEPTHS = ((MOST, MOST), (MOST, 3), (6, 3), (6, 1), (6, 0), (3, 0), (2, 0), (1, 0))
VERBS = ("add", "change", "destroy")


def show(report: dict[str, Any], page: str, below: int = 0) -> None:
    """Prints the first screen, leaving `below` rows free; in colour only on a terminal."""
    console = Console(highlight=False, markup=False)
    width, height = console.size if console.is_terminal else LOG
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=width)
    for part in screen(report, page, width, height - below):
        console.print(part)


def screen(report: dict[str, Any], page: str, width: int, height: int) -> list[RenderableType]:
    """At most `height - 1` rows, if the counts fit: a prompt follows."""
    head: list[RenderableType] = [heading(report), verdict(report)]
    tail: list[RenderableType] = []
    if waiting := forecasts(report["tiers"]):
        tail.append(Text(waiting, style="dim"))
    if "cost" in report and (cost := _cost(report["cost"])):
        tail.append(Text(cost))
    last = Text(f"The whole report: {page}")
    tail.append(last)
    if report["verdict"] == "none":
        tail.append(Text("No changes.", style="green"))
    rows = height - 1 - len(head) - len(report["tiers"]) - 2 - len(tail)
    middle = _fitting(report["findings"], rows)
    spare = rows - len(middle)
    blank: list[RenderableType] = [Text("")]
    apart = blank if spare >= 2 + bool(middle) else []
    counts = table(report["tiers"], report.get("cost"), narrow=True)
    made_up = [*head, *apart, counts, *(apart if middle else []), *middle, *apart, *tail]
    for time in made_up:
        if isinstance(time, Text) and time is not last:
            time.truncate(width, overflow="ellipsis")
    return made_up


def heading(report: dict[str, Any]) -> Text:
    """The target of the plans, on one line."""
    title = report["title"]
    line = Text()
    if title["target"] == REHEARSAL:
        line.append(" REHEARSAL ", style="bold reverse magenta").append(" ")
    elif title["target"]:
        line.append(title["target"].upper(), style="bold").append(" ")
    line.append(report["environment"], style="bold")
    for part in (
        f"{title['account']} {title['region']}".strip(),
        when(title["made"]),
        _commit(title["spec"]),
    ):
        line.append(f"  {part}" if part else "")
    return line


def when(times: list[str]) -> str:
    """The time of the first plan: `2026-01-31 09:30 UTC`."""
    return f"{times[0][:16].replace('T', ' ')} UTC" if times else ""


def _commit(spec: dict[str, Any]) -> str:
    if not spec["commit"]:
        return ""
    return f"{spec['commit'][:7]}{' + edits' if spec['edited'] else ''}"


def verdict(report: dict[str, Any]) -> Text:
    """The worst verdict, and the other ones."""
    worst, *others = report["verdicts"]
    style = {"bad": "red", "good": "green"}.get(tone(worst), "yellow")
    line = Text().append(worst[:1].upper() + worst[1:], style=f"bold {style}")
    return line.append(f"; also {', '.join(others)}" if others else "")


def tone(verdict: str) -> str:
    """`bad`, `good`, or `fair` for everything between."""
    bad, good = (REFUSES, FORBIDS, LOSES_DATA), (SAFE, NO_CHANGES)
    return "bad" if verdict in bad else "good" if verdict in good else "fair"


def forecasts(tiers: dict[str, Any]) -> str:
    """One line on tiers whose plan is a forecast; empty without one."""
    count = sum(tier["forecast"] for tier in tiers.values())
    if not count:
        return ""
    what = "plan is a forecast" if count == 1 else "plans are forecasts"
    return f"{count} {what}, made again before {'it is' if count == 1 else 'they are'} applied."


def table(tiers: dict[str, Any], cost: dict[str, Any] | None = None, *, narrow: bool = False) -> Table:
    """The counts, with a row for each tier and a row of sums; a column of costs where they are known."""
    rows = Table(
        box=None if narrow else box.SIMPLE_HEAD, show_footer=True, pad_edge=not narrow, padding=(0, 2, 0, 0)
    )
    rows.add_column("tier", "total", footer_style="bold", no_wrap=True)
    for name in VERBS:
        rows.add_column(name, str(sum(tier[name] for tier in tiers.values())), justify="right", no_wrap=True)
    priced = any("cost" in tier for tier in tiers.values())
    if priced:
        sums = cost or {}
        rows.add_column(
            f"{sums.get('currency', '')}/month".lstrip("/"), spent(sums), justify="right", no_wrap=True
        )
    rows.add_column("", "", no_wrap=True)
    for tier, count in tiers.items():
        numbers = (Text(str(count[name]), style="" if count[name] else "dim") for name in VERBS)
        money = [spent(count.get("cost", {}))] if priced else []
        rows.add_row(tier, *numbers, *money, "forecast" if count["forecast"] else "")
    return rows


def spent(cost: dict[str, Any]) -> str:
    """`120 → 150`, or `120` where nothing changes; empty where nothing is known."""
    was, now = (cost.get(name) for name in ("before", "after"))
    texts = [f"{sum_:,.0f}" if sum_ is not None else "?" for sum_ in (was, now)]
    if was is None and now is None:
        return ""
    return texts[1] if texts[0] == texts[1] else " → ".join(texts)


def _cost(cost: dict[str, Any]) -> str:
    """The source of the prices, and the resources without one."""
    missing = len(cost.get("unpriced") or [])
    text = f"Prices: {cost.get('source', '')}"
    return f"{text}; {missing} without one" if missing else text


def first(findings: list[dict[str, Any]]) -> Iterator[RenderableType]:
    """The findings, by subject."""
    for line in _listed(findings, MOST, MOST):
        if not line.plain.startswith(" "):
            yield Text("")
        yield line


def _fitting(findings: list[dict[str, Any]], rows: int) -> list[Text]:
    """The findings, with as much detail as fits."""
    for most, lines in DEPTHS:
        subjects = list(_listed(findings, most, lines))
        if len(subjects) <= rows:
            return subjects
    subjects = list(_short(findings))
    if len(subjects) <= rows or rows < 1:
        return subjects[: max(rows, 0)]
    titles = [title.lower() for title, _, _ in _subjects(findings)]
    return [*subjects[: rows - 1], Text(f"… {', '.join(titles[rows - 1 :])}: see the report")]


def _subjects(findings: list[dict[str, Any]]) -> Iterator[tuple[str, list[Group], list[Group]]]:
    """The title of each subject, its shown findings, and the new ones that are only counted."""
    for subject, group in groupby(findings, lambda finding: finding["subject"]):
        members = list(group)
        shown = [finding for finding in members if finding["action"] != "create" or finding["critical"]]
        new = [finding for finding in members if finding["action"] == "create" and not finding["critical"]]
        yield SUBJECTS[subject], folded(shown), folded(new)


def _listed(findings: list[dict[str, Any]], most: int, lines: int) -> Iterator[Text]:
    for title, shown, new in _subjects(findings):
        heading = Text(title, style="bold").append(f" ({_count(shown) + _count(new)})", style="not bold")
        if not shown:
            yield heading.append("  new: see the report", style="not bold dim")
            continue
        yield heading
        for group in shown[:most]:
            message = f" ({group.first['action']}){f'  {group.message}' if group.message else ''}"
            yield Text("  ").append(f"{group.tiers} {group.title}", style=_style(group)).append(message)
            yield from (Text(f"    {line}", style=STYLES.get(line[:1], "")) for line in group.lines[:lines])
            if lines and len(group.lines) > lines:
                yield Text(f"    … {len(group.lines) - lines} more")
        left = [f"{count} more"] if (count := _count(shown[most:])) else []
        left += [f"{count} new"] if (count := _count(new)) else []
        if left:
            yield Text(f"  … {', '.join(left)}: see the report")


def _short(findings: list[dict[str, Any]]) -> Iterator[Text]:
    """A line for each subject, with its first finding."""
    for title, shown, new in _subjects(findings):
        line = Text(title, style="bold").append(f" ({_count(shown) + _count(new)})  ", style="not bold")
        if shown:
            line.append(shown[0].title, style=f"{_style(shown[0]) or 'not bold'}")
            text = shown[0].message or "".join(shown[0].lines[:1])
            line.append(f": {text}" if text else "", style="not bold")
        else:
            line.append("new: see the report", style="not bold dim")
        yield line


def _count(groups: list[Group]) -> int:
    return sum(len(group.members) for group in groups)


def _style(group: Group) -> str:
    return "bold red" if group.critical else ""
