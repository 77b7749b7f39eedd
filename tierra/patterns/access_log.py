"""The access log of a bucket, which S3 delivers to another bucket."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.s3_bucket_logging import (
    S3BucketLoggingA,
    S3BucketLoggingTargetObjectKeyFormat,
    S3BucketLoggingTargetObjectKeyFormatPartitionedPrefix,
)

from tierra.patterns.bucket import PrivateBucket, bucket_arn
from tierra.terraform.policy import Statement
from tierra.terraform.stack import Stack


def access_log(stack: Stack, role: str, bucket: PrivateBucket, logs: PrivateBucket) -> None:
    """`aws_s3_bucket_logging.<role>`: the requests to a bucket of that role, day by day, below its name."""
    by_day = S3BucketLoggingTargetObjectKeyFormatPartitionedPrefix(partition_date_source="EventTime")
    stack.add(
        S3BucketLoggingA,
        role,
        bucket=bucket.bucket.id,
        target_bucket=logs.bucket.id,
        target_prefix=f"{role}/",
        target_object_key_format=S3BucketLoggingTargetObjectKeyFormat(partitioned_prefix=by_day),
        depends_on=[logs.policy],
    )


def delivery(stack: Stack, sid: str, role: str, logs: str) -> Statement:
    """S3 may put the access log of a bucket of this account below its name in the bucket `logs`. Both are
    named by their roles."""
    return Statement(
        sid=sid,
        actions="s3:PutObject",
        resources=f"{bucket_arn(stack, logs)}/{role}/*",
        principals={"Service": "logging.s3.amazonaws.com"},
        conditions={
            "ArnLike": {"aws:SourceArn": bucket_arn(stack, role)},
            "StringEquals": {"aws:SourceAccount": stack.environment.account},
        },
    )
