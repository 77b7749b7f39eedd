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

from tierra.aws.types import known

# A parameter group goes with the version: one of another major cannot be used before that.
GROUPS = ("parameter_group_name", "db_cluster_parameter_group_name")


def waits(type_name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The arguments of one change that wait for the window."""
    if now.get("apply_immediately") is not False:
        return []
    return [name for name in known(type_name).waits if name in now and was.get(name) != now[name]]
