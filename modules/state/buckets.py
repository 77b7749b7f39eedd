"""The bucket of the states, its key, and the bucket with its access log."""

from __future__ import annotations

from tierra.patterns.access_log import access_log, delivery
from tierra.patterns.bucket import PrivateBucket, bucket_arn
from tierra.patterns.encryption import Key, encryption_key
from tierra.terraform.policy import Everyone, Statement
from tierra.terraform.stack import Stack

ROLE = "state"
LOGS = "state_logs"
NONCURRENT_LOG_DAYS = 30
# The maximum number of versions that S3 keeps beyond their days.
KEPT_VERSIONS = 100


def state_bucket(stack: Stack, logs: PrivateBucket) -> tuple[PrivateBucket, Key]:
    """`aws_s3_bucket.state`: every version of every state, encrypted with one key; access is logged."""
    key = encryption_key(stack, ROLE, "States of Terraform")
    bucket = PrivateBucket(
        stack,
        ROLE,
        key=key,
        # Backends use the alias of the key, which is known before the key exists, and S3 compares the text.
        aliases=[stack.arn("kms", stack.names.alias(ROLE))],
        grants=_guards(stack),
    )
    bucket.sweep(noncurrent_days=stack.environment.state.version_days, noncurrent_versions=KEPT_VERSIONS)
    access_log(stack, ROLE, bucket, logs)
    return bucket, key


def logs_bucket(stack: Stack) -> PrivateBucket:
    """`aws_s3_bucket.state_logs`. It does not log its own access, and is encrypted with the key of S3,
    because log delivery does not support customer managed keys."""
    bucket = PrivateBucket(stack, LOGS, grants=[delivery(stack, "DeliverAccessLogs", ROLE, LOGS)])
    bucket.sweep(noncurrent_days=NONCURRENT_LOG_DAYS, expire_days=stack.environment.state.log_days)
    return bucket


def _guards(stack: Stack) -> list[Statement]:
    """While protection is on, no role can delete the bucket, a state or its versions, not even an
    administrator without changing this policy first. Locks can always be deleted."""
    if not stack.environment.protection:
        return []
    arn, everyone = bucket_arn(stack, ROLE), Everyone("no role is exempt from a refusal")
    return [
        Statement(
            sid="KeepTheBucket",
            effect="Deny",
            principals=everyone,
            actions="s3:DeleteBucket",
            resources=arn,
        ),
        Statement(
            sid="KeepTheStates",
            effect="Deny",
            principals=everyone,
            actions=["s3:DeleteObject", "s3:DeleteObjectVersion"],
            resources=f"{arn}/*.tfstate",
        ),
    ]
