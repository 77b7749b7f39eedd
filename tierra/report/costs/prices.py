"""On-demand prices in USD: the table of this repository, and AWS's answers to `make prices`, which take
precedence.

The table is `prices.json`, by region and by source; each source has its date. AWS's answers are in
`.prices/<region>.json`, which is not committed, each price with its date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from tierra.files import write
from tierra.report.costs.skus import Sku

TABLE = Path(__file__).resolve().parent / "prices.json"
CACHE = Path(__file__).resolve().parents[3] / ".prices"
ASKED = "AWS's Price List"
REPOSITORY = "table of this repository"


@dataclass(frozen=True)
class Price:
    """In USD, of one unit; `day` is when it was read, as year-month-day."""

    usd: float
    day: str
    source: str


def price(sku: Sku, region: str) -> Price | None:
    """The price in a region; None if no source has it."""
    return known(region).get(str(sku))


@cache
def known(region: str) -> Mapping[str, Price]:
    """Every price that is known of a region, by the name of its Sku. Read once."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    known = {
        name: Price(usd, table["sources"][source]["date"], REPOSITORY)
        for section in ("worldwide", region)
        for source, prices in table["regions"].get(section, {}).items()
        for name, usd in prices.items()
    }
    return known | {
        name: Price(entry["usd"], entry["day"], ASKED) for name, entry in aws_answers(region).items()
    }


def aws_answers(region: str) -> dict[str, Any]:
    """AWS's answers for a region so far."""
    file = CACHE / f"{region}.json"
    answer: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return answer


def keep(region: str, answers: Mapping[Sku, float]) -> Path:
    """Adds today's answers to earlier ones, and returns the file."""
    today = date.today().isoformat()
    new = {str(sku): {"usd": usd, "day": today} for sku, usd in answers.items()}
    CACHE.mkdir(exist_ok=True)
    file = CACHE / f"{region}.json"
    write(file, json.dumps(aws_answers(region) | new, indent=1, sort_keys=True) + "\n")
    return file
