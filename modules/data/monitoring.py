"""The role for enhanced monitoring of RDS instances."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment

from tierra.patterns.iam import attach, iam_role
from tierra.terraform.policy import trust
from tierra.terraform.stack import Stack

ROLE = "database_monitoring"


def monitoring(stack: Stack) -> tuple[IamRole, IamRolePolicyAttachment]:
    """`aws_iam_role.database_monitoring`, for instances of this environment only, and its policy."""
    trusted = trust(
        "monitoring.rds.amazonaws.com",
        stack.environment.account,
        stack.arn("rds", f"db:{stack.names.stem}-*"),
    )
    role = iam_role(stack, ROLE, "RDS writes enhanced monitoring to CloudWatch", trusted)
    return role, attach(stack, ROLE, role, "service-role/AmazonRDSEnhancedMonitoringRole")
