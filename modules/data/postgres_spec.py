"""Keys of `data.postgres:`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.data.catalog import MOST_MINORS, POSTGRES, burstable, memory_gib, postgres_classes
from modules.data.instance import sold_by, written_like
from modules.data.windows import DailyWindow, WeeklyWindow, window_violations
from tierra.validation.messages import choices
from tierra.validation.model import Model, Violation, rule, rule_error

# gp3 for PostgreSQL. Source: AWS, "Amazon RDS DB instance storage". Below 400 GiB a volume has 3,000 IOPS and
# 125 MiB/s, and neither can be configured.
SMALLEST_GB = 20
LARGEST_GB = 65_536
STRIPED_GB = 400
IOPS_A_GB = 500
IOPS_A_THROUGHPUT = 4
USUAL_CEILING_GB = 1_000  # independent of storage_gb, so that changing one changes one thing
USUAL_GROWTH = 4
MOST_REPLICAS = 15

# Reserved names of PostgreSQL and RDS: the reserved words of SQL (PostgreSQL manual, appendix C) and the
# databases that exist already.
_WORDS = """
all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
current_catalog current_date current_role current_time current_timestamp current_user default deferrable
desc distinct do else end except false fetch for foreign from grant group having in initially intersect into
lateral leading limit localtime localtimestamp not null offset on only or order placing primary references
returning select session_user some symmetric system_user table then to trailing true union unique user using
variadic when where window with postgres rdsadmin template0 template1
"""
RESERVED = frozenset(_WORDS.split())


def _version(version: str) -> str:
    major, _, minor = version.partition(".")
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2})?", version) or major not in POSTGRES:
        rule = f"the version must be {choices(POSTGRES)}, with or without a minor version"
        raise rule_error(rule, f'write "{max(POSTGRES)}", in quotes')
    oldest = POSTGRES[major]
    if minor and not oldest <= int(minor) <= MOST_MINORS:
        rule = f"the minor version must be one that RDS has: {major}.{oldest} or later"
        raise rule_error(rule, f'write "{major}", in quotes, for the newest that AWS recommends')
    return version


def _database(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        rule = "the name must be lowercase letters, digits and underscores, and start with a letter"
        raise rule_error(rule, "write it like platform")
    if name in RESERVED or name.startswith(("pg_", "rds_")):
        raise rule_error("the name must not be one that PostgreSQL or RDS reserves", "choose another name")
    return name


Version = Annotated[
    str,
    AfterValidator(_version),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{2}(\.[0-9]{1,2})?$", "examples": ["17", "17.9"]}),
]
Database = Annotated[
    str, AfterValidator(_database), WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"})
]
EXAMPLE = "db.r6g.large"
InstanceClass = Annotated[
    str, AfterValidator(sold_by("RDS for PostgreSQL", postgres_classes, EXAMPLE)), written_like(EXAMPLE)
]


class Postgres(Model):
    """A primary, its standby in another zone, and read replicas distributed over the zones."""

    version: Version = Field(
        default="17",
        description="Version on RDS, in quotes. Without a minor version, it follows AWS's in the"
        " maintenance window; a minor version stays until you change this line.",
    )
    instance_class: InstanceClass = Field(
        default="db.r6g.large", description="Class of the primary, its standby and every replica."
    )
    multi_az: bool = Field(
        default=True,
        description="Whether a standby in another zone takes over when the primary fails. Without it the"
        " primary is cheaper but fails with its zone.",
    )
    replicas: int = Field(
        default=2,
        ge=0,
        le=MOST_REPLICAS,
        description="Number of read replicas, which are distributed over network.zones in turn. More than"
        " five slow down the primary.",
    )
    replica_version: Version | None = Field(
        default=None,
        description="A newer minor version for the replicas, in quotes, because RDS upgrades replicas"
        " before the primary: set it, apply and wait for the maintenance window; then write it"
        " as version and remove this line.",
        examples=["17.9"],
    )
    storage_gb: int = Field(
        default=100,
        ge=SMALLEST_GB,
        le=LARGEST_GB,
        description="Storage in GiB (gp3). It can grow but not shrink: make apply refuses a smaller value.",
    )
    max_storage_gb: int | None = Field(
        default=None,
        ge=SMALLEST_GB,
        le=LARGEST_GB,
        description="How far AWS may grow the storage by itself; at least 10 % above storage_gb. Left"
        " out: 1000, or four times storage_gb if 1000 is too small.",
    )
    iops: int | None = Field(
        default=None,
        ge=12_000,
        le=64_000,
        description="I/O operations per second, 12000 to 64000; only from 400 GiB on. Left out, the"
        " default of the storage size.",
    )
    throughput: int | None = Field(
        default=None,
        ge=500,
        le=4_000,
        description="MiB per second, 500 to 4000; only from 400 GiB on and with iops. Left out, the"
        " default of the storage size.",
    )
    database: Database = Field(
        default="platform",
        description="Name of the first database. A change replaces the instance, which protection refuses.",
    )
    allow_major_upgrade: bool = Field(
        default=False,
        description="Allows a change of version to another major version. Set it for this one apply: the"
        " upgrade starts at once, interrupts the database and cannot be undone. Replicas"
        " follow the primary; they get their parameter group once this line is removed.",
    )
    password_version: int = Field(
        default=1,
        ge=1,
        le=9_999,
        description="Counts the passwords of the master user. Raising it creates a new password, in"
        " Secrets Manager and in the instance. No system uses this user.",
    )
    backup_days: int = Field(
        default=14,
        ge=0,
        le=35,
        description="Days that automated backups are kept, 0 for none. AWS Backup takes them over on its"
        " first night and keeps them for storage.backup.daily_days; a later change here has no"
        " effect.",
    )
    backup_window: DailyWindow = Field(
        default="00:30-01:30",
        description="Daily window of the first automated backups, in UTC; AWS Backup takes over the"
        " window too.",
    )
    maintenance_window: WeeklyWindow = Field(
        default="sun:09:00-sun:10:00", description="Weekly window for maintenance, in UTC."
    )

    @property
    def major(self) -> str:
        """`17` for 17.9."""
        return self.version.partition(".")[0]

    @property
    def pinned(self) -> bool:
        """Whether the spec names a minor version, which AWS must not upgrade."""
        return "." in self.version

    @property
    def ceiling_gb(self) -> int | None:
        """The maximum storage of storage autoscaling; None if the storage already has the maximum size."""
        if self.max_storage_gb is not None:
            return self.max_storage_gb
        if self.least_ceiling_gb <= USUAL_CEILING_GB:
            return USUAL_CEILING_GB
        ceiling = min(self.storage_gb * USUAL_GROWTH, LARGEST_GB)
        return ceiling if ceiling >= self.least_ceiling_gb else None

    @property
    def least_ceiling_gb(self) -> int:
        """The lowest maximum that AWS accepts: storage plus a tenth, rounded up."""
        return -(-self.storage_gb * 11 // 10)

    @property
    def replica_names(self) -> list[str]:
        """`replica_1` and so on: adding a replica renames none."""
        return [f"replica_{number}" for number in range(1, self.replicas + 1)]

    @property
    def burstable(self) -> bool:
        """Whether the class uses CPU credits."""
        return burstable(self.instance_class)

    @property
    def memory_gib(self) -> int:
        """Memory of an instance."""
        return memory_gib(self.instance_class)

    @rule("replicas", "backup_days")
    def replicas_have_backups(self) -> Iterator[Violation]:
        """Replicas require backups, because RDS creates a replica from a backup."""
        if self.replicas and not self.backup_days:
            rule = (
                f"replicas ({self.replicas}) require backup_days of at least 1: RDS builds them from backups"
            )
            key = "backup_days" if "backup_days" in self.model_fields_set else "replicas"
            yield Violation((key,), rule, "set backup_days to 1 or more, or replicas to 0")

    @rule("replica_version", "version", "replicas")
    def replicas_are_ahead(self) -> Iterator[Violation]:
        """replica_version must be a later minor version of the same major version."""
        if self.replica_version is None:
            return
        major, _, minor = self.replica_version.partition(".")
        remedy = "remove the line"
        if not self.replicas:
            yield Violation(
                ("replica_version",), "replica_version requires a replica, and replicas is 0", remedy
            )
        elif major != self.major:
            rule = f"the major must be that of version ({self.version}): RDS upgrades it with the primary"
            yield Violation(
                ("replica_version",),
                rule,
                f"{remedy}; to upgrade the major, change version and set allow_major_upgrade",
            )
        elif not minor or (self.pinned and int(minor) < int(self.version.partition(".")[2])):
            rule = f"replica_version must be a minor version, at least version ({self.version})"
            yield Violation(("replica_version",), rule, f"write it like {self.major}.9, or {remedy}")

    @rule("storage_gb", "max_storage_gb")
    def ceiling_is_above(self) -> Iterator[Violation]:
        """max_storage_gb must leave room to grow."""
        if self.max_storage_gb is not None and self.max_storage_gb < self.least_ceiling_gb:
            rule = f"max_storage_gb must be at least 10 % above storage_gb ({self.storage_gb})"
            least = self.least_ceiling_gb
            remedy = f"write {least} or more" if least <= LARGEST_GB else "remove the line"
            yield Violation(("max_storage_gb",), rule, remedy)

    @rule("storage_gb", "iops", "throughput")
    def performance_fits_the_storage(self) -> Iterator[Violation]:
        """iops and throughput require a large volume, and a certain ratio."""
        for key in ("iops", "throughput"):
            if getattr(self, key) is not None and self.storage_gb < STRIPED_GB:
                rule = f"{key} requires storage_gb of at least {STRIPED_GB}, and it is {self.storage_gb}"
                yield Violation((key,), rule, f"remove the line, or set storage_gb to {STRIPED_GB} or more")
        if self.iops and self.storage_gb >= STRIPED_GB and self.iops > self.storage_gb * IOPS_A_GB:
            rule = f"iops must be at most {IOPS_A_GB} for each GiB of storage_gb"
            yield Violation(("iops",), rule, f"write {self.storage_gb * IOPS_A_GB} or less")
        if self.throughput and (self.iops or 0) < self.throughput * IOPS_A_THROUGHPUT:
            rule = f"throughput requires iops of at least {IOPS_A_THROUGHPUT} times as much"
            yield Violation(("throughput",), rule, f"set iops to {max(12_000, self.throughput * 4)} or more")

    @rule("backup_window", "maintenance_window")
    def windows_are_apart(self) -> Iterator[Violation]:
        """Windows for backups and maintenance must not overlap."""
        yield from window_violations(self.backup_window, self.maintenance_window)
