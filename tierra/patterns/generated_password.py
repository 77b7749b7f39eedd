"""A password that AWS generates and Secrets Manager stores. It is neither in plans nor in states."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion

from tierra.terraform.stack import Stack

LENGTH = 40
RECOVERY_DAYS = 30


def generated_password(
    stack: Stack,
    address: str,
    *,
    role: str,
    description: str,
    key: str,
    number: int,
    tags: Mapping[str, str],
    lifecycle: TerraformResourceLifecycle | None = None,
) -> tuple[SecretsmanagerSecret, SecretsmanagerSecretVersion]:
    """`aws_secretsmanager_secret.<address>` and its version, which changes only when `number` changes."""
    secret = stack.add(
        SecretsmanagerSecret,
        address,
        name=stack.names.of("secret", role),
        description=description,
        kms_key_id=key,
        # Without protection an environment can be rebuilt immediately with the same names.
        recovery_window_in_days=RECOVERY_DAYS if stack.environment.protection else 0,
        lifecycle=lifecycle,
        tags=tags,
    )
    version = stack.add(
        SecretsmanagerSecretVersion,
        address,
        secret_id=secret.id,
        secret_string_wo=f"${{ephemeral.aws_secretsmanager_random_password.{address}.random_password}}",
        secret_string_wo_version=number,
        # The new version is current before the old one is deleted.
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
    )
    stack.ephemeral(
        "aws_secretsmanager_random_password",
        address,
        # No punctuation, so that the password can be used in a URL as it is.
        exclude_punctuation=True,
        password_length=LENGTH,
    )
    return secret, version
