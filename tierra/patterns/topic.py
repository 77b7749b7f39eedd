"""SNS topics, encrypted, with a policy that refuses messages without TLS."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy

from tierra.terraform.policy import Conditions, Everyone, Statement, document
from tierra.terraform.stack import Stack


def topic(stack: Stack, role: str, key_arn: str, *publishers: Statement) -> tuple[SnsTopic, SnsTopicPolicy]:
    """`aws_sns_topic.<role>` and its policy: `publishers` are services of AWS (`publishes`); principals of
    this account are granted in IAM."""
    created = stack.add(
        SnsTopic,
        role,
        name=stack.names.of("topic", role),
        kms_master_key_id=key_arn,
        tags=stack.tags(role),
    )
    refusal = Statement(
        sid="RefusePlainHttp",
        effect="Deny",
        actions="sns:Publish",
        resources=_arn(stack, role),
        principals=Everyone("no role is exempt from a refusal"),
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )
    return created, stack.add(SnsTopicPolicy, role, arn=created.arn, policy=document(*publishers, refusal))


def publishes(stack: Stack, role: str, sid: str, service: str, source: Conditions) -> Statement:
    """A service of AWS sends messages to the topic, for a resource of this account: `source` says which."""
    return Statement(
        sid=sid,
        actions="sns:Publish",
        resources=_arn(stack, role),
        principals={"Service": service},
        conditions={**source, "StringEquals": {"aws:SourceAccount": stack.environment.account}},
    )


def _arn(stack: Stack, role: str) -> str:
    return stack.arn("sns", stack.names.of("topic", role))
