"""Passwords that pods find in their namespace: made by AWS, kept in Secrets Manager, brought by External
Secrets. Neither plan nor state has one.

    ephemeral random password -> Secrets Manager (write-only) -> External Secrets -> Secret of Kubernetes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion

from modules.data.outputs import DataOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.generated_password import generated_password
from modules.policy import Statement
from modules.secret_reader import SecretReader, secret_reader
from modules.stack import Stack


@dataclass(frozen=True)
class ClusterPassword:
    """`reader` is the role in which External Secrets reads it."""

    secret: SecretsmanagerSecret
    version: SecretsmanagerSecretVersion
    reader: SecretReader


def cluster_password(
    stack: Stack,
    namespace: str,
    data: DataOutputs,
    gateway: GatewayOutputs,
    *,
    role: str,
    tag: str,
    description: str,
    number: int,
    beside: Sequence[str] = (),
    rights: Sequence[Statement] = (),
) -> ClusterPassword:
    """`aws_secretsmanager_secret.<namespace>`, and the role that may read it, the secrets `beside` it, what
    `rights` says and nothing else. It changes when `number` does, by which the spec counts its versions, and
    at no other time."""
    address = namespace.replace("-", "_")
    secret, version = generated_password(
        stack,
        address,
        role=role,
        description=description,
        key=data.secrets_key_arn,
        number=number,
        tags=stack.tags(tag),
    )
    operator = gateway.secrets_operator_role_arn
    reader = secret_reader(stack, namespace, [secret.arn, *beside], operator, data.secrets_key_arn, *rights)
    return ClusterPassword(secret, version, reader)
