"""`python -m tools.judged` writes the table in `docs/rehearsal.md` of what the rehearsal checks."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

from rehearsal.catalog import Catalog, catalog_path
from rehearsal.checks import read_checks, usable
from tierra.bindings.schema import Block

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "rehearsal.md"
BEGIN, END = "<!-- judged -->\n", "<!-- end of judged -->\n"


def settable(block: Block) -> int:
    """The number of arguments that a configuration can set, including those of blocks."""
    own = sum(a.required or a.optional for a in block.attributes.values())
    return own + sum(settable(nested.block) for nested in block.blocks.values())


def table() -> str:
    """A row for each service that the tiers use, and one for all others."""
    golden = (ROOT / "tests" / "golden").glob("*/*.json")
    used = {
        name for file in golden for name in json.loads(file.read_text(encoding="utf-8")).get("resource", {})
    }
    known = read_checks()["resource"]
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    unjudged = []
    mine = {_service(entry["source"]) for name, entry in known.items() if name in used} - {""}
    for name, type_ in sorted(Catalog(catalog_path()).load("aws", "resource").items()):
        entry = usable(type_.block, known[name]) if name in known else {}
        if not entry:
            if name in used:
                unjudged.append(f"`{name}`")
            continue
        service = _service(entry["source"])
        key = service if service in mine else "all others" if service else "by the models of the services"
        sums[key][0] += 1
        sums[key][1] += len(entry["checks"])
        sums[key][2] += settable(type_.block)
    last = ("all others", "by the models of the services")
    keys = [*sorted(key for key in sums if key not in last), *(key for key in last if key in sums)]
    rows = [f"| {key} | {sums[key][0]} | {sums[key][1]} of {sums[key][2]} |" for key in keys]
    head = "| service | types | arguments checked |\n|---|---|---|\n"
    nothing = f"The rules check no argument of these types that the tiers use: {', '.join(unjudged)}."
    return f"{head}{chr(10).join(rows)}\n\n{nothing}\n"


def _service(source: str) -> str:
    match = re.search(r"internal/service/(\w+)/", source)
    return match[1] if match else ""


def page() -> str:
    """The page with the current table."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
