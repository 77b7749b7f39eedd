"""The password of Grafana's administrator: made by AWS, kept in Secrets Manager, brought into the cluster by
External Secrets. Neither plan nor state has it, and nobody has to think of one.

    ephemeral random password -> Secrets Manager (write-only) -> External Secrets -> Secret of Kubernetes
"""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion

from modules.data.outputs import DataOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.namespaces import GRAFANA
from modules.secret_reader import SecretReader, secret_reader
from modules.stack import Stack

LENGTH = 40
RECOVERY_DAYS = 7


@dataclass(frozen=True)
class GrafanaSecret:
    """`reader` is the role in which External Secrets reads it."""

    secret: SecretsmanagerSecret
    version: SecretsmanagerSecretVersion
    reader: SecretReader


def kubernetes_secret(stack: Stack) -> str:
    """The Secret in the cluster. Its name carries the version of the password, so that pods start again with
    a new one, and wait until it is there."""
    return f"grafana-admin-{stack.environment.observability.grafana_password_version}"


def grafana_secret(stack: Stack, data: DataOutputs, gateway: GatewayOutputs) -> GrafanaSecret:
    """`aws_secretsmanager_secret.grafana` and the role that may read it and nothing else."""
    secret = stack.add(
        SecretsmanagerSecret,
        "grafana",
        name=stack.names.of("secret", "grafana"),
        description="Password of the administrator of Grafana",
        kms_key_id=data.secrets_key_arn,
        recovery_window_in_days=RECOVERY_DAYS if stack.environment.protection else 0,
        tags=stack.tags("grafana"),
    )
    version = stack.add(
        SecretsmanagerSecretVersion,
        "grafana",
        secret_id=secret.id,
        secret_string_wo="${ephemeral.aws_secretsmanager_random_password.grafana.random_password}",
        secret_string_wo_version=stack.environment.observability.grafana_password_version,
    )
    stack.ephemeral(
        "aws_secretsmanager_random_password", "grafana", exclude_punctuation=True, password_length=LENGTH
    )
    reader = secret_reader(
        stack, GRAFANA, [secret.arn], gateway.secrets_operator_role_arn, data.secrets_key_arn
    )
    return GrafanaSecret(secret, version, reader)
