"""CloudWatch dashboards: the alarms of a tier above, charts in rows of three below."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdktf_cdktf_provider_aws.cloudwatch_dashboard import CloudwatchDashboard
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from modules.observability.metric import Metric
from tierra.terraform.policy import for_terraform
from tierra.terraform.stack import Stack

# The grid of CloudWatch is 24 wide (CloudWatch API reference, "Dashboard body structure and syntax").
WIDTH, IN_A_ROW, HEIGHT = 24, 3, 6
ALARMS_IN_A_LINE = 8


@dataclass(frozen=True)
class Chart:
    """Metrics by their label, and a limit to compare them with."""

    title: str
    lines: Mapping[str, Metric]
    limit: float | None = None


def dashboard(
    stack: Stack, role: str, watched: Mapping[str, Sequence[CloudwatchMetricAlarm]], charts: Sequence[Chart]
) -> CloudwatchDashboard:
    """`aws_cloudwatch_dashboard.<role>`; `watched` are alarms by the title of their widget."""
    widgets: list[dict[str, Any]] = []
    row = 0
    for title, members in watched.items():
        height = 2 + (len(members) + ALARMS_IN_A_LINE - 1) // ALARMS_IN_A_LINE
        arns = [member.arn for member in members]
        area = {"x": 0, "y": row, "width": WIDTH, "height": height}
        widgets.append({"type": "alarm", **area, "properties": {"title": title, "alarms": arns}})
        row += height
    for position, chart in enumerate(charts):
        line, column = divmod(position, IN_A_ROW)
        width = WIDTH // IN_A_ROW
        area = {"x": column * width, "y": row + line * HEIGHT, "width": width, "height": HEIGHT}
        widgets.append({"type": "metric", **area, "properties": _drawn(stack, chart)})
    return stack.add(
        CloudwatchDashboard,
        role,
        dashboard_name=stack.names.of("dashboard", role),
        dashboard_body=for_terraform(json.dumps({"widgets": widgets}, separators=(",", ":"))),
    )


def _drawn(stack: Stack, chart: Chart) -> dict[str, Any]:
    return {
        "title": chart.title,
        "view": "timeSeries",
        "stacked": False,
        "region": stack.environment.region,
        "metrics": [_line(label, metric) for label, metric in chart.lines.items()],
        **({} if chart.limit is None else {"annotations": {"horizontal": [{"value": chart.limit}]}}),
    }


def _line(label: str, metric: Metric) -> list[Any]:
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    shown = {"label": label, "stat": metric.statistic, "period": metric.period}
    return [metric.namespace, metric.name, *dimensions, shown]
