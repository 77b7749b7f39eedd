"""Customer-managed encryption keys, one for each kind of data: created here, or existing ones of the
company."""

from __future__ import annotations

from typing import TypeAlias

from cdktf_cdktf_provider_aws.data_aws_kms_key import DataAwsKmsKey
from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey

from tierra.terraform.policy import THIS_KEY, Statement, document
from tierra.terraform.stack import Stack

ROTATION_DAYS = 365
Key: TypeAlias = KmsKey | DataAwsKmsKey
# The longest that AWS offers: data that a deleted key encrypted is lost permanently.
DELETION_DAYS = 30


def encryption_key(
    stack: Stack, role: str, description: str, *grants: Statement, region: str | None = None
) -> Key:
    """`aws_kms_key.<role>` and its alias: rotated every year, administered through IAM of the account, used
    by `grants`. If the spec names an existing key for this role, `data.aws_kms_key.<role>`: a plan reads it,
    and fails if it is missing; its owner controls who may use it. A key that Tierra created before stays in
    AWS for the data that it has encrypted.

    Use by principals of this account is granted in IAM; `grants` are for AWS services, each with its
    condition. `region` is for a key outside the region of the environment.
    """
    if given := stack.environment.kms_keys.given.get(role):
        stack.left.append(f"aws_kms_key.{role}")
        return stack.add(DataAwsKmsKey, role, key_id=given, region=region)
    key = stack.add(
        KmsKey,
        role,
        region=region,
        description=description,
        deletion_window_in_days=DELETION_DAYS,
        enable_key_rotation=True,
        rotation_period_in_days=ROTATION_DAYS,
        policy=document(_administration(stack), *grants),
        lifecycle=stack.prevent_destroy,
        tags=stack.tags(role.replace("_", "-")),
    )
    stack.add(
        KmsAlias,
        role,
        region=region,
        name=stack.names.alias(role.replace("_", "-")),
        target_key_id=key.key_id,
    )
    return key


def _administration(stack: Stack) -> Statement:
    """Without it no role, not even an IAM administrator, could use or change the key any more."""
    return Statement(
        sid="AccountAdministersThroughIam",
        actions="kms:*",
        resources=THIS_KEY,
        principals={"AWS": stack.arn("iam", "root", region="")},
    )
