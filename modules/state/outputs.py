"""Outputs of the state tier, for operators.

Every tier keeps its own state in the bucket, so no tier may read these from a state: tiers derive the names
from the spec instead, with `policy_name` and `policy_arn`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tierra.terraform.outputs import Outputs
from tierra.terraform.stack import Stack

Right = Literal["read", "write"]


@dataclass(frozen=True)
class StateOutputs(Outputs, tier="state"):
    """The bucket of the states, its key, the policies for plans and applies, and the permissions boundary of
    workloads."""

    bucket_name: Annotated[str, "Name of the bucket of the states"]
    bucket_arn: Annotated[str, "ARN of the bucket of the states"]
    key_arn: Annotated[str, "ARN of the KMS key that encrypts the states"]
    logs_bucket_name: Annotated[str, "Name of the bucket of the states' access logs"]
    read_policy_arn: Annotated[str, "ARN of the IAM policy for plans: read and lock states"]
    write_policy_arn: Annotated[str, "ARN of the IAM policy for applies: read, write and lock states"]
    boundary_arn: Annotated[str, "ARN of the permissions boundary of the roles that the tiers create"]


def policy_name(stack: Stack, right: Right) -> str:
    """Name of the policy that lets a role use the states."""
    return stack.names.of("iam_policy", f"state-{right}")


def policy_arn(stack: Stack, right: Right) -> str:
    """ARN of the policy, known before it exists; the state tier is applied before all others."""
    return stack.arn("iam", f"policy/{policy_name(stack, right)}", region="")
