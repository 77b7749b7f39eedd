"""Keys of `data:`: PostgreSQL, Redis and DocumentDB, their sizes, versions and backups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from modules.data.documentdb_spec import DocumentDb
from modules.data.postgres_spec import Postgres
from modules.data.redis_spec import Redis
from tierra.validation.model import Model, Violation
from tierra.validation.optional import MAY_BE_OFF
from tierra.validation.retention import RetentionDays


class Data(Model):
    """The databases of the platform."""

    postgres: Annotated[Postgres | None, *MAY_BE_OFF] = Field(
        default_factory=Postgres,
        description="PostgreSQL: a primary, a standby in another zone, and read replicas. off: it is not"
        " built.",
    )
    redis: Annotated[Redis | None, *MAY_BE_OFF] = Field(
        default_factory=Redis,
        description="Redis or Valkey: cache and broker of the systems. off: it is not built.",
    )
    documentdb: Annotated[DocumentDb | None, *MAY_BE_OFF] = Field(
        default_factory=DocumentDb,
        description="DocumentDB, which is compatible with MongoDB. off: it is not built.",
    )
    log_days: RetentionDays = Field(
        default=90,
        description="Days that logs of the databases are kept; one of the values CloudWatch Logs accepts.",
    )
    final_snapshots: bool = Field(
        default=True,
        description="Whether a final snapshot of each database is taken when it is destroyed. It must be"
        " true while protection is on.",
    )
    generation: int = Field(
        default=1,
        ge=1,
        le=9999,
        description="Counts how often the databases were built. The names of their final snapshots end"
        " with it, because they must be unique in AWS. Raise it after databases were destroyed"
        " and built again.",
    )

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases that are on, by their keys, which are also the values of `needs`."""
        every = {"postgres": self.postgres, "redis": self.redis, "documentdb": self.documentdb}
        return tuple(name for name, settings in every.items() if settings)


def snapshot_violations(data: Data, protection: bool) -> Iterator[Violation]:
    """Protection requires final snapshots. Paths start at the root of the spec."""
    if protection and not data.final_snapshots:
        rule = "with protection: true, databases must leave a final snapshot"
        yield Violation(("data", "final_snapshots"), rule, "remove the line, or write protection: false")
