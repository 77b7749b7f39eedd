"""Logs, alarms, notifications, traces and budgets."""

from __future__ import annotations

from collections.abc import Mapping

from tierra.aws.types.entry import Type

TYPES: Mapping[str, Type] = {
    "aws_cloudwatch_event_target": Type(
        import_ids=("{event_bus_name}/{rule}/{target_id}", "{rule}/{target_id}"),
    ),
    "aws_cloudwatch_log_group": Type(minor_data=True, usage="logs, by the bytes written and kept"),
    "aws_cloudwatch_log_resource_policy": Type(free=True),
    "aws_sns_topic": Type(shows={"policy": "aws_sns_topic_policy"}, usage="notifications"),
    "aws_sns_topic_policy": Type(free=True),
    "aws_sns_topic_subscription": Type(
        volatile=("confirmation_was_authenticated", "pending_confirmation"),
        free=True,
    ),
    "aws_xray_group": Type(free=True),
    "aws_xray_sampling_rule": Type(usage="traces, by the number recorded"),
    "aws_budgets_budget": Type(free=True),
}
