"""CloudWatch log groups. A group that AWS creates itself is unencrypted and never expires."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup

from tierra.terraform.stack import Stack


def log_group(
    stack: Stack, address: str, name: str, days: int, key_arn: str, *, protected: bool = True
) -> CloudwatchLogGroup:
    """`aws_cloudwatch_log_group.<address>`, encrypted, kept for so many days; with `protected` it has
    deletion protection if the environment has protection."""
    return stack.add(
        CloudwatchLogGroup,
        address,
        name=name,
        retention_in_days=days,
        kms_key_id=key_arn,
        deletion_protection_enabled=protected and stack.environment.protection,
        tags=stack.tags(address.replace("_", "-")),
    )
