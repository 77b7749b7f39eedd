"""IAM roles named in a spec, and the path and permissions boundary that a company prescribes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.terraform.naming import Names
from tierra.validation.model import Violation, rule_error

if TYPE_CHECKING:
    from modules.spec import Environment

# The characters that IAM accepts in the name and the path of a role or policy, and their lengths (botocore:
# iam, shapes
# policyNameType, pathType and arnType). Here a path may only have the characters of names.
_NAME = r"[\w+=,.@-]{1,128}"
_PATH = r"/([\w+=,.@-]+/)*"
LONGEST_PATH = 512
# Paths of AWS's own (IAM user guide, "IAM identifiers", "Friendly names and paths").
_RESERVED = ("/aws-service-role/", "/aws-reserved/")


def _path(path: str) -> str:
    if not re.fullmatch(_PATH, path, re.ASCII) or len(path) > LONGEST_PATH:
        plain = "/".join(["", *(part for part in path.split("/") if part), ""])
        fits = re.fullmatch(_PATH, plain, re.ASCII) and len(plain) <= LONGEST_PATH
        rule = (
            "a path must start and end with a slash, consist of letters, digits and + = , . @ _ - /, and"
            f" have at most {LONGEST_PATH} characters"
        )
        raise rule_error(rule, f"write {plain}" if fits else "write it like /platform/")
    if path.startswith(_RESERVED):
        raise rule_error(
            f"a path must not start with {' or '.join(_RESERVED)}, which belong to AWS", "choose another path"
        )
    return path


RolePath = Annotated[
    str,
    AfterValidator(_path),
    WithJsonSchema({"type": "string", "pattern": r"^/([\w+=,.@-]+/)*$", "maxLength": LONGEST_PATH}),
]


def _role_arn(arn: str, rule: str, example: str) -> str:
    if re.fullmatch(r"arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", arn):
        return arn
    session = re.fullmatch(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)/.+", arn)
    if session:
        raise rule_error(
            f"{rule}; this is a session of one", f"write arn:{session[1]}:iam::{session[2]}:role/{session[3]}"
        )
    if ":user/" in arn or arn.endswith(":root"):
        rule += "; this is none, and keys of users never expire"
        raise rule_error(rule, f"name a role that may be assumed, like {example}")
    raise rule_error(rule, f"write it like {example}")


def _role(rule: str, example: str) -> tuple[AfterValidator, WithJsonSchema]:
    """The validator of a role under a key with this rule."""
    return (
        AfterValidator(lambda arn: _role_arn(arn, rule, example)),
        WithJsonSchema(
            {"type": "string", "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/", "examples": [example]}
        ),
    )


# Of compute.admins and .viewers, assume_role, and edge.zone_role.
RoleArn = Annotated[
    str,
    *_role("access must be granted to IAM roles, by ARN", "arn:aws:iam::123456789012:role/platform"),
]
AssumedRole = Annotated[
    str,
    *_role(
        "assume_role must be the ARN of an IAM role of the account",
        "arn:aws:iam::123456789012:role/terraform",
    ),
]
ZoneRole = Annotated[
    str,
    *_role(
        "the role of a zone must be the ARN of an IAM role in the account of the zone",
        "arn:aws:iam::210987654321:role/dns",
    ),
]


def _policy(policy: str) -> str:
    named = re.fullmatch(rf"([\w+=,.@-]+/)*{_NAME}", policy, re.ASCII)
    arn = re.fullmatch(
        rf"arn:aws(-cn|-us-gov)?:iam::([0-9]{{12}}|aws):policy{_PATH}{_NAME}", policy, re.ASCII
    )
    if named or arn:
        return policy
    rule = "a permissions boundary must be a managed policy, by its ARN or by its name in the account"
    raise rule_error(
        rule, "write it like company-boundary, or arn:aws:iam::123456789012:policy/company-boundary"
    )


PolicyRef = Annotated[
    str,
    AfterValidator(_policy),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/)?[\w+=,.@/-]+$",
            "maxLength": 2048,
        }
    ),
]


def boundary_violations(environment: Environment) -> Iterator[Violation]:
    """Violations of a boundary that no role of this environment can have."""
    arn = prescribed_boundary(environment)
    if arn is None:
        return
    path = ("permissions_boundary",)
    _, partition, _, _, account, resource = arn.split(":", 5)
    if partition != environment.partition:
        rule = f"the policy must be in the partition of the roles, {environment.partition}"
        yield Violation(path, rule, f"name a policy of {environment.partition}")
    elif account not in (environment.account, "aws"):
        rule = f"the boundary of a role must be a policy of its own account, {environment.account}, or of AWS"
        yield Violation(path, rule, f"create the policy in {environment.account}, and name that one")
    stem = _names(environment).stem
    if account != "aws" and resource.startswith(f"policy/{stem}-"):
        rule = (
            f"the name of the policy must not start with {stem}-, as those do that Tierra makes and removes"
        )
        yield Violation(
            path, rule, "name a policy of the company, or remove the line for Tierra's own boundary"
        )


def assumed_violations(environment: Environment) -> Iterator[Violation]:
    """Violations of a role that Terraform cannot or must not assume here. Helm uses it for the cluster,
    too."""
    role, path = environment.assume_role, ("assume_role",)
    if role is None:
        return
    _, partition, _, _, account, _ = role.split(":", 5)
    if (partition, account) != (environment.partition, environment.account):
        rule = (
            f"the role must be in the account {environment.account} of the partition {environment.partition}"
        )
        yield Violation(path, rule, f"name a role of {environment.account}")
    if role not in environment.compute.admins:
        rule = "Helm enters the cluster as this role, and compute.admins must name it"
        yield Violation(path, rule, f"add {role} to compute.admins")
    if environment.delivery.github:
        rule = (
            "assume_role requires delivery.ci: off: GitHub workflows have their own roles, whose limits"
            " it would lift"
        )
        yield Violation(path, rule, "write delivery.ci: off, or assume the role by a profile: AWS_PROFILE")


def prescribed_boundary(environment: Environment) -> str | None:
    """ARN of the boundary that the spec prescribes."""
    policy = environment.permissions_boundary
    if policy is None or policy.startswith("arn:"):
        return policy
    return f"arn:{environment.partition}:iam::{environment.account}:policy/{policy}"


def role_slug(arn: str) -> str:
    """The name of a role as part of a Terraform address."""
    return re.sub(r"[^a-z0-9]+", "_", arn.rpartition("/")[2].lower()).strip("_")


def role_arn(environment: Environment, name: str) -> str:
    """ARN of a role that Tierra creates, known before the role exists; `name` may be a pattern."""
    path = environment.role_path
    return f"arn:{environment.partition}:iam::{environment.account}:role{path}{name}"


def _names(environment: Environment) -> Names:
    return Names(environment.project, environment.environment, environment.account)
