"""Monitors the monitoring: an alert that always fires, and an alarm that fires when it stops arriving.

    Prometheus -> Alertmanager -> topic -> count of its messages in CloudWatch -> alarm

The alarm therefore covers the whole path of alerts, including the rights in AWS.
"""

from __future__ import annotations

from collections.abc import Iterator

from cdktf_cdktf_provider_aws.sns_topic import SnsTopic

from modules.observability.alarm import Alarm
from modules.observability.metric import Metric
from modules.observability.topics import Topics
from tierra.patterns.topic import topic
from tierra.terraform.stack import Stack

ROLE = "heartbeat"
PERIOD = 300  # seconds; the interval of SNS metrics


def heartbeat(stack: Stack, topics: Topics) -> SnsTopic:
    """`aws_sns_topic.heartbeat`. It has no subscription: its messages are only counted."""
    created, _ = topic(stack, ROLE, topics.key.arn)
    return created


def messages(stack: Stack, role: str, metric: str) -> Metric:
    """A number of messages of a topic."""
    return Metric("AWS/SNS", metric, {"TopicName": stack.names.of("topic", role)}, "Sum", PERIOD)


def heartbeat_alarms(stack: Stack) -> Iterator[Alarm]:
    """Fires when no other alert of the cluster can."""
    yield Alarm(
        "alerts_silent",
        "Prometheus or Alertmanager is down or cannot reach SNS: no alerts of the cluster are sent.",
        "alerts-are-silent",
        "page",
        messages(stack, ROLE, "NumberOfMessagesPublished"),
        below=1,
        of=(3, 3),
        missing="breaching",
    )
