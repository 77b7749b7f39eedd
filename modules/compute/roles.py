"""IAM roles as a spec names them: those that may use the cluster."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from modules.section import fault


def _role_arn(arn: str) -> str:
    rule = "access must be granted to IAM roles, by ARN"
    if re.fullmatch(r"arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", arn):
        return arn
    session = re.fullmatch(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)/.+", arn)
    if session:
        raise fault(
            f"{rule}, not to a session of one", f"write arn:{session[1]}:iam::{session[2]}:role/{session[3]}"
        )
    if ":user/" in arn or arn.endswith(":root"):
        raise fault(f"{rule}, not to users: their keys never expire", "name a role that the user may assume")
    raise fault(rule, "write it like arn:aws:iam::123456789012:role/platform")


RoleArn = Annotated[
    str,
    AfterValidator(_role_arn),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/",
            "examples": ["arn:aws:iam::123456789012:role/platform"],
        }
    ),
]


def role_slug(arn: str) -> str:
    """The name of a role as part of a Terraform address."""
    return re.sub(r"[^a-z0-9]+", "_", arn.rpartition("/")[2].lower()).strip("_")
