"""Notifications: one topic for pages, one for tickets, and their subscribers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription

from modules.observability.spec import address_slug
from modules.storage.outputs import StorageOutputs
from tierra.patterns.encryption import Key, encryption_key
from tierra.patterns.topic import publishes, topic
from tierra.terraform.policy import THIS_KEY, Statement
from tierra.terraform.stack import Stack

Severity = Literal["page", "ticket"]

# AWS Backup reports every job; only those that failed are mailed. Its messages carry the state as
# an attribute (AWS Backup developer guide, "Notification options with AWS Backup").
NOT_WELL = {"State": ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"]}


@dataclass(frozen=True)
class Topics:
    """`page` wakes people up; `ticket` waits for the morning."""

    page: SnsTopic
    ticket: SnsTopic
    key: Key

    def of(self, severity: Severity) -> SnsTopic:
        """The topic of a severity."""
        return self.page if severity == "page" else self.ticket


def topics(stack: Stack, storage: StorageOutputs) -> Topics:
    """`aws_sns_topic.page` and `.ticket`, encrypted with one key, and a subscription for each address."""
    key = encryption_key(stack, "alarms", "Messages of alarms", _services_encrypt(stack))
    created = Topics(_topic(stack, key, "page"), _topic(stack, key, "ticket"), key)
    for address in stack.environment.observability.alarm_emails:
        slug = address_slug(address)
        _mail(stack, f"page_{slug}", created.page.arn, address)
        _mail(stack, f"ticket_{slug}", created.ticket.arn, address)
        _mail(stack, f"backups_{slug}", storage.backup_topic_arn, address, json.dumps(NOT_WELL))
    if url := stack.environment.observability.pager_url:
        stack.add(
            SnsTopicSubscription,
            "page_pager",
            topic_arn=created.page.arn,
            protocol="https",
            endpoint=url,
            # If the pager does not confirm the subscription, the apply fails.
            endpoint_auto_confirms=True,
            confirmation_timeout_in_minutes=5,
        )
    return created


def publishers(stack: Stack) -> dict[str, str]:
    """The services that publish to the topics, each with the ARN pattern of its sources."""
    sources = {"cloudwatch.amazonaws.com": stack.arn("cloudwatch", "alarm:*")}
    if stack.environment.observability.monthly_usd is not None:
        sources["budgets.amazonaws.com"] = stack.arn("budgets", "*", region="")
    return sources


def _topic(stack: Stack, key: Key, role: Severity) -> SnsTopic:
    """Services of this account publish."""
    created, _ = topic(
        stack,
        role,
        key.arn,
        *(
            publishes(
                stack, role, f"{_word(service)}Publishes", service, {"ArnLike": {"aws:SourceArn": source}}
            )
            for service, source in publishers(stack).items()
        ),
    )
    return created


def _services_encrypt(stack: Stack) -> Statement:
    """Without this statement messages are lost without an error, because the default key of SNS does not
    admit services."""
    return Statement(
        sid="ServicesEncryptMessages",
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=THIS_KEY,
        principals={"Service": sorted(publishers(stack))},
        conditions={"StringEquals": {"aws:SourceAccount": stack.environment.account}},
    )


def _mail(stack: Stack, name: str, topic_arn: str, address: str, state: str | None = None) -> None:
    stack.add(
        SnsTopicSubscription,
        name,
        topic_arn=topic_arn,
        protocol="email",
        endpoint=address,
        filter_policy=state,
        filter_policy_scope="MessageAttributes" if state else None,
    )


def _word(service: str) -> str:
    return service.partition(".")[0].capitalize()
