"""Existing KMS keys of the company, in place of those that Tierra creates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from tierra.validation.model import REFUSED, Model, Violation, rule_error

if TYPE_CHECKING:
    from modules.spec import Environment

# botocore: kms, DescribeKeyRequest, KeyId; keys of several regions have IDs that start with mrk- (AWS KMS
# Developer Guide, "Multi-Region keys").
_ID = "([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
_ARN = rf"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{{12}}:key/{_ID}"
EXAMPLE = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
DATABASES = ("postgres", "redis", "documentdb")
COPY = "backup_copy"
# Rule and remedy (modules/state).
NOT_OF_STATES: list[JsonValue] = [
    "the key of the states must be the one that Tierra creates: make bootstrap creates it before anything"
    " else, and backends and policies refer to it by its alias",
    "remove the line",
]


def _key(arn: str) -> str:
    if re.fullmatch(_ARN, arn):
        return arn
    alias = ":alias/" in arn or arn.startswith("alias/")
    rule = "the value must be the ARN of a KMS key"
    if alias:
        rule += "; this is an alias, which may later refer to another key"
    command = f"aws kms describe-key --key-id {arn} --query KeyMetadata.Arn"
    raise rule_error(
        rule, f"write the ARN that this prints: {command}" if alias else f"write it like {EXAMPLE}"
    )


KeyArn = Annotated[
    str,
    AfterValidator(_key),
    WithJsonSchema({"type": "string", "pattern": f"^{_ARN}$", "examples": [EXAMPLE]}),
]


def _field(encrypts: str) -> KeyArn | None:
    given: KeyArn | None = Field(
        default=None, json_schema_extra={"default": "a key that Tierra creates"}, description=f"{encrypts}."
    )
    return given


class KmsKeys(Model):
    """Existing keys, by what they encrypt. Each name is that of the key that Tierra creates otherwise."""

    model_config = ConfigDict(json_schema_extra={REFUSED: {"state": NOT_OF_STATES}})

    logs: KeyArn | None = _field("CloudWatch log groups")
    files: KeyArn | None = _field("The bucket for files of the systems")
    backup: KeyArn | None = _field("Backups, and the topic that reports on them")
    backup_copy: KeyArn | None = _field("Copies of backups, in storage.backup.copy_region")
    postgres: KeyArn | None = _field("PostgreSQL: storage, backups and Performance Insights")
    redis: KeyArn | None = _field("Redis: storage and snapshots")
    documentdb: KeyArn | None = _field("DocumentDB: storage, backups and Performance Insights")
    volumes: KeyArn | None = _field("Volumes of systems")
    secrets: KeyArn | None = _field("Secrets Manager: passwords, and secrets of systems")
    eks_secrets: KeyArn | None = _field("Kubernetes Secrets")
    ebs: KeyArn | None = _field("Disks of nodes, and volumes of pods")
    images: KeyArn | None = _field("Registries of container images")
    alarms: KeyArn | None = _field("Topics of alarms")

    @property
    def given(self) -> dict[str, str]:
        """The ARNs of the spec, by name."""
        return {name: arn for name in type(self).model_fields if (arn := getattr(self, name))}


def key_violations(environment: Environment) -> Iterator[Violation]:
    """A key is in the region of what it encrypts, and is used. Paths start at the root."""
    copies = environment.storage.backup.copy_region
    for name, arn in environment.kms_keys.given.items():
        path = ("kms_keys", name)
        _, partition, _, region, _, _ = arn.split(":", 5)
        if name == COPY and copies is None:
            rule = "backup_copy requires storage.backup.copy_region, the region of the copies"
            yield Violation(path, rule, "remove the line, or add storage.backup.copy_region")
            continue
        if name in DATABASES and name not in environment.data.databases:
            rule = f"the key must be used, but data.{name} is off"
            yield Violation(path, rule, f"remove the line, or remove {name}: off below data")
            continue
        if name == "volumes" and not environment.has_volumes:
            rule = "the key must be used, but no system has volumes"
            yield Violation(path, rule, "remove the line, or add volumes to a system")
            continue
        wanted = copies if name == COPY else environment.region
        if (partition, region) != (environment.partition, wanted):
            rule = f"the key must be in the region of what it encrypts: {wanted} ({environment.partition})"
            yield Violation(path, rule, f"write the ARN of a key in {wanted}")
