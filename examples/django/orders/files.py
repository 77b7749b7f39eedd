"""Files in S3, below the prefix of this system: it may use no other."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

import boto3
from botocore.config import Config
from django.conf import settings

SECONDS = 300


@cache
def client() -> Any:
    """The credentials are those of the pod; botocore finds and renews them."""
    config = Config(
        signature_version="s3v4",  # left to itself it presigns by version 2, which KMS refuses
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 4},
    )
    return boto3.client("s3", region_name=settings.GIVEN.region, config=config)


def place(number: UUID) -> dict[str, str]:
    return {"Bucket": settings.GIVEN.files_bucket, "Key": f"{settings.GIVEN.files_prefix}orders/{number}"}


def put(number: UUID, body: bytes, kind: str) -> None:
    """Answers once S3 has it."""
    client().put_object(**place(number), Body=body, ContentType=kind)


def address(number: UUID) -> str:
    """Where the client fetches it from, without this system in between."""
    return str(client().generate_presigned_url("get_object", Params=place(number), ExpiresIn=SECONDS))
