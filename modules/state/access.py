"""Access to the states: a policy for roles that plan, and one for roles that apply."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_policy import IamPolicy

from modules.state.outputs import Right, policy_name
from tierra.terraform.policy import Statement, document
from tierra.terraform.stack import Stack, state_of

ACTIONS: dict[Right, list[str]] = {
    "read": ["s3:GetObject"],
    "write": ["s3:GetObject", "s3:PutObject"],
}
# Where tierra/run/rescue.py saves what an interrupted apply leaves behind. No role of a workflow reads it.
RECOVERY = "recovery"


def access(stack: Stack, right: Right) -> IamPolicy:
    """`aws_iam_policy.read` or `aws_iam_policy.write`. Neither can delete a state, and both can lock it: a
    plan without a lock would compare with a state that is being written."""
    plans = right == "read"
    return stack.add(
        IamPolicy,
        right,
        name=policy_name(stack, right),
        description=f"Terraform {'plans' if plans else 'applies'}: it {right}s the states and locks them",
        policy=document(*_statements(stack, ACTIONS[right])),
        tags=stack.tags(f"state-{right}"),
    )


def _statements(stack: Stack, actions: list[str]) -> list[Statement]:
    """The states of this environment and their locks, in the bucket and with its key."""
    states, environment = state_of(stack.environment, stack.names, "*"), stack.environment
    bucket = stack.arn("s3", states.bucket, region="", account="")
    start = states.key.partition("*")[0]
    recovery = Statement(
        sid="KeepWhatAnApplyLeft", actions="s3:PutObject", resources=f"{bucket}/{start}{RECOVERY}/*"
    )
    return [
        Statement(
            sid="FindTheBucket",
            # HeadBucket, and HeadObject of missing objects, require this permission without a prefix
            # condition.
            actions="s3:ListBucket",
            resources=bucket,
            conditions={"StringLikeIfExists": {"s3:prefix": f"{start}*"}},
        ),
        Statement(sid="UseStates", actions=actions, resources=f"{bucket}/{states.key}"),
        Statement(
            sid="LockStates",
            actions=["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            resources=f"{bucket}/{states.key}.tflock",
        ),
        *([recovery] if "s3:PutObject" in actions else []),
        Statement(
            sid="DecryptStates",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=stack.arn("kms", "key/*", region=states.region),
            conditions={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": stack.names.alias("state")},
                "StringEquals": {"kms:ViaService": f"s3.{states.region}.{environment.dns_suffix}"},
            },
        ),
    ]
