"""Monitors the monitoring: an alert that always fires, and an alarm that fires when it stops arriving.

    Prometheus -> Alertmanager -> topic -> count of its messages in CloudWatch -> alarm

The alarm therefore covers the whole path of alerts, including the rights in AWS.
"""

from __future__ import annotations

from collections.abc import Iterator

from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy

from modules.observability.alarm import Alarm
from modules.observability.metric import Metric
from modules.observability.topics import Topics
from tierra.terraform.policy import Everyone, Statement, document
from tierra.terraform.stack import Stack

ROLE = "heartbeat"
PERIOD = 300  # seconds; the interval of SNS metrics


def heartbeat(stack: Stack, topics: Topics) -> SnsTopic:
    """`aws_sns_topic.heartbeat`. It has no subscription: its messages are only counted."""
    topic = stack.add(
        SnsTopic,
        ROLE,
        name=stack.names.of("topic", ROLE),
        kms_master_key_id=topics.key.arn,
        tags=stack.tags(ROLE),
    )
    refusal = Statement(
        sid="RefusePlainHttp",
        effect="Deny",
        actions="sns:Publish",
        resources=stack.arn("sns", stack.names.of("topic", ROLE)),
        principals=Everyone("no role is exempt from a refusal"),
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )
    stack.add(SnsTopicPolicy, ROLE, arn=topic.arn, policy=document(refusal))
    return topic


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
