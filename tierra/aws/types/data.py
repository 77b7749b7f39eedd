"""Databases, caches and file systems."""

from __future__ import annotations

from collections.abc import Mapping

from tierra.aws.types.entry import Type

TYPES: Mapping[str, Type] = {
    "aws_db_instance": Type(
        import_sets={"skip_final_snapshot": True, "delete_automated_backups": True},
        volatile=("engine_version_actual", "latest_restorable_time", "replicas", "status"),
        holds_data=True,
        tenant=("PostgreSQL", "identifier"),
        outage="its database cannot be reached",
        interrupts={
            "engine_version": "it is upgraded, and cannot be reached meanwhile",
            "instance_class": "it restarts; with a standby, for as long as a failover takes",
            "storage_type": "it may restart while the storage starts to change",
        },
        waits=(
            "db_subnet_group_name",
            "engine_version",
            "identifier",
            "instance_class",
            "iops",
            "multi_az",
            "option_group_name",
            "allocated_storage",
            "storage_throughput",
            "storage_type",
        ),
        standbys={
            "multi_az": (
                "no standby: when its zone fails, it is down until the zone is back or it is restored",
                True,
            )
        },
        public={"publicly_accessible": True},
        version="engine_version",
        usage="backups of PostgreSQL beyond its size, growth of its storage, CPU credits",
    ),
    "aws_db_parameter_group": Type(free=True),
    "aws_db_subnet_group": Type(
        kept_while_used=True,
        contents=("aws_db_instance",),
        free=True,
    ),
    "aws_elasticache_parameter_group": Type(free=True),
    "aws_elasticache_replication_group": Type(
        volatile=("engine_version_actual", "member_clusters"),
        holds_data=True,
        tenant=("Redis", "replication_group_id"),
        outage="its cache cannot be reached",
        interrupts={
            "engine_version": "its nodes are replaced; writes fail during a failover",
            "node_type": "its nodes are replaced; writes fail during a failover",
        },
        waits=("engine", "engine_version", "node_type"),
        standbys={
            "automatic_failover_enabled": ("no failover: when its primary fails, writes fail", True),
            "multi_az_enabled": ("its nodes may share a zone", False),
        },
        counts={"num_cache_clusters": ("nodes", 1), "replicas_per_node_group": ("replicas of each shard", 0)},
        version="engine_version",
        usage="snapshots of Redis",
    ),
    "aws_elasticache_subnet_group": Type(
        kept_while_used=True,
        contents=("aws_elasticache_replication_group",),
        free=True,
    ),
    "aws_elasticache_user": Type(grants=("user_id", "access_string"), free=True),
    "aws_elasticache_user_group": Type(free=True),
    "aws_docdb_cluster": Type(
        import_sets={"skip_final_snapshot": True},
        shows_each={"cluster_members": "aws_docdb_cluster_instance"},
        holds_data=True,
        tenant=("DocumentDB", "cluster_identifier"),
        outage="its database cannot be reached",
        interrupts={"engine_version": "it is upgraded; its instances are offline for a short time"},
        waits=("engine_version",),
        version="engine_version",
        usage="storage, I/O and backups of DocumentDB",
    ),
    "aws_docdb_cluster_instance": Type(
        volatile=("writer",),
        outage="its database cannot be reached",
        partial_outage="connections to it break; the other instances answer",
        interrupts={"instance_class": "it restarts; if it is the primary, another one takes over"},
        waits=("identifier", "instance_class"),
        usage="CPU credits of burstable instances",
    ),
    "aws_docdb_cluster_parameter_group": Type(free=True),
    "aws_docdb_subnet_group": Type(
        kept_while_used=True,
        contents=("aws_docdb_cluster",),
        free=True,
    ),
    "aws_rds_cluster": Type(import_sets={"skip_final_snapshot": True, "delete_automated_backups": True}),
    "aws_efs_access_point": Type(free=True),
    "aws_efs_file_system": Type(
        holds_data=True,
        usage="files of volumes, by the bytes kept, read and written",
    ),
    "aws_efs_file_system_policy": Type(free=True),
    "aws_efs_mount_target": Type(free=True),
}
