"""Keys of `storage:`: retention of files, backups and access logs, and copies of backups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from tierra.validation.model import Model, Violation, repeated, rule, rule_error
from tierra.validation.regions import RegionName

DECADE = 3650
CENTURY = 36500  # the longest retention of AWS Backup

# AWS Backup bills cold storage for at least 90 days (botocore: backup, shape Lifecycle).
COLD_DAYS = 90


def _never(value: Any) -> Any:
    return None if value == "never" else value


def _not_empty(value: Any) -> Any:
    if value is None:
        raise rule_error("must be a number of days, or never", "write a number of days, or never")
    return value


def _origin(value: str) -> str:
    rule = "an origin must be what a browser sends: scheme, host and port, without a path"
    if value == "*":
        raise rule_error(
            "origins must be named: * would let any page read the files",
            "write it like https://app.example.com",
        )
    if re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?", value):
        return value
    match = re.match(r"(https?://[A-Za-z0-9.*-]+(?::[0-9]+)?)[/?#]", value)
    if match:
        raise rule_error(rule, f"write {match[1]}")
    host = re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?", value)
    raise rule_error(rule, f"write https://{value}" if host else "write it like https://app.example.com")


def _days_or_never(low: int) -> WithJsonSchema:
    number = {"type": "integer", "minimum": low, "maximum": DECADE}
    return WithJsonSchema({"anyOf": [number, {"const": "never"}]})


Origin = Annotated[
    str,
    AfterValidator(_origin),
    WithJsonSchema(
        {"type": "string", "pattern": "^https?://[^/]+$", "examples": ["https://app.example.com"]}
    ),
]
# S3 moves objects to the infrequent-access class after 30 days at the earliest.
ArchiveDays = Annotated[
    Annotated[int, Field(ge=30, le=DECADE)] | None,
    BeforeValidator(_never),
    BeforeValidator(_not_empty),
    _days_or_never(30),
]
ColdDays = Annotated[
    Annotated[int, Field(ge=1, le=DECADE)] | None,
    BeforeValidator(_never),
    BeforeValidator(_not_empty),
    _days_or_never(1),
]


class Files(Model):
    """The bucket for the files of the systems: versioned, encrypted, private."""

    archive_days: ArchiveDays = Field(
        default=90,
        description="Days after which a file moves to a cheaper storage class, from 30, or never. Files"
        " remain readable at once.",
    )
    noncurrent_days: int = Field(
        default=30,
        ge=1,
        le=DECADE,
        description="Days that the earlier version of a replaced or deleted file can be restored.",
    )
    cors_origins: Annotated[tuple[Origin, ...], Field(strict=False)] = Field(
        default=(),
        description="Origins whose pages may upload and download files in the browser. None by default.",
        examples=[["https://app.example.com"]],
    )

    @rule("cors_origins")
    def origins_are_named_once(self) -> Iterator[Violation]:
        """No origin appears twice."""
        for index in repeated(self.cors_origins):
            yield Violation(
                ("cors_origins", index), "each origin must be named once", "remove the second one"
            )


class Backup(Model):
    """AWS Backup: daily, weekly and monthly recovery points in a vault that can be locked."""

    daily_days: int = Field(
        default=35,
        ge=1,
        le=35,
        description="Days that daily recovery points are kept, and how far back a restore to any second may"
        " go; AWS allows at most 35 for such a restore.",
    )
    weekly_days: int = Field(
        default=90,
        ge=7,
        le=CENTURY,
        description="Days that weekly recovery points are kept; at least daily_days.",
    )
    monthly_days: int = Field(
        default=365,
        ge=31,
        le=CENTURY,
        description="Days that monthly recovery points are kept; at least weekly_days.",
    )
    cold_days: ColdDays = Field(
        default=None,
        json_schema_extra={"default": "never"},
        description="Days after which monthly recovery points move to cold storage, or never. They stay"
        " there for at least 90 days. AWS moves only some resource types: volumes are moved,"
        " buckets and relational databases are not.",
    )
    copy_region: RegionName | None = Field(
        default=None,
        description="A second region of the same partition that receives a copy of each recovery point."
        " None by default: copies double the cost of storage.",
        examples=["us-west-2"],
    )
    lock: Literal["off", "governance", "compliance"] = Field(
        default="governance",
        description="Protection of the vault against early deletion: off, governance (administrators can"
        " lift it) or compliance (irreversible: not even AWS can lift it once lock_grace_days"
        " have passed).",
    )
    lock_grace_days: int = Field(
        default=7,
        ge=3,
        le=CENTURY,
        description="Days in which a compliance lock can still be removed; AWS requires at least 3.",
    )
    lock_min_days: int = Field(
        default=35,
        ge=1,
        le=CENTURY,
        description="Shortest retention that the lock allows; at most daily_days. Changing it replaces"
        " the lock, which a compliance lock refuses.",
    )
    lock_max_days: int = Field(
        default=365,
        ge=1,
        le=CENTURY,
        description="Longest retention that the lock allows; at least monthly_days. Changing it"
        " replaces the lock, which a compliance lock refuses.",
    )

    @rule("daily_days", "weekly_days")
    def weekly_outlasts_daily(self) -> Iterator[Violation]:
        """Weekly recovery points must be kept as long as daily ones."""
        yield from self._outlasts("weekly_days", "daily_days")

    @rule("weekly_days", "monthly_days")
    def monthly_outlasts_weekly(self) -> Iterator[Violation]:
        """Monthly recovery points must be kept as long as weekly ones."""
        yield from self._outlasts("monthly_days", "weekly_days")

    @rule("monthly_days", "cold_days")
    def cold_storage_pays(self) -> Iterator[Violation]:
        """Recovery points must stay in cold storage for the minimum time that is billed."""
        if self.cold_days is not None and self.monthly_days < self.cold_days + COLD_DAYS:
            rule = f"monthly_days ({self.monthly_days}) must be at least cold_days + {COLD_DAYS}"
            earlier = self.monthly_days - COLD_DAYS
            lower = f"cold_days to {earlier} or less" if earlier > 0 else "cold_days to never"
            remedy = f"set {lower}, or monthly_days to {self.cold_days + COLD_DAYS} or more"
            yield Violation(("cold_days",), rule, remedy)

    @rule("lock", "lock_grace_days")
    def grace_is_for_compliance(self) -> Iterator[Violation]:
        """Only a compliance lock has days of grace."""
        if "lock_grace_days" in self.model_fields_set and self.lock != "compliance":
            rule = f"lock_grace_days requires lock: compliance, and lock is {self.lock}"
            yield Violation(("lock_grace_days",), rule, "remove the line, or write lock: compliance")

    @rule("lock", "daily_days", "monthly_days", "lock_min_days", "lock_max_days")
    def the_lock_takes_the_backups(self) -> Iterator[Violation]:
        """AWS Backup fails jobs whose retention is outside the limits of the lock (botocore: backup,
        PutBackupVaultLockConfigurationInput, MinRetentionDays and MaxRetentionDays)."""
        if self.lock == "off":
            return
        if self.daily_days < self.lock_min_days:
            rule = f"daily_days must be at least lock_min_days ({self.lock_min_days})"
            remedy = f"set lock_min_days to {self.daily_days} or less, or raise daily_days"
            yield Violation(("daily_days",), rule, remedy)
        if self.monthly_days > self.lock_max_days:
            rule = f"monthly_days must be at most lock_max_days ({self.lock_max_days})"
            remedy = f"set lock_max_days to {self.monthly_days} or more, or lower monthly_days"
            yield Violation(("monthly_days",), rule, remedy)

    def _outlasts(self, longer: str, shorter: str) -> Iterator[Violation]:
        least = getattr(self, shorter)
        if getattr(self, longer) < least:
            # Report the key that is in the file.
            key = longer if longer in self.model_fields_set else shorter
            rule = f"{longer} ({getattr(self, longer)}) must be at least {shorter} ({least})"
            yield Violation((key,), rule, f"raise {longer} to {least} or more, or lower {shorter}")


class Storage(Model):
    """Buckets and backups."""

    files: Files = Field(default_factory=Files, description="The bucket for the files of the systems.")
    backup: Backup = Field(default_factory=Backup, description="AWS Backup of buckets and databases.")
    log_days: int = Field(
        default=365,
        ge=1,
        le=DECADE,
        description="Days that access logs of the buckets are kept in the log bucket.",
    )
