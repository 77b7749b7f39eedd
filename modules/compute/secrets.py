"""Secrets named in a spec: accounts of public registries, which ECR reads."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.validation.model import rule_error

# Source: botocore, ecr, CredentialArn. It is the partition aws alone.
PATTERN = r"arn:aws:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:ecr-pullthroughcache/[a-zA-Z0-9/_+=.@-]+"


def _secret_arn(arn: str) -> str:
    if re.fullmatch(PATTERN, arn):
        return arn
    raise rule_error(
        "the secret must be named by its ARN, and its name must start with ecr-pullthroughcache/",
        "write it like arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/hub-AbCdEf",
    )


CacheSecret = Annotated[
    str, AfterValidator(_secret_arn), WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$"})
]
