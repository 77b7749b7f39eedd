"""Roles that read secrets of Secrets Manager for one namespace, which External Secrets assumes."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy

from tierra.patterns.iam import grant, iam_role
from tierra.terraform.policy import Statement, document
from tierra.terraform.stack import Stack


@dataclass(frozen=True)
class SecretReader:
    """The role and its policy: a reader of the secret depends on both."""

    role: IamRole
    rights: IamRolePolicy


def secret_reader(
    stack: Stack, namespace: str, arns: list[str], operator_arn: str, key_arn: str, *more: Statement
) -> SecretReader:
    """`aws_iam_role.secrets_<namespace>`: reads those secrets of the platform, and the rights of `more`. Only
    External Secrets may assume it, as it may assume all roles with such names
    (`Names.readers_of_secrets`)."""
    address = f"secrets_{namespace.replace('-', '_')}"
    operator = Statement(
        sid="ExternalSecrets",
        actions=["sts:AssumeRole", "sts:TagSession"],
        principals={"AWS": operator_arn},
    )
    role = iam_role(stack, address, f"Reads the secrets of {namespace}", document(operator))
    through = f"secretsmanager.{stack.environment.region}.{stack.environment.dns_suffix}"
    own = [
        Statement(
            sid="ReadSecretsOfTheNamespace",
            actions=["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            resources=arns,
        ),
        Statement(
            sid="DecryptThem",
            actions="kms:Decrypt",
            resources=key_arn,
            conditions={"StringEquals": {"kms:ViaService": through}},
        ),
    ]
    return SecretReader(role, grant(stack, address, role, *(own if arns else ()), *more))
