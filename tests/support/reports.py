"""Plans for tests of the report, and its findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tierra.report.report import report


def put(folder: Path, tier: str, plan: dict[str, Any], generated: dict[str, Any] | None = None) -> Path:
    """Writes a saved plan, as make does."""
    stack = folder / "stacks" / tier
    stack.mkdir(parents=True, exist_ok=True)
    (stack / "plan.json").write_text(json.dumps(plan))
    (stack / "plan.config").write_text(json.dumps(generated or {}))
    return folder


def findings_of(result: dict[str, Any], subject: str) -> dict[str, dict[str, Any]]:
    return {each["address"]: each for each in result["findings"] if each["subject"] == subject}


def plan_of(kind: str, actions: list[str], before: Any, after: Any, **more: Any) -> dict[str, Any]:
    """A plan with a change of one resource."""
    change = {"actions": actions, "before": before, "after": after, **more}
    return {"resource_changes": [{"address": f"{kind}.x", "type": kind, "name": "x", "change": change}]}


def says(
    folder: Path, plan: dict[str, Any], generated: dict[str, Any] | None = None
) -> list[tuple[str, ...]]:
    """Subject, text and lines of each finding."""
    result = report(put(folder / "dev", "data", plan, generated), ["data"])
    return [(each["subject"], each["message"], *each["lines"]) for each in result["findings"]]
