"""Keys of `data.documentdb:`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.data.catalog import DOCUMENTDB, burstable, documentdb_classes, memory_gib
from modules.data.instance import sold_by, written_like
from modules.data.windows import DailyWindow, WeeklyWindow, window_violations
from tierra.validation.messages import choices
from tierra.validation.model import Model, Violation, rule, rule_error


def _version(version: str) -> str:
    if version in DOCUMENTDB:
        return version
    close = [sold for sold in DOCUMENTDB if sold.startswith(version)] if version else []
    raise rule_error(f"the version must be {choices(DOCUMENTDB)}", f"write {(close or ['5.0.0'])[0]}")


Version = Annotated[
    str, AfterValidator(_version), WithJsonSchema({"type": "string", "enum": list(DOCUMENTDB)})
]
EXAMPLE = "db.r6g.large"
InstanceClass = Annotated[
    str, AfterValidator(sold_by("DocumentDB", documentdb_classes, EXAMPLE)), written_like(EXAMPLE)
]


class DocumentDb(Model):
    """A cluster: storage in three zones, and instances that use it."""

    version: Version = Field(default="5.0.0", description="Version of the engine, in full (three numbers).")
    instance_class: InstanceClass = Field(default="db.r6g.large", description="Class of every instance.")
    instances: int = Field(
        default=3,
        ge=1,
        le=16,
        description="Instances, distributed over network.zones in turn: one writes; the others serve"
        " reads, and one of them takes over when it fails.",
    )
    allow_major_upgrade: bool = Field(
        default=False,
        description="Allows a change of version to another major version: from 4.0.0 to 5.0.0, or from"
        " 5.0.0 to 8.0.0. Set it for this one apply: the upgrade starts at once, interrupts"
        " the database and cannot be undone.",
    )
    password_version: int = Field(
        default=1,
        ge=1,
        le=9_999,
        description="Counts the passwords of the master user. Raising it creates a new password, in"
        " Secrets Manager and in the cluster. No system uses this user.",
    )
    backup_days: int = Field(
        default=14,
        ge=1,
        le=35,
        description="Days that automated backups are kept; DocumentDB cannot turn them off.",
    )
    backup_window: DailyWindow = Field(
        default="00:30-01:30", description="Daily window of automated backups, in UTC."
    )
    maintenance_window: WeeklyWindow = Field(
        default="sun:11:00-sun:12:00", description="Weekly window for maintenance, in UTC."
    )

    @property
    def family(self) -> str:
        """Parameter group family: `docdb5.0` for 5.0.0."""
        return f"docdb{self.version.rpartition('.')[0]}"

    @property
    def instance_names(self) -> list[str]:
        """`instance_1` and so on: adding an instance renames none."""
        return [f"instance_{number}" for number in range(1, self.instances + 1)]

    @property
    def burstable(self) -> bool:
        """Whether the class uses CPU credits."""
        return burstable(self.instance_class)

    @property
    def memory_gib(self) -> int:
        """Memory of an instance."""
        return memory_gib(self.instance_class)

    @rule("backup_window", "maintenance_window")
    def windows_are_apart(self) -> Iterator[Violation]:
        """Windows for backups and maintenance must not overlap."""
        yield from window_violations(self.backup_window, self.maintenance_window)
