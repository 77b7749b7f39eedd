"""Names of AWS resources: `<project>-<environment>-<role>`, within the length limit of each service.

Every name is a pure function of the spec and the role, so that one tier can name resources of another.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

# The longest names that AWS accepts, by kind. Sources: the API reference of each service (or its model
# in botocore), less the 26 characters that Terraform appends to a name_prefix.
LIMITS = {
    "alarm": 255,
    "backup_plan": 50,
    "backup_vault": 50,
    "bucket": 63,
    "budget": 100,
    "cache_parameter_group": 255,
    "cluster": 100,
    "codebuild_project": 150,
    "dashboard": 255,
    "db_identifier": 63,
    "efs_token": 64,
    "iam_policy": 128,
    "iam_role": 64,
    "iam_role_policy": 128,
    "image_cache": 30,
    "kms_alias": 256,
    "launch_template": 128,
    "load_balancer": 32,
    "log_group": 512,
    "log_resource_policy": 255,
    "node_group_prefix": 63 - 26,
    "parameter_group_prefix": 255 - 26,
    "redis_group": 40,
    "redis_user": 40,
    "repository": 256,
    "restore_testing_plan": 50,
    "sampling_rule": 32,
    "scaling_policy": 255,
    "secret": 512,
    "security_group_prefix": 255 - 26,
    "shield_protection": 128,
    "snapshot": 255,
    "subnet_group": 255,
    "topic": 256,
    "trace_group": 32,
    "web_acl": 128,
}
DIGEST = 6


@dataclass(frozen=True)
class Names:
    """The names of one environment: lower-case ASCII letters, digits and hyphens."""

    project: str
    environment: str
    account: str

    @property
    def stem(self) -> str:
        """The beginning of every name, such as `acme-production`."""
        return f"{self.project}-{self.environment}"

    def of(self, kind: str, role: str = "") -> str:
        """The name of a resource of a kind listed in LIMITS. The same words always give the same name."""
        return truncate(f"{self.stem}-{role}" if role else self.stem, LIMITS[kind])

    def pattern(self, kind: str) -> str:
        """A pattern for every name of a kind in a policy. If the limit is so low that the stem may be
        truncated, the pattern ends with the part that never is."""
        prefix = self.stem[: LIMITS[kind] - DIGEST - 1].rstrip("-")
        return f"{prefix}-*" if prefix == self.stem else f"{prefix}*"

    def bucket(self, role: str) -> str:
        """Names of buckets are unique in all of AWS, so they contain the account."""
        return truncate(f"{self.stem}-{self.account}-{role}", LIMITS["bucket"])

    def alias(self, role: str) -> str:
        """Alias of an encryption key; alias names allow a path."""
        return f"alias/{truncate(f'{self.stem}-{role}', LIMITS['kms_alias'] - len('alias/'))}"

    def log_group(self, service: str, role: str) -> str:
        """`/aws/<service>/<stem>/<role>`: CloudWatch lists groups by prefix, services first."""
        return truncate(f"/aws/{service}/{self.stem}/{role}", LIMITS["log_group"])

    def repository(self, system: str) -> str:
        """Container registry of a system; the slash separates those of an environment from all others."""
        return truncate(f"{self.stem}/{system}", LIMITS["repository"])

    def image_parameter(self, system: str) -> str:
        """Parameter with the running image of a system. No part of it is longer than its limit."""
        return f"/{self.project}/{self.environment}/systems/{system}/image"

    @property
    def readers_of_secrets(self) -> str:
        """Pattern of the names that `reader_of_secrets` gives, for policies."""
        return f"{self.stem}-secrets-*"

    def reader_of_secrets(self, system: str) -> str:
        """Role by which the secrets of one system are read."""
        return self.of("iam_role", f"secrets-{system}")

    def prefix(self, kind: str, role: str) -> str:
        """For `name_prefix`, ending in a hyphen; Terraform appends 26 digits."""
        return truncate(f"{self.stem}-{role}", LIMITS[f"{kind}_prefix"] - 1) + "-"

    def underscored(self, kind: str, role: str) -> str:
        """For services that refuse hyphens. Different stems stay different, because a spec has no
        underscores."""
        return self.of(kind, role).replace("-", "_")

    @property
    def backup_tag(self) -> dict[str, str]:
        """The tag by which AWS Backup selects the resources of this environment."""
        return {"Backup": self.stem}


def truncate(name: str, limit: int) -> str:
    """The name itself, or, if it is longer than the limit, its start and a digest of the whole. A name is
    either short enough to stay unchanged or unique by its digest; neither changes between runs.
    """
    if not re.fullmatch(r"[A-Za-z0-9/_.-]+", name):
        raise ValueError(f"a name has letters, digits and / _ . - only: {name!r}")
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:DIGEST]
    return f"{name[: limit - DIGEST - 1].rstrip('-/_.')}-{digest}"
