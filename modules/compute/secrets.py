"""Secrets named in a spec: accounts of public registries, which ECR reads."""

from __future__ import annotations

from typing import Annotated

from tierra.validation.arns import Arn, arn_pattern

# Source: botocore, ecr, CredentialArn. It only allows the partition aws.
CacheSecret = Annotated[
    str,
    Arn(
        arn_pattern("secretsmanager", "secret:ecr-pullthroughcache/[a-zA-Z0-9/_+=.@-]+", partition="aws"),
        "the secret must be named by its ARN, and its name must start with ecr-pullthroughcache/",
        "write it like arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/hub-AbCdEf",
    ),
]
