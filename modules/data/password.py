"""The password of PostgreSQL's master user: made, kept and handed over without being written anywhere else.

    ephemeral random password -> Secrets Manager (write-only) -> read back, ephemeral -> instance (write-only)

RDS cannot manage it itself, for it refuses replicas of an instance whose password it manages. Reading it back
keeps secret and instance the same even if an apply ends between the two. Neither plan nor state has it, and
no plan reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion

from modules.data.keys import Keys
from modules.stack import Stack

SECRET_ID = "aws_secretsmanager_secret_version.postgres.secret_id"
LENGTH = 40
RECOVERY_DAYS = 30


@dataclass(frozen=True)
class Password:
    """`value` is a reference that only write-only arguments accept; `version` tells them when it is new."""

    secret: SecretsmanagerSecret
    value: str
    version: int


def password(stack: Stack, keys: Keys) -> Password:
    """`aws_secretsmanager_secret.postgres`, which holds the password and nothing else; the spec counts its
    versions."""
    number = stack.environment.data.postgres.password_version
    secret = stack.add(
        SecretsmanagerSecret,
        "postgres",
        name=stack.names.of("secret", "postgres"),
        description="Password of the master user of PostgreSQL",
        kms_key_id=keys.secrets.arn,
        # Without protection an environment may be built again at once, under the same names.
        recovery_window_in_days=RECOVERY_DAYS if stack.environment.protection else 0,
        lifecycle=stack.guarded,
        tags=stack.tags("postgres"),
    )
    version = stack.add(
        SecretsmanagerSecretVersion,
        "postgres",
        secret_id=secret.id,
        secret_string_wo="${ephemeral.aws_secretsmanager_random_password.postgres.random_password}",
        secret_string_wo_version=number,
        # The new one is current before the old one goes.
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
    )
    stack.ephemeral(
        "aws_secretsmanager_random_password",
        "postgres",
        # No punctuation, so that the password may stand in an address as it is.
        exclude_punctuation=True,
        password_length=LENGTH,
    )
    stack.ephemeral(
        "aws_secretsmanager_secret_version",
        "postgres",
        # timestamp() is unknown until a plan is applied, and terraform opens nothing with an unknown
        # argument, so no plan reads the value (developer.hashicorp.com/terraform: timestamp, ephemeral)
        secret_id=f"${{terraform.applying ? {SECRET_ID} : timestamp()}}",
        version_id=version.version_id,
    )
    return Password(secret, "${ephemeral.aws_secretsmanager_secret_version.postgres.secret_string}", number)
