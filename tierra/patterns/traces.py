"""The settings of the project's own charts in environments without traces (trace_percent: 0)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tierra.terraform.stack import Stack

DATASOURCE = "xray"
# Of Kong and of the pods of systems: the network policies to the collector.
_WAY_OUT = re.compile(r"^    # Traces\.\n    - to:\n(?:      .*\n)+", re.MULTILINE)
# Of the collector: the document of its network policy.
_WAY_IN = re.compile(r"^---\n(?:(?!---).*\n)*?  name: traces\n(?:(?!---).*\n)*", re.MULTILINE)
_ALERT = re.compile(r"^      - alert: TracesLost\n(?:        .*\n)+", re.MULTILINE)
_SPANS = re.compile(r"otelcol_exporter_\w+_spans")


def charts(stack: Stack) -> Callable[[Mapping[str, str]], Mapping[str, str]]:
    """The function that changes the files of a chart for this environment."""
    return dict if stack.environment.observability.traces else without


def without(files: Mapping[str, str]) -> dict[str, str]:
    """The files of a chart without traces; files that do not mention traces are unchanged."""
    return {name: _without(name, text) for name, text in files.items()}


def _without(name: str, text: str) -> str:
    if name == "dashboard.json":
        return _dashboard(text)
    for part in (_WAY_OUT, _WAY_IN, _ALERT):
        text = part.sub("", text)
    return text


def _dashboard(text: str) -> str:
    board: dict[str, Any] = json.loads(text)
    panels = [
        _panel(panel) for panel in board["panels"] if panel.get("datasource", {}).get("uid") != DATASOURCE
    ]
    return json.dumps({**board, "panels": panels}, indent=2) + "\n"


def _panel(panel: dict[str, Any]) -> dict[str, Any]:
    if "targets" not in panel:
        return panel
    targets = [target for target in panel["targets"] if not _SPANS.search(target.get("expr", ""))]
    return {**panel, "targets": targets}
