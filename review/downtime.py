"""What users of the platform notice while a plan is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from review.changes import Change
from review.findings import DOWNTIME, Finding
from review.structures import diff

# Who misses a resource between its end and the new one.
MISSED: Mapping[str, str] = {
    "aws_db_instance": "its database cannot be reached",
    "aws_docdb_cluster": "its database cannot be reached",
    "aws_docdb_cluster_instance": "one instance less; connections to it break",
    "aws_eks_cluster": "everything in the cluster is gone",
    "aws_eks_node_group": "its pods move to other nodes, if those have room",
    "aws_elasticache_replication_group": "its cache cannot be reached",
    "aws_eip": "its address goes back to AWS for good, and partners that allow it refuse the platform",
    "aws_internet_gateway": "the platform and the internet do not reach each other",
    "aws_lb": "nobody reaches the platform",
    "aws_lb_listener": "nobody reaches the platform on its port",
    "aws_lb_target_group": "its targets get no requests",
    "aws_nat_gateway": "private subnets of its zone reach nothing outside",
    "aws_route": "what it leads to cannot be reached",
    "aws_route53_record": "its name is not found",
    "helm_release": "its pods stop",
}

FAILOVER = "it restarts; with a standby, for as long as a failover takes"
NODES = "its nodes are replaced one after another, and their pods move"
# Changes in place that interrupt, by the argument that changes.
#   RDS: docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
#   ElastiCache: docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html, Scaling.RedisReplGrps.html
#   DocumentDB: docs.aws.amazon.com/documentdb/latest/developerguide/db-instance-maintain.html
#   EKS: docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html
INTERRUPTS: Mapping[tuple[str, str], str] = {
    ("aws_db_instance", "engine_version"): "it is upgraded, and cannot be reached meanwhile",
    ("aws_db_instance", "instance_class"): FAILOVER,
    ("aws_db_instance", "storage_type"): "it may restart while the storage starts to change",
    ("aws_docdb_cluster", "engine_version"): "it is upgraded; its instances are offline for a short time",
    (
        "aws_docdb_cluster_instance",
        "instance_class",
    ): "it restarts; if it is the primary, another one takes over",
    ("aws_eks_node_group", "launch_template"): NODES,
    ("aws_eks_node_group", "release_version"): NODES,
    ("aws_eks_node_group", "version"): NODES,
    (
        "aws_elasticache_replication_group",
        "engine_version",
    ): "its nodes are replaced; writes fail for a failover",
    ("aws_elasticache_replication_group", "node_type"): "its nodes are replaced; writes fail for a failover",
}
WINDOWS = ("maintenance_window", "preferred_maintenance_window")


def downtime(change: Change) -> Iterator[Finding]:
    """What one change interrupts."""
    if change.destroys and change.type in MISSED:
        how = MISSED[change.type]
        if change.action == "replace" and change.new_first:
            how = f"the new one is there first; for a moment {how}"
        elif change.action == "replace":
            how = f"until the new one is there, {how}"
        grave = not change.new_first
        yield Finding(DOWNTIME, change.tier, change.address, change.action, how, (), grave)
    elif change.action == "update":
        for name in sorted({*change.was, *change.now}):
            if (change.type, name) in INTERRUPTS and diff(change.was.get(name), change.now.get(name)):
                how = f"{name} changes: {INTERRUPTS[change.type, name]}{when(change)}"
                yield Finding(DOWNTIME, change.tier, change.address, change.action, how)


def when(change: Change) -> str:
    """When AWS does what it may put off; empty where it cannot wait."""
    if "apply_immediately" not in change.now:
        return ""
    window = next((change.now[name] for name in WINDOWS if isinstance(change.now.get(name), str)), None)
    if change.now["apply_immediately"]:
        return ", at once"
    return f", in the maintenance window{f' ({window} UTC)' if window else ''}"
