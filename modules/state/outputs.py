"""Outputs of state for other tiers.

Every tier keeps its own state in the bucket, so none may read these as outputs of another tier: names that
follow from the spec stand in for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tierra.terraform.outputs import Outputs
from tierra.terraform.stack import Stack

Right = Literal["read", "write"]


@dataclass(frozen=True)
class StateOutputs(Outputs, tier="state"):
    """The bucket with the states, its key, policies for plans and applies, the boundary of workloads."""

    bucket_name: Annotated[str, "Bucket with the states"]
    bucket_arn: Annotated[str, "ARN of the bucket with the states"]
    key_arn: Annotated[str, "Key that encrypts the states"]
    logs_bucket_name: Annotated[str, "Bucket that tells who read or wrote a state"]
    read_policy_arn: Annotated[str, "What a role needs to plan: reads states, and locks them"]
    write_policy_arn: Annotated[str, "What a role needs to apply: reads, writes and locks states"]
    boundary_arn: Annotated[str, "The most that a role of the tiers can do: their permissions boundary"]


def policy_name(stack: Stack, right: Right) -> str:
    """The name of the policy that lets a role use the states."""
    return stack.names.of("iam_policy", f"state-{right}")


def policy_arn(stack: Stack, right: Right) -> str:
    """Its ARN, known before the policy exists; the tier `state` is applied before all others."""
    return stack.arn("iam", f"policy/{policy_name(stack, right)}", region="")
