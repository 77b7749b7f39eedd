"""Alarms as rows of tables: each `*_alarms` module lists its own, and `alarms` creates the resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import (
    CloudwatchMetricAlarm,
    CloudwatchMetricAlarmMetricQuery,
    CloudwatchMetricAlarmMetricQueryMetric,
)

from modules.observability.metric import Metric
from modules.observability.topics import Severity, Topics
from tierra.terraform.stack import Stack


@dataclass(frozen=True)
class Alarm:
    """Fires when a value is `above` or `below` a limit in `of[0]` of the last `of[1]` periods.

    The value is that of one metric, or of an `expression` over several. `missing` says how a period without a
    value is treated. `severity` is None for a part of a composite alarm, which notifies in its place.
    """

    name: str
    description: str
    runbook: str
    severity: Severity | None
    metrics: Metric | Mapping[str, Metric]
    expression: str = ""
    above: float | None = None
    below: float | None = None
    of: tuple[int, int] = (5, 5)
    missing: Literal["notBreaching", "breaching", "ignore", "missing"] = "missing"


def alarms(stack: Stack, topics: Topics, table: Iterable[Alarm]) -> dict[str, CloudwatchMetricAlarm]:
    """`aws_cloudwatch_metric_alarm.<name>` of every row, by name."""
    return {alarm.name: _alarm(stack, topics, alarm) for alarm in table}


def alarm_name(stack: Stack, name: str) -> str:
    """The name of an alarm in AWS."""
    return stack.names.of("alarm", name.replace("_", "-"))


def alarm_description(stack: Stack, description: str, runbook: str) -> str:
    """The description of an alarm: what is wrong, then the address of the section of the runbook."""
    return f"{description} {runbook_page(stack)}#{runbook}"


def runbook_page(stack: Stack) -> str:
    """The page that the spec names, or docs/runbooks.md of the repository that it names."""
    environment = stack.environment
    # Token subjects may contain IDs (owner@1/name@2); URLs never do.
    owner, _, name = environment.delivery.repository.partition("/")
    repository = f"{owner.partition('@')[0]}/{name.partition('@')[0]}"
    default = f"https://github.com/{repository}/blob/main/docs/runbooks.md"
    return environment.observability.runbooks or default


def _alarm(stack: Stack, topics: Topics, alarm: Alarm) -> CloudwatchMetricAlarm:
    actions = [topics.of(alarm.severity).arn] if alarm.severity else None
    breaching, periods = alarm.of
    return stack.add(
        CloudwatchMetricAlarm,
        alarm.name,
        alarm_name=alarm_name(stack, alarm.name),
        alarm_description=alarm_description(stack, alarm.description, alarm.runbook),
        comparison_operator="LessThanThreshold" if alarm.above is None else "GreaterThanThreshold",
        threshold=alarm.below if alarm.above is None else alarm.above,
        evaluation_periods=periods,
        datapoints_to_alarm=breaching,
        treat_missing_data=alarm.missing,
        alarm_actions=actions,
        ok_actions=actions,
        **_measured(alarm),
        tags=stack.tags(alarm.name.replace("_", "-")),
    )


def _measured(alarm: Alarm) -> dict[str, Any]:
    """The metric itself, or the expression and the metrics in it."""
    if isinstance(alarm.metrics, Metric):
        metric = alarm.metrics
        percentile = metric.statistic.startswith("p")
        return {
            "namespace": metric.namespace,
            "metric_name": metric.name,
            "dimensions": dict(metric.dimensions),
            "period": metric.period,
            "extended_statistic" if percentile else "statistic": metric.statistic,
            # The p99 of ten requests is the slowest one: no reason to page.
            "evaluate_low_sample_count_percentiles": "ignore" if percentile else None,
        }
    result = CloudwatchMetricAlarmMetricQuery(
        id="result", label=alarm.name, expression=alarm.expression, return_data=True
    )
    return {"metric_query": [result, *(_query(id_, metric) for id_, metric in alarm.metrics.items())]}


def _query(id_: str, metric: Metric) -> CloudwatchMetricAlarmMetricQuery:
    return CloudwatchMetricAlarmMetricQuery(
        id=id_,
        metric=CloudwatchMetricAlarmMetricQueryMetric(
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=dict(metric.dimensions),
            period=metric.period,
            stat=metric.statistic,
        ),
    )
