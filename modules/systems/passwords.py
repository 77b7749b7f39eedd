"""The password of a system in PostgreSQL and DocumentDB: made by AWS, kept in Secrets Manager, brought into
the cluster by External Secrets and into the databases by a job. Neither plan nor state has it.

    ephemeral random password -> Secrets Manager (write-only) -> External Secrets -> job and pods
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion

from modules.data.outputs import DataOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.secret_reader import SecretReader, secret_reader
from modules.stack import Stack
from modules.systems.spec import System

LENGTH = 40
RECOVERY_DAYS = 30


@dataclass(frozen=True)
class SystemPassword:
    """`reader` is the role in which External Secrets reads it."""

    secret: SecretsmanagerSecret
    version: SecretsmanagerSecretVersion
    reader: SecretReader

    def before_users(self, databases: ITerraformDependable) -> Sequence[ITerraformDependable]:
        """What must be there before the job that makes the users."""
        return [databases, self.version, self.reader.rights]


def system_password(
    stack: Stack, name: str, system: System, data: DataOutputs, gateway: GatewayOutputs
) -> SystemPassword | None:
    """`aws_secretsmanager_secret.<system>` for a system with databases. It changes when the spec says so, by
    systems.<system>.password_version, and at no other time."""
    if not system.databases:
        return None
    address = name.replace("-", "_")
    secret = stack.add(
        SecretsmanagerSecret,
        address,
        name=stack.names.of("secret", f"system-{name}"),
        description=f"Password of {name} in PostgreSQL and DocumentDB",
        kms_key_id=data.secrets_key_arn,
        recovery_window_in_days=RECOVERY_DAYS if stack.environment.protection else 0,
        tags=stack.tags(f"{name}-password"),
    )
    version = stack.add(
        SecretsmanagerSecretVersion,
        address,
        secret_id=secret.id,
        secret_string_wo=f"${{ephemeral.aws_secretsmanager_random_password.{address}.random_password}}",
        secret_string_wo_version=system.password_version,
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
    )
    stack.ephemeral(
        "aws_secretsmanager_random_password", address, exclude_punctuation=True, password_length=LENGTH
    )
    operator = gateway.secrets_operator_role_arn
    return SystemPassword(
        secret, version, secret_reader(stack, name, [secret.arn], operator, data.secrets_key_arn)
    )
