"""The files of the platform chart, without rules and panels of databases that are off."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

RULES, DASHBOARD = "rules.yaml", "dashboard.json"
# The dashboard row of each database. Their rule groups have the names of the spec.
ROWS = {"postgres": "PostgreSQL", "redis": "Redis", "documentdb": "DocumentDB"}
# A metric that each database always has, which shows that the exporter works.
ALWAYS = {
    "postgres": "aws_rds_cpuutilization_average",
    "redis": "aws_elasticache_engine_cpuutilization_average",
    "documentdb": "aws_docdb_cpuutilization_average",
}
# The alert about the exporter, which is not installed without databases.
EXPORTER_PANEL = "Questions to CloudWatch"
EXPORTER_ALERT = re.compile(
    r"^      - alert: CloudWatchMetricsMissing\n.*?(?=^      - |^  - name: |\Z)", re.MULTILINE | re.DOTALL
)


def only(files: Mapping[str, str], databases: Sequence[str]) -> dict[str, str]:
    """The files of the chart for these databases; unchanged if all are on."""
    if len(databases) == len(ROWS):
        return dict(files)
    return {
        **files,
        RULES: _rules(files[RULES], databases),
        DASHBOARD: _dashboard(files[DASHBOARD], databases),
    }


def _rules(text: str, databases: Sequence[str]) -> str:
    head, *groups = re.split(r"(?m)^(?=  - name: )", text)
    remaining = [group for group in groups if _name(group) not in ROWS or _name(group) in databases]
    result = "".join([head, *remaining])
    if not databases:
        return EXPORTER_ALERT.sub("", result)
    return result.replace(f"absent({ALWAYS['postgres']})", f"absent({ALWAYS[databases[0]]})")


def _name(group: str) -> str:
    return group.partition("\n")[0].removeprefix("  - name: ")


def _dashboard(text: str, databases: Sequence[str]) -> str:
    """Removes rows with their panels, and moves the panels below up."""
    board: dict[str, Any] = json.loads(text)
    removed = {title for name, title in ROWS.items() if name not in databases}
    rows = [panel for panel in board["panels"] if panel["type"] == "row"]
    ends = [row["gridPos"]["y"] for row in rows[1:]]
    heights = {row["title"]: end - row["gridPos"]["y"] for row, end in zip(rows, ends, strict=False)}
    row, up, panels = "", 0, []
    for panel in board["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
            up += heights[row] if row in removed else 0
        if row in removed or (panel["title"] == EXPORTER_PANEL and not databases):
            continue
        position = panel["gridPos"]
        panels.append({**panel, "gridPos": {**position, "y": position["y"] - up}})
    return json.dumps({**board, "panels": panels}, indent=2) + "\n"
