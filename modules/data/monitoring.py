"""The role by which RDS reports what the operating system of an instance does."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment

from modules.policy import trust
from modules.stack import Stack

ROLE = "database_monitoring"


def monitoring(stack: Stack) -> tuple[IamRole, IamRolePolicyAttachment]:
    """`aws_iam_role.database_monitoring`, for the instances of this environment alone, and what lets it
    write."""
    role = stack.add(
        IamRole,
        ROLE,
        name=stack.names.of("iam_role", "database-monitoring"),
        description="RDS writes enhanced monitoring to CloudWatch",
        assume_role_policy=trust(
            "monitoring.rds.amazonaws.com",
            stack.environment.account,
            stack.arn("rds", f"db:{stack.names.stem}-*"),
        ),
        force_detach_policies=True,
        tags=stack.tags("database-monitoring"),
    )
    policy = "policy/service-role/AmazonRDSEnhancedMonitoringRole"
    attachment = stack.add(
        IamRolePolicyAttachment,
        ROLE,
        role=role.name,
        policy_arn=stack.arn("iam", policy, region="", account="aws"),
    )
    return role, attachment
