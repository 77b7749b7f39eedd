"""IAM roles and their rights, built in the same way in every tier."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.data_aws_iam_policy import DataAwsIamPolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment

from tierra.terraform.policy import Statement, document
from tierra.terraform.roles import prescribed_boundary
from tierra.terraform.stack import Stack


def iam_role(
    stack: Stack,
    name: str,
    description: str,
    trust: str,
    *,
    max_session_duration: int | None = None,
    permissions_boundary: str | None = None,
) -> IamRole:
    """`aws_iam_role.<name>`, without rights; `trust` is the policy of who may assume it, and a session lasts
    at most that many seconds. Its boundary is the one that the spec prescribes; else that of workloads,
    unless another is given."""
    plain = name.replace("_", "-")
    return stack.add(
        IamRole,
        name,
        name=stack.names.of("iam_role", plain),
        path=_path(stack),
        description=description,
        assume_role_policy=trust,
        max_session_duration=max_session_duration,
        permissions_boundary=_prescribed(stack) or permissions_boundary or boundary_arn(stack),
        force_detach_policies=True,
        tags=stack.tags(plain),
    )


def boundary_name(stack: Stack) -> str:
    """The name of the permissions boundary that the roles of the tiers have."""
    return stack.names.of("iam_policy", "workload-boundary")


def boundary_arn(stack: Stack) -> str:
    """ARN of the boundary that the roles of the tiers have: that of the spec or, known before the policy
    exists, that of the tier `state`, which is applied before all others."""
    prescribed = prescribed_boundary(stack.environment)
    return prescribed or stack.arn("iam", f"policy/{boundary_name(stack)}", region="")


def _path(stack: Stack) -> str | None:
    path = stack.environment.role_path
    return None if path == "/" else path


def _prescribed(stack: Stack) -> str | None:
    """ARN of the boundary that the spec prescribes. A plan reads the policy, and fails if it does not
    exist."""
    arn = prescribed_boundary(stack.environment)
    if arn is None:
        return None
    return str(stack.once(DataAwsIamPolicy, "boundary", arn=arn).arn)


def attach(stack: Stack, name: str, role: IamRole, policy: str) -> IamRolePolicyAttachment:
    """`aws_iam_role_policy_attachment.<name>`: a policy of AWS by its path, `AmazonEKS_CNI_Policy`."""
    return stack.add(
        IamRolePolicyAttachment,
        name,
        role=role.name,
        policy_arn=stack.arn("iam", f"policy/{policy}", region="", account="aws"),
    )


def attach_own(stack: Stack, name: str, role: IamRole, policy_arn: str) -> IamRolePolicyAttachment:
    """`aws_iam_role_policy_attachment.<name>`: a policy of this environment by its ARN."""
    return stack.add(IamRolePolicyAttachment, name, role=role.name, policy_arn=policy_arn)


def grant(stack: Stack, name: str, role: IamRole, *statements: Statement) -> IamRolePolicy:
    """`aws_iam_role_policy.<name>`: the rights of a role, as an inline policy."""
    return stack.add(
        IamRolePolicy,
        name,
        name=stack.names.of("iam_role_policy", name.replace("_", "-")),
        role=role.id,
        policy=document(*statements),
    )
