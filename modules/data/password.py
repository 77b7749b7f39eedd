"""Master passwords: generated, stored in Secrets Manager, and never in a plan or a state.

    ephemeral random password -> Secrets Manager (write-only) -> read back, ephemeral -> database (write-only)

AWS does not manage them: RDS refuses replicas of an instance whose password it manages, and DocumentDB would
rotate it every seven days (docs/decisions/0008-users-of-databases.md). Reading the password back keeps secret
and database in step even if an apply ends between the two. No plan reads the password.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret

from modules.data.keys import Keys
from tierra.patterns.generated_password import generated_password
from tierra.terraform.stack import Stack


@dataclass(frozen=True)
class Password:
    """`value` is a reference that only write-only arguments accept; a change of `version` makes them send it
    again."""

    secret: SecretsmanagerSecret
    value: str
    version: int


def password(stack: Stack, keys: Keys, role: str, engine: str, number: int) -> Password:
    """`aws_secretsmanager_secret.<role>`, which contains only the password; the spec counts its versions."""
    secret, version = generated_password(
        stack,
        role,
        role=role,
        description=f"Password of the master user of {engine}",
        key=keys.secrets.arn,
        number=number,
        tags=stack.tags(role),
        lifecycle=stack.prevent_destroy,
    )
    stored_id = f"aws_secretsmanager_secret_version.{role}.secret_id"
    stack.ephemeral(
        "aws_secretsmanager_secret_version",
        role,
        # timestamp() is unknown until apply, and terraform defers ephemeral resources with unknown arguments,
        # so no plan reads the value (developer.hashicorp.com/terraform: timestamp, ephemeral)
        secret_id=f"${{terraform.applying ? {stored_id} : timestamp()}}",
        version_id=version.version_id,
    )
    return Password(secret, f"${{ephemeral.aws_secretsmanager_secret_version.{role}.secret_string}}", number)
