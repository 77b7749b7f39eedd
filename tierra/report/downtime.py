"""Interruptions that users of the platform notice while a plan is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tierra.plans.changes import Change
from tierra.plans.standing import Standing
from tierra.plans.structures import diff
from tierra.report.findings import DOWNTIME, Finding
from tierra.report.releases import NAMESPACES, RELEASE, runs_pods
from tierra.report.waiting import when

DATABASE, RECORD = "aws_db_instance", "aws_route53_record"
# What is missing between the destruction of a resource and its replacement.
MISSED: Mapping[str, str] = {
    DATABASE: "its database cannot be reached",
    "aws_docdb_cluster": "its database cannot be reached",
    "aws_docdb_cluster_instance": "its database cannot be reached",
    "aws_eks_cluster": "everything in the cluster is deleted",
    "aws_eks_node_group": "its pods have no node",
    "aws_elasticache_replication_group": "its cache cannot be reached",
    "aws_ec2_transit_gateway_vpc_attachment": "networks behind the transit gateway cannot be reached",
    "aws_eip": "its address is permanently released, and partners that allow only it refuse the platform",
    "aws_internet_gateway": "the platform and the internet cannot reach each other",
    "aws_lb": "the platform cannot be reached",
    "aws_lb_listener": "the platform cannot be reached on its port",
    "aws_lb_target_group": "its targets get no requests",
    "aws_nat_gateway": "private subnets of its zone cannot reach the internet",
    "aws_route": "its targets cannot be reached",
    "aws_vpn_gateway_attachment": "networks behind the virtual private gateway cannot be reached",
    RECORD: "its name is not found",
    RELEASE: "its pods stop",
}
# The interruption if others of the same kind stay.
SHARED: Mapping[str, str] = {
    "aws_docdb_cluster_instance": "connections to it break; the other instances answer",
    "aws_eks_node_group": "its pods move to other nodes, if those have room",
    "aws_nat_gateway": "connections through it break; another NAT gateway takes over",
}
REPLICA = "reads that go to it fail; the primary stays"
FAILOVER = "it restarts; with a standby, for as long as a failover takes"
NODES = "its nodes are replaced one after another, and their pods move"
# Changes in place that interrupt, by the argument that changes.
#   RDS: docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
#   ElastiCache: docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html, Scaling.RedisReplGrps.html
#   DocumentDB: docs.aws.amazon.com/documentdb/latest/developerguide/db-instance-maintain.html
#   EKS: docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html
INTERRUPTS: Mapping[tuple[str, str], str] = {
    (DATABASE, "engine_version"): "it is upgraded, and cannot be reached meanwhile",
    (DATABASE, "instance_class"): FAILOVER,
    (DATABASE, "storage_type"): "it may restart while the storage starts to change",
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
    ): "its nodes are replaced; writes fail during a failover",
    (
        "aws_elasticache_replication_group",
        "node_type",
    ): "its nodes are replaced; writes fail during a failover",
}


def downtime(change: Change, standing: Standing) -> Iterator[Finding]:
    """The interruption by one change."""
    if change.destroys and change.type in MISSED and not change.left_over:
        how, critical = _missed(change, standing)
        if not how:
            return
        if change.action == "replace" and change.new_first:
            how, critical = f"the new one is there first; then {how}", False
        elif change.action == "replace":
            how = f"until the new one is there, {how}"
        yield Finding(DOWNTIME, change.tier, change.address, change.action, how, (), critical)
    elif change.action == "update":
        for name in sorted({*change.was, *change.now}):
            if (change.type, name) in INTERRUPTS and diff(change.was.get(name), change.now.get(name)):
                how = f"{name} changes: {_interrupts(change, name)}{when(change, name)}"
                yield Finding(DOWNTIME, change.tier, change.address, change.action, how)


def _missed(change: Change, standing: Standing) -> tuple[str, bool]:
    """What is missing without a resource, and whether it is critical; None if nothing is."""
    if change.type == RELEASE and not runs_pods(change.was):
        # Kubernetes deletes a namespace with the pods of other releases; those of a deleted namespace are
        # deleted too.
        replaced = change.action == "replace" and change.was.get("chart") in NAMESPACES
        return ("everything in its namespaces is deleted" if replaced else "", replaced)
    if change.type == RECORD and (change.was.get("type") == "CAA" or _proves_a_certificate(change)):
        return "", False  # only certificate authorities look these up
    if change.type == "aws_route" and standing.goes(
        "aws_route_table", "id", change.was.get("route_table_id")
    ):
        return "", False  # no subnet uses the table any more, otherwise it could not be deleted
    if change.type == DATABASE and change.was.get("replicate_source_db"):
        return REPLICA, False
    if change.type in SHARED and standing.others(change):
        return SHARED[change.type], False
    return MISSED[change.type], True


def _interrupts(change: Change, argument: str) -> str:
    """The words of the table; a replica has no standby, a primary may have one."""
    words = INTERRUPTS[change.type, argument]
    if words is not FAILOVER:
        return words
    if change.was.get("replicate_source_db"):
        return "it restarts; reads that go to it fail meanwhile"
    sides = {change.was.get("multi_az"), change.now.get("multi_az")}
    if sides == {True}:
        return "its standby takes over, and connections break for as long as that takes"
    return "it restarts, and cannot be reached meanwhile" if sides == {False} else words


def _proves_a_certificate(change: Change) -> bool:
    """Whether a record is one by which ACM validates a domain (docs.aws.amazon.com/acm/latest/userguide/
    dns-validation.html): no user looks it up."""
    records = change.was.get("records") or []
    return any(str(record).rstrip(".").endswith(".acm-validations.aws") for record in records)
