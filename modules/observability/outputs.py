"""Outputs of the observability tier, also for operators who connect a pager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tierra.terraform.outputs import Outputs


@dataclass(frozen=True)
class ObservabilityOutputs(Outputs, tier="observability"):
    """The topics of alarms, and their key."""

    page_topic_arn: Annotated[str, "ARN of the SNS topic of urgent alarms"]
    ticket_topic_arn: Annotated[str, "ARN of the SNS topic of alarms that can wait for working hours"]
    alarms_key_arn: Annotated[str, "ARN of the KMS key that encrypts both topics"]
