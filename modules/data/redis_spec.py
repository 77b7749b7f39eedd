"""Keys of `data.redis:`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.data.catalog import CACHE_FAMILIES, CACHES, ENGINES, burstable, redis_nodes
from modules.data.instance import sold_by, written_like
from modules.data.windows import DailyHour, WeeklyHour, window_violations
from tierra.validation.messages import choices
from tierra.validation.model import Model, Violation, rule, rule_error

EVERY = [version for versions in CACHES.values() for version in versions]


def _version(version: str) -> str:
    if version in EVERY:
        return version
    sold = ", or ".join(f"{ENGINES[engine]} {choices(versions)}" for engine, versions in CACHES.items())
    rule = f"the version must support users that IAM authenticates: {sold}"
    raise rule_error(rule, f'write "{CACHES["redis"][-1]}", in quotes')


Version = Annotated[str, AfterValidator(_version), WithJsonSchema({"type": "string", "enum": EVERY})]
EXAMPLE = "cache.r6g.large"
NodeType = Annotated[str, AfterValidator(sold_by("ElastiCache", redis_nodes, EXAMPLE)), written_like(EXAMPLE)]


class Redis(Model):
    """A primary and its replicas, without cluster mode, because brokers use several keys in one command."""

    engine: Literal["redis", "valkey"] = Field(
        default="redis",
        description="Redis OSS, whose last version is 7.1, or Valkey, which continues from there, speaks"
        " the same protocol and costs less. A group changes to Valkey in place, together with"
        " version, and cannot change back.",
    )
    version: Version = Field(
        default="7.1",
        description="Version of the engine on ElastiCache, in quotes. Valkey starts at 7.2.",
    )
    at_once: bool = Field(
        default=False,
        description="Changes engine, version and node type at once instead of in the maintenance window."
        " Set it for the one apply that changes the engine or the major version: the apply"
        " removes the old parameter group, which AWS keeps in use while a change waits.",
    )
    node_type: NodeType = Field(default="cache.r6g.large", description="Type of every node.")
    nodes: int = Field(
        default=3,
        ge=1,
        le=6,
        description="Nodes of a group: a primary and replicas, distributed over network.zones in turn."
        " With two or more, a replica takes over when the primary fails.",
    )
    separate_broker: bool = Field(
        default=False,
        description="Creates a second group of the same size for the broker. The broker then evicts"
        " nothing, and the cache may evict any key; in a shared group only keys with an expiry"
        " are evicted.",
    )
    backup_days: int = Field(
        default=7, ge=0, le=35, description="Days that daily snapshots are kept, 0 for none."
    )
    backup_window: DailyHour = Field(
        default="01:30-02:30", description="Daily window of snapshots, in UTC, at least an hour."
    )
    maintenance_window: WeeklyHour = Field(
        default="sun:10:00-sun:11:00", description="Weekly window for maintenance, in UTC, at least an hour."
    )

    @property
    def family(self) -> str:
        """Parameter group family: `redis7`, `valkey8`."""
        family: str = CACHE_FAMILIES[self.engine][self.version]
        return family

    @property
    def node_names(self) -> list[str]:
        """`node_1` and so on, in each group."""
        return [f"node_{number}" for number in range(1, self.nodes + 1)]

    @property
    def burstable(self) -> bool:
        """Whether the nodes use CPU credits."""
        return burstable(self.node_type)

    @rule("engine", "version")
    def version_is_of_the_engine(self) -> Iterator[Violation]:
        """The version must exist for the engine."""
        sold = CACHES[self.engine]
        if self.version not in sold:
            rule = f"the version of {ENGINES[self.engine]} must be {choices(sold)}, and it is {self.version}"
            key = "version" if "version" in self.model_fields_set else "engine"
            alternative = "" if self.engine == "valkey" else ", or engine: valkey beside it"
            yield Violation((key,), rule, f'write version: "{sold[-1]}"{alternative}')

    @rule("backup_window", "maintenance_window")
    def windows_are_apart(self) -> Iterator[Violation]:
        """Windows for backups and maintenance must not overlap."""
        yield from window_violations(self.backup_window, self.maintenance_window)
