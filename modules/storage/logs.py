"""The bucket of access logs: who asked what of the other buckets."""

from __future__ import annotations

from modules.bucket import PrivateBucket, bucket_arn
from modules.policy import Statement
from modules.stack import Stack

ROLE = "logs"
NONCURRENT_DAYS = 30


def logs(stack: Stack) -> PrivateBucket:
    """`aws_s3_bucket.logs`. It keeps no log of itself, which would never end, and S3's own key encrypts it:
    deliveries of logs cannot use one of ours."""
    bucket = PrivateBucket(stack, ROLE, grants=[_delivery(stack, "files")])
    bucket.sweep(noncurrent_days=NONCURRENT_DAYS, expire_days=stack.environment.storage.log_days)
    return bucket


def _delivery(stack: Stack, source: str) -> Statement:
    """S3 may put the access logs of one bucket of this account below the name of that bucket."""
    return Statement(
        sid=f"DeliverAccessLogsOf{source.title()}",
        actions="s3:PutObject",
        resources=f"{bucket_arn(stack, ROLE)}/{source}/*",
        principals={"Service": "logging.s3.amazonaws.com"},
        conditions={
            "ArnLike": {"aws:SourceArn": bucket_arn(stack, source)},
            "StringEquals": {"aws:SourceAccount": stack.environment.account},
        },
    )
