"""Alarms as rows of a table: the file of each part lists its own, and one function creates the resources."""

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
    """What is wrong when a value is `above` or `below` a limit in `of[0]` of the last `of[1]` periods.

    The value is that of one metric, or of an `expression` over several. `missing` says what a period without
    a value means. `severity` is None for a part of a composite alarm, which tells people in its place.
    """

    name: str
    says: str
    runbook: str
    severity: Severity | None
    metrics: Metric | Mapping[str, Metric]
    expression: str = ""
    above: float | None = None
    below: float | None = None
    of: tuple[int, int] = (5, 5)
    missing: Literal["notBreaching", "breaching", "ignore", "missing"] = "missing"


def alarms(stack: Stack, topics: Topics, table: Iterable[Alarm]) -> dict[str, CloudwatchMetricAlarm]:
    """`aws_cloudwatch_metric_alarm.<name>` of every line, by name."""
    return {alarm.name: _alarm(stack, topics, alarm) for alarm in table}


def alarm_name(stack: Stack, name: str) -> str:
    """How AWS names an alarm."""
    return stack.names.of("alarm", name.replace("_", "-"))


def described(stack: Stack, says: str, runbook: str) -> str:
    """What is wrong, then where to read what to do: the section of the runbook."""
    return f"{says} {runbook_page(stack)}#{runbook}"


def runbook_page(stack: Stack) -> str:
    """The page of the spec, or the one in this project's own repository."""
    environment = stack.environment
    # Tokens may carry numbers (owner@1/name@2); addresses never do.
    owner, _, name = environment.delivery.repository.partition("/")
    repository = f"{owner.partition('@')[0]}/{name.partition('@')[0]}"
    usual = f"https://github.com/{repository}/blob/main/docs/runbooks.md"
    return environment.observability.runbooks or usual


def _alarm(stack: Stack, topics: Topics, alarm: Alarm) -> CloudwatchMetricAlarm:
    actions = [topics.of(alarm.severity).arn] if alarm.severity else None
    enough, periods = alarm.of
    return stack.add(
        CloudwatchMetricAlarm,
        alarm.name,
        alarm_name=alarm_name(stack, alarm.name),
        alarm_description=described(stack, alarm.says, alarm.runbook),
        comparison_operator="LessThanThreshold" if alarm.above is None else "GreaterThanThreshold",
        threshold=alarm.below if alarm.above is None else alarm.above,
        evaluation_periods=periods,
        datapoints_to_alarm=enough,
        treat_missing_data=alarm.missing,
        alarm_actions=actions,
        ok_actions=actions,
        **_measured(alarm),
        tags=stack.tags(alarm.name.replace("_", "-")),
    )


def _measured(alarm: Alarm) -> dict[str, Any]:
    """The metric itself, or the expression and what it reckons with."""
    if isinstance(alarm.metrics, Metric):
        metric = alarm.metrics
        percentile = metric.statistic.startswith("p")
        return {
            "namespace": metric.namespace,
            "metric_name": metric.name,
            "dimensions": dict(metric.dimensions),
            "period": metric.period,
            "extended_statistic" if percentile else "statistic": metric.statistic,
            # The slowest hundredth of ten requests is the slowest request: no reason to call a person.
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
