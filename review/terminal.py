"""The report in the terminal: the counts, and what matters first; the pages have the rest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from review.findings import SUBJECTS

MOST = 12  # findings of a subject, and lines of a finding
STYLES = {"+": "green", "-": "red", "~": "yellow"}


def show(made: dict[str, Any], page: str) -> None:
    """Prints the report; colours only where a terminal is."""
    console = Console(highlight=False, markup=False)
    console.print(table(made["tiers"]))
    for each in first(made["findings"]):
        console.print(each, soft_wrap=True)
    console.print(f"\nThe whole report: {page}", soft_wrap=True)


def table(tiers: dict[str, Any]) -> Table:
    """The counts, with a row a tier and a row of sums."""
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


def first(findings: list[dict[str, Any]]) -> Iterator[RenderableType]:
    """What matters, by subject. What is new and open to nobody is only counted."""
    for subject, group in groupby(findings, lambda each: each["subject"]):
        found = list(group)
        shown = [each for each in found if each["action"] != "create" or each["grave"]]
        yield Text(f"\n{SUBJECTS[subject]}", style="bold")
        for each in shown[:MOST]:
            head = Text(f"  {each['tier']} {each['address']}", style="bold red" if each["grave"] else "")
            yield head.append(f" ({each['action']})  {each['says']}", style="default not bold")
            for line in each["lines"][:MOST]:
                yield Text(f"    {line}", style=STYLES.get(line[:1], ""))
            if len(each["lines"]) > MOST:
                yield f"    … {len(each['lines']) - MOST} more"
        if len(shown) > MOST:
            yield f"  … {len(shown) - MOST} more"
        if len(found) > len(shown):
            yield f"  {len(found) - len(shown)} new ones: see the page"
