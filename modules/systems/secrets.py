"""Secrets of a system: where its operators keep them, and the role by which they get into the cluster."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret

from modules.data.outputs import DataOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.iam import grant, iam_role
from modules.policy import Statement, document
from modules.stack import Stack
from modules.systems.naming import slug
from modules.systems.spec import System

RECOVERY_DAYS = 30


@dataclass(frozen=True)
class Source:
    """Where the value of a variable is: a secret, and a key of it when it is JSON."""

    secret: str
    key: str = ""


def sources(system: System, data: DataOutputs) -> dict[str, Source]:
    """Variables whose values are secrets of the databases, by name."""
    found = {}
    if "postgres" in system.needs:
        found["DATABASE_PASSWORD"] = Source(data.postgres_secret_arn)
    if "documentdb" in system.needs:
        found["DOCUMENTDB_USER"] = Source(data.documentdb_secret_arn, "username")
        found["DOCUMENTDB_PASSWORD"] = Source(data.documentdb_secret_arn, "password")
    return found


def own_secret(stack: Stack, name: str, data: DataOutputs) -> SecretsmanagerSecret:
    """`aws_secretsmanager_secret.<system>`: empty. Its operators put a JSON object in, whose keys become
    variables; Terraform never sees what is in it."""
    return stack.add(
        SecretsmanagerSecret,
        slug(name),
        name=stack.names.of("secret", f"system-{name}"),
        description=f"Secrets of {name}: a JSON object of variables",
        kms_key_id=data.secrets_key_arn,
        # Without protection an environment may be built again at once, under the same names.
        recovery_window_in_days=RECOVERY_DAYS if stack.environment.protection else 0,
        lifecycle=stack.guarded,
        tags=stack.tags(f"system-{name}"),
    )


@dataclass(frozen=True)
class Reader:
    """`ready` is what must be there before anybody becomes the role."""

    role: IamRole
    ready: IamRolePolicy


def reader(
    stack: Stack,
    name: str,
    own: SecretsmanagerSecret,
    wanted: dict[str, Source],
    data: DataOutputs,
    gateway: GatewayOutputs,
) -> Reader:
    """`aws_iam_role.secrets_<system>`: what the operator of secrets becomes on behalf of this system. It may
    become roles of this kind alone, and this one reads these secrets alone."""
    role_name = f"secrets_{slug(name)}"
    # Pod Identity states who the operator is as tags of its session, and such tags go along.
    operator = Statement(
        sid="OperatorOfSecrets",
        actions=["sts:AssumeRole", "sts:TagSession"],
        principals={"AWS": gateway.secrets_operator_role_arn},
    )
    role = iam_role(stack, role_name, f"Reads the secrets of {name} into the cluster", document(operator))
    place = stack.environment
    through = f"secretsmanager.{place.region}.{place.dns_suffix}"
    granted = grant(
        stack,
        role_name,
        role,
        Statement(
            sid="ReadTheseSecrets",
            actions=["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            resources=[own.arn, *dict.fromkeys(source.secret for source in wanted.values())],
        ),
        # The key of our own secrets. That of DocumentDB is AWS's own for Secrets Manager, which lets in
        # whoever may read the secret.
        Statement(
            sid="DecryptThem",
            actions="kms:Decrypt",
            resources=data.secrets_key_arn,
            conditions={"StringEquals": {"kms:ViaService": through}},
        ),
    )
    return Reader(role, granted)
