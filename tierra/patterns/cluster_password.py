"""Passwords that pods find in their namespace: made by AWS, kept in Secrets Manager, brought by External
Secrets. Neither plan nor state has one.

    ephemeral random password -> Secrets Manager (write-only) -> External Secrets -> Secret of Kubernetes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion

from tierra.patterns.generated_password import generated_password
from tierra.patterns.secret_reader import SecretReader, secret_reader
from tierra.terraform.policy import Statement
from tierra.terraform.stack import Stack


@dataclass(frozen=True)
class ClusterPassword:
    """`reader` is the role in which External Secrets reads it."""

    secret: SecretsmanagerSecret
    version: SecretsmanagerSecretVersion
    reader: SecretReader


def cluster_password(
    stack: Stack,
    namespace: str,
    *,
    key: str,
    operator: str,
    role: str,
    tag: str,
    description: str,
    number: int,
    beside: Sequence[str] = (),
    rights: Sequence[Statement] = (),
) -> ClusterPassword:
    """`aws_secretsmanager_secret.<namespace>`, encrypted with `key`, and the role that may read it, the
    secrets `beside` it, what `rights` says and nothing else. `operator` is the ARN of the role of External
    Secrets, which assumes that role. The password changes when `number` does, by which the spec counts its
    versions, and at no other time."""
    address = namespace.replace("-", "_")
    secret, version = generated_password(
        stack,
        address,
        role=role,
        description=description,
        key=key,
        number=number,
        tags=stack.tags(tag),
    )
    reader = secret_reader(stack, namespace, [secret.arn, *beside], operator, key, *rights)
    return ClusterPassword(secret, version, reader)
