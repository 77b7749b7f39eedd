"""Monitors the monitoring: an alert that always fires, and an alarm that fires when it stops arriving.

    Prometheus -> Alertmanager -> topic -> count of its messages in CloudWatch -> alarm

So the alarm stands for the whole way that alerts take, the rights in AWS included.
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
PERIOD = 300  # seconds; how often SNS counts


def heartbeat(stack: Stack, topics: Topics) -> SnsTopic:
    """`aws_sns_topic.heartbeat`. It has no subscription: its messages are only counted."""
    made, _ = topic(stack, ROLE, topics.key.arn)
    return made


def messages(stack: Stack, role: str, metric: str) -> Metric:
    """How many messages of a topic went a way."""
    return Metric("AWS/SNS", metric, {"TopicName": stack.names.of("topic", role)}, "Sum", PERIOD)


def heartbeat_alarms(stack: Stack) -> Iterator[Alarm]:
    """The one alarm that must ring when nothing else can."""
    yield Alarm(
        "alerts_silent",
        "Prometheus or Alertmanager is down, or its alerts do not arrive: no alert of the cluster is sent.",
        "alerts-are-silent",
        "page",
        messages(stack, ROLE, "NumberOfMessagesPublished"),
        below=1,
        of=(3, 3),
        missing="breaching",
    )
