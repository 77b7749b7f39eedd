"""Outputs of observability, for other tiers and for operators who connect a pager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tierra.terraform.outputs import Outputs


@dataclass(frozen=True)
class ObservabilityOutputs(Outputs, tier="observability"):
    """Where alarms go."""

    page_topic_arn: Annotated[str, "Topic of alarms that must be looked at now"]
    ticket_topic_arn: Annotated[str, "Topic of alarms that can wait for the morning"]
    alarms_key_arn: Annotated[str, "Key that encrypts both topics"]
