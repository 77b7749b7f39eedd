"""CloudWatch metrics, which alarms and dashboards share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3600, 86400  # seconds


@dataclass(frozen=True)
class Metric:
    """A metric with its period in seconds, and a statistic or percentile (p99) over it."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Average"
    period: int = MINUTE
