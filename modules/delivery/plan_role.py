"""The role of the workflow that plans infrastructure."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.delivery.github import Github
from modules.delivery.rights import PLAN, image_parameters, read_images, reads, service, states
from modules.delivery.services import SECRETS
from modules.iam import grant
from modules.policy import Everything, Statement
from modules.stack import Stack


def plan_role(stack: Stack, github: Github) -> IamRole:
    """`aws_iam_role.plan`: compares, and changes nothing but the lock of a state.

    Every plan of the tier data reads the password of PostgreSQL back, so this one secret is within reach, and
    code of a pull request has been read by nobody: who may run jobs in the GitHub environment is set there.
    """
    role = github.role(PLAN, "GitHub Actions plans infrastructure", PLAN)
    password = stack.arn("secretsmanager", f"secret:{stack.names.of('secret', 'postgres')}-??????")
    grant(
        stack,
        PLAN,
        role,
        reads(),
        *states(stack, "GetObject"),
        read_images(stack),
        Statement(
            sid="MakeUpPasswords",
            actions="secretsmanager:GetRandomPassword",
            resources=Everything("it returns a random text and reads nothing"),
        ),
        Statement(
            sid="ReadBackThePassword",
            actions="secretsmanager:GetSecretValue",
            resources=password,
        ),
        Statement(
            sid="DecryptThePassword",
            actions="kms:Decrypt",
            resources=stack.arn("kms", "key/*"),
            conditions={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": stack.names.alias("secrets")},
                "StringEquals": {"kms:ViaService": service(stack, "secretsmanager")},
            },
        ),
        Statement(
            sid="RefuseOtherSecrets",
            effect="Deny",
            actions="secretsmanager:GetSecretValue",
            other_than=password,
        ),
        Statement(
            sid="RefuseOtherWays",
            effect="Deny",
            actions=SECRETS,
            resources=Everything("what holds or gives secrets is not part of a comparison"),
        ),
        Statement(
            sid="RefuseOtherParameters",
            effect="Deny",
            actions="ssm:GetParameter*",
            other_than=image_parameters(stack),
        ),
        Statement(
            sid="RefuseFiles",
            effect="Deny",
            actions="s3:GetObject*",
            resources=[f"{_bucket(stack, role)}/*" for role in ("files", "logs")],
        ),
    )
    return role


def _bucket(stack: Stack, role: str) -> str:
    return stack.arn("s3", stack.names.bucket(role), region="", account="")
