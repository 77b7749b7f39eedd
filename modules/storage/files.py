"""The bucket for the files of the systems, and its key."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.s3_bucket_cors_configuration import (
    S3BucketCorsConfiguration,
    S3BucketCorsConfigurationCorsRule,
)

from tierra.patterns.access_log import access_log
from tierra.patterns.bucket import PrivateBucket
from tierra.patterns.encryption import Key, encryption_key
from tierra.terraform.stack import Stack

ROLE = "files"


def files(stack: Stack, logs: PrivateBucket) -> tuple[PrivateBucket, Key]:
    """`aws_s3_bucket.files`: backed up, with access logs, and CORS for the configured origins only."""
    settings = stack.environment.storage.files
    key = encryption_key(stack, ROLE, "Files of the systems")
    bucket = PrivateBucket(stack, ROLE, key=key, tags=stack.names.backup_tag)
    bucket.sweep(noncurrent_days=settings.noncurrent_days, archive_days=settings.archive_days)
    access_log(stack, ROLE, bucket, logs)
    if settings.cors_origins:
        _allow_browsers(stack, bucket, list(settings.cors_origins))
    return bucket, key


def _allow_browsers(stack: Stack, bucket: PrivateBucket, origins: list[str]) -> None:
    """Pages of these origins may use presigned URLs of the systems."""
    stack.add(
        S3BucketCorsConfiguration,
        ROLE,
        bucket=bucket.bucket.id,
        cors_rule=[
            S3BucketCorsConfigurationCorsRule(
                allowed_headers=["*"],
                allowed_methods=["GET", "HEAD", "POST", "PUT"],
                allowed_origins=origins,
                expose_headers=["ETag"],
                max_age_seconds=3600,
            )
        ],
    )
