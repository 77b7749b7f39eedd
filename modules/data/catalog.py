"""Versions and instance classes that AWS offers for each database.

Versions are rows of `tierra/aws/versions.yaml`. Classes come from the models of the SDK (botocore): node
types of ElastiCache from its own model, instance classes of RDS and DocumentDB from the EC2 sizes of a
family. No session and no network access.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from tierra.aws import calendar
from tierra.aws import service_models as models

# Major versions of PostgreSQL, with the oldest minor version that RDS can still create.
POSTGRES = {
    major: calendar.rows(calendar.POSTGRES)[major].facts["oldest_minor"]
    for major in calendar.offered(calendar.POSTGRES)
}
# PostgreSQL publishes a minor version each quarter for five years; a higher number is a typing error.
MOST_MINORS = 30

# Engines of ElastiCache with Redis's protocol: names, versions and parameter group families.
ENGINES = {calendar.REDIS: "Redis", calendar.VALKEY: "Valkey"}
CACHES = {engine: tuple(calendar.offered(engine)) for engine in ENGINES}
CACHE_FAMILIES = {
    engine: {version: calendar.rows(engine)[version].facts["family"] for version in versions}
    for engine, versions in CACHES.items()
}
DOCUMENTDB = tuple(calendar.offered(calendar.DOCUMENTDB))

# Families of DB instance classes for PostgreSQL. Source: AWS, "Supported DB engines for DB instance classes",
# without previous generations, some of which lack encryption or Multi-AZ.
POSTGRES_FAMILIES = (
    *("t3", "t4g"),
    *("m5", "m5d", "m6g", "m6gd", "m6i", "m6id", "m7g", "m7i", "m8g"),
    *("r5", "r5b", "r5d", "r6g", "r6gd", "r6i", "r6id", "r7g", "r7i", "r8g", "x2iedn"),
)
# Source: AWS, "Managing instance classes" of DocumentDB. r6gd requires I/O-optimized storage.
DOCUMENTDB_FAMILIES = ("t3", "t4g", "r5", "r6g", "r8g")
DOCUMENTDB_LACKS = {"db.r8g.24xlarge", "db.r8g.48xlarge"}
# Each service offers only some sizes of burstable classes, and large and above of the others.
BURSTABLE_SIZES = {
    "postgres": ("micro", "small", "medium", "large", "xlarge", "2xlarge"),
    "documentdb": ("medium",),
}

# Memory in GiB: of burstable classes by size, of others per vCPU, by the first letter of the family. Source:
# AWS, "Hardware specifications for DB instance classes".
BURSTABLE_GIB = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
GIB_PER_VCPU = {"m": 4, "r": 8, "x": 32}

# Node types that are no longer available for new nodes, or cannot fail over without cluster mode (t2).
# Source: the documentation of the list itself, and the note on failover of aws_elasticache_replication_group.
NO_NODES = ("t1", "t2", "m1", "m2", "m3", "c1", "r3")


def burstable(instance_class: str) -> bool:
    """Whether a class uses CPU credits: `db.t4g.medium`, `cache.t3.small`."""
    return re.match(r"(db|cache)\.t\d", instance_class) is not None


def memory_gib(instance_class: str) -> int:
    """Memory of an instance class of RDS or DocumentDB, in GiB."""
    _, family, size = instance_class.split(".")
    if family.startswith("t"):
        return BURSTABLE_GIB[size]
    vcpus = 2 if size == "large" else 4 * int(size.removesuffix("xlarge") or 1)
    return vcpus * GIB_PER_VCPU[family[0]]


@cache
def postgres_classes() -> frozenset[str]:
    """Instance classes of RDS for PostgreSQL."""
    return _classes(POSTGRES_FAMILIES, BURSTABLE_SIZES["postgres"])


@cache
def documentdb_classes() -> frozenset[str]:
    """Instance classes of DocumentDB."""
    return _classes(DOCUMENTDB_FAMILIES, BURSTABLE_SIZES["documentdb"]) - DOCUMENTDB_LACKS


@cache
def redis_nodes() -> frozenset[str]:
    """Node types of ElastiCache that are available for new nodes and can fail over."""
    group = models.shape("elasticache", "CreateReplicationGroupMessage")
    text = group["members"]["CacheNodeType"]["documentation"]
    matches = re.findall(r"\bcache\.([a-z0-9]+)\.([a-z0-9]+)", text)
    return frozenset(f"cache.{family}.{size}" for family, size in matches if family not in NO_NODES)


def families(classes: Iterable[str]) -> list[str]:
    """`db.r6g` and so on, without duplicates, sorted."""
    return sorted({name.rpartition(".")[0] for name in classes})


def _classes(names: Iterable[str], burstable_sizes: tuple[str, ...]) -> frozenset[str]:
    wanted = set(names)
    split = [
        (family, size)
        for family, _, size in (name.partition(".") for name in sorted(models.instance_types()))
    ]
    return frozenset(
        f"db.{family}.{size}"
        for family, size in split
        if family in wanted
        and (size in burstable_sizes if family.startswith("t") else re.fullmatch(r"(\d*x)?large", size))
    )
