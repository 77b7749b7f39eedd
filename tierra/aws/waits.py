"""Changes that AWS defers to a maintenance window.

Sources, for arguments that wait while apply_immediately is false (all others do not):
- RDS and DocumentDB: ModifyDBInstance and ModifyDBCluster in botocore's models (rds, docdb; 2014-10-31),
  which a test reads; for storage
  docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
- ElastiCache: ModifyReplicationGroup in botocore's model (elasticache, 2015-02-02): "changes to the nodes";
  the number of nodes never waits (IncreaseReplicaCount; terraform-provider-aws,
  internal/service/elasticache/replication_group.go)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WAITS: Mapping[str, tuple[str, ...]] = {
    "aws_db_instance": (
        *("db_subnet_group_name", "engine_version", "identifier", "instance_class", "iops", "multi_az"),
        *("option_group_name", "allocated_storage", "storage_throughput", "storage_type"),
    ),
    "aws_docdb_cluster": ("engine_version",),
    "aws_docdb_cluster_instance": ("identifier", "instance_class"),
    "aws_elasticache_replication_group": ("engine", "engine_version", "node_type"),
}
# A parameter group waits together with the version: one of another major cannot be used before.
GROUPS = ("parameter_group_name", "db_cluster_parameter_group_name")


def waits(type_name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The arguments of one change that wait for the window."""
    names = WAITS.get(type_name, ())
    if now.get("apply_immediately") is not False:
        return []
    return [name for name in names if name in now and was.get(name) != now[name]]
