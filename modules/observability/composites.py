"""Composite alarms: one notification for several alarms with one cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cdktf_cdktf_provider_aws.cloudwatch_composite_alarm import (
    CloudwatchCompositeAlarm,
    CloudwatchCompositeAlarmActionsSuppressor,
)
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from modules.observability.alarm import alarm_description, alarm_name
from modules.observability.topics import Topics
from tierra.terraform.stack import Stack

Parts = Mapping[str, CloudwatchMetricAlarm]


def composites(stack: Stack, topics: Topics, parts: Parts) -> None:
    """`aws_cloudwatch_composite_alarm.edge_users`, and `.replicas_lag` if there are at least two replicas."""
    users = _firing(parts, ["edge_errors_balancer", "edge_errors_target", "edge_slow"])
    _composite(
        stack,
        topics,
        "edge_users",
        "Users see errors or wait too long.",
        "users-see-errors",
        " OR ".join(users),
        # When the gateway is down, its own alarm has already notified.
        suppressor=parts["gateway_down"],
    )
    postgres = stack.environment.data.postgres
    lags = [f"{name}_lag" for name in postgres.replica_names] if postgres else []
    if len(lags) > 1:
        _composite(
            stack,
            topics,
            "replicas_lag",
            "All read replicas of PostgreSQL lag behind the primary: reads return old data.",
            "a-replica-lags",
            " AND ".join(_firing(parts, lags)),
        )


def _firing(parts: Parts, names: Iterable[str]) -> list[str]:
    return [f'ALARM("{parts[name].alarm_name}")' for name in names]


def _composite(
    stack: Stack,
    topics: Topics,
    name: str,
    description: str,
    runbook: str,
    rule: str,
    suppressor: CloudwatchMetricAlarm | None = None,
) -> CloudwatchCompositeAlarm:
    return stack.add(
        CloudwatchCompositeAlarm,
        name,
        alarm_name=alarm_name(stack, name),
        alarm_description=alarm_description(stack, description, runbook),
        alarm_rule=rule,
        actions_suppressor=_silenced_by(suppressor) if suppressor else None,
        alarm_actions=[topics.page.arn],
        ok_actions=[topics.page.arn],
        tags=stack.tags(name.replace("_", "-")),
    )


def _silenced_by(alarm: CloudwatchMetricAlarm) -> CloudwatchCompositeAlarmActionsSuppressor:
    """Actions wait two minutes for the suppressor to fire, and stay suppressed for a minute after it
    clears."""
    return CloudwatchCompositeAlarmActionsSuppressor(
        alarm=alarm.alarm_name, wait_period=120, extension_period=60
    )
