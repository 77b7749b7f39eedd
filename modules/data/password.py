"""Passwords of master users: made, kept and handed over without being written anywhere else.

    ephemeral random password -> Secrets Manager (write-only) -> read back, ephemeral -> database (write-only)

AWS does not manage them: RDS refuses replicas of an instance whose password it manages, and DocumentDB would
change it every seven days (docs/decisions/0018-users-of-databases.md). Reading it back keeps secret and
database the same even if an apply ends between the two. Neither plan nor state has it, and no plan reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion

from modules.data.keys import Keys
from modules.stack import Stack

LENGTH = 40
RECOVERY_DAYS = 30


@dataclass(frozen=True)
class Password:
    """`value` is a reference that only write-only arguments accept; `version` tells them when it is new."""

    secret: SecretsmanagerSecret
    value: str
    version: int


def password(stack: Stack, keys: Keys, role: str, engine: str, number: int) -> Password:
    """`aws_secretsmanager_secret.<role>`, which holds the password and nothing else; the spec counts its
    versions."""
    secret = stack.add(
        SecretsmanagerSecret,
        role,
        name=stack.names.of("secret", role),
        description=f"Password of the master user of {engine}",
        kms_key_id=keys.secrets.arn,
        # Without protection an environment may be built again at once, under the same names.
        recovery_window_in_days=RECOVERY_DAYS if stack.environment.protection else 0,
        lifecycle=stack.guarded,
        tags=stack.tags(role),
    )
    version = stack.add(
        SecretsmanagerSecretVersion,
        role,
        secret_id=secret.id,
        secret_string_wo=f"${{ephemeral.aws_secretsmanager_random_password.{role}.random_password}}",
        secret_string_wo_version=number,
        # The new one is current before the old one goes.
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
    )
    stack.ephemeral(
        "aws_secretsmanager_random_password",
        role,
        # No punctuation, so that the password may stand in an address as it is.
        exclude_punctuation=True,
        password_length=LENGTH,
    )
    kept = f"aws_secretsmanager_secret_version.{role}.secret_id"
    stack.ephemeral(
        "aws_secretsmanager_secret_version",
        role,
        # timestamp() is unknown until a plan is applied, and terraform opens nothing with an unknown
        # argument, so no plan reads the value (developer.hashicorp.com/terraform: timestamp, ephemeral)
        secret_id=f"${{terraform.applying ? {kept} : timestamp()}}",
        version_id=version.version_id,
    )
    return Password(secret, f"${{ephemeral.aws_secretsmanager_secret_version.{role}.secret_string}}", number)
