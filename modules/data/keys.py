"""KMS keys of the databases, a separate one for each, so that access to one gives no access to the others."""

from __future__ import annotations

from dataclasses import dataclass

from tierra.patterns.encryption import Key, encryption_key
from tierra.terraform.policy import THIS_KEY, Everyone, Statement
from tierra.terraform.stack import Stack

ENCRYPTS = {
    "postgres": "PostgreSQL: storage, backups and insights",
    "redis": "Redis: storage and snapshots",
    "documentdb": "DocumentDB: storage, backups and insights",
}


@dataclass(frozen=True)
class Keys:
    """`databases` has the key of each database of the spec; `secrets` encrypts passwords and other
    secrets."""

    databases: dict[str, Key]
    secrets: Key


def keys(stack: Stack) -> Keys:
    """`aws_kms_key.postgres` and so on. RDS, ElastiCache and Secrets Manager use a key through grants or on
    behalf of a principal with IAM permissions; the keys can only be used through AWS services."""
    grants = grants_are_for_services()
    databases = stack.environment.data.databases
    return Keys(
        databases={name: encryption_key(stack, name, ENCRYPTS[name], grants) for name in databases},
        secrets=encryption_key(stack, "secrets", "Secrets of the databases", grants),
    )


def grants_are_for_services() -> Statement:
    """Only AWS services may create grants, because a grant outlives the principal that creates it."""
    return Statement(
        sid="GrantsAreForAwsServicesAlone",
        effect="Deny",
        actions="kms:CreateGrant",
        resources=THIS_KEY,
        principals=Everyone("no role is exempt from a refusal"),
        conditions={"Bool": {"kms:GrantIsForAWSResource": "false"}},
    )
