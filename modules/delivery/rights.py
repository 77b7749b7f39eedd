"""What the roles of plans and applies have in common: they compare the world, and use the states."""

from __future__ import annotations

from modules.delivery.services import READS
from modules.policy import Everything, Statement
from modules.stack import Stack, state_of

PLAN = "plan"
APPLY = "apply"


def reads() -> Statement:
    return Statement(
        sid="CompareWithThePlan",
        actions=READS,
        resources=Everything("most descriptions are lists of the account; none of them holds a secret"),
    )


def service(stack: Stack, service: str) -> str:
    """The endpoint of a service here, as keys see who asks."""
    return f"{service}.{stack.environment.region}.{stack.environment.dns_suffix}"


def image_parameters(stack: Stack) -> str:
    """The ARNs of the parameters with the images that run, of every system."""
    return stack.arn("ssm", f"parameter{stack.names.image_parameter('*')}")


def read_images(stack: Stack) -> Statement:
    """Which image runs is no secret: a plan compares it, and the tier systems starts pods from it."""
    return Statement(
        sid="ReadImages",
        actions="ssm:GetParameter",
        resources=image_parameters(stack),
    )


def states(stack: Stack, *actions: str) -> list[Statement]:
    """The states of this environment and their locks, in the bucket and with the key that have them."""
    place = state_of(stack.environment, stack.names, "*")
    bucket = stack.arn("s3", place.bucket, region="", account="")
    of_environment = place.key.partition("*")[0] + "*"
    return [
        Statement(
            sid="FindStates",
            actions="s3:ListBucket",
            resources=bucket,
            conditions={"StringLike": {"s3:prefix": of_environment}},
        ),
        Statement(
            sid="UseStates",
            actions=[f"s3:{action}" for action in actions],
            resources=f"{bucket}/{place.key}",
        ),
        Statement(
            sid="LockStates",
            actions=["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            resources=f"{bucket}/{place.key}.tflock",
        ),
        Statement(
            sid="DecryptStates",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=stack.arn("kms", "key/*", region=place.region),
            conditions={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": stack.names.alias("state")},
                "StringEquals": {"kms:ViaService": service(stack, "s3")},
            },
        ),
    ]
