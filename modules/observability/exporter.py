"""The CloudWatch exporter: CloudWatch metrics of databases for the rules and dashboards of Prometheus.

Exporters that connect to the databases would need credentials there. Redis requires IAM tokens that expire
after 15 minutes, which redis_exporter cannot create; PostgreSQL has only the password of its master user,
which a pod that reads metrics must not have. CloudWatch only needs a role.
"""

from __future__ import annotations

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.observability.charts import EXPORTER
from modules.observability.identities import identity
from tierra.patterns.helm import release
from tierra.patterns.images import pulled_from
from tierra.terraform.policy import Everything, Statement
from tierra.terraform.stack import Stack
from tierra.terraform.templating import Templates
from tierra.validation.namespaces import OBSERVABILITY

ACCOUNT = "cloudwatch-exporter"

# Metrics by CloudWatch namespace, each with its statistic; every metric is billed for each node.
METRICS = {
    "AWS/RDS": {
        "CPUUtilization": "Average",
        "DatabaseConnections": "Maximum",
        "DiskQueueDepth": "Average",
        "FreeableMemory": "Minimum",
        "FreeStorageSpace": "Minimum",
        "ReadIOPS": "Average",
        "ReplicaLag": "Maximum",
        "WriteIOPS": "Average",
    },
    "AWS/ElastiCache": {
        "CacheHits": "Sum",
        "CacheMisses": "Sum",
        "CurrConnections": "Maximum",
        "DatabaseMemoryUsagePercentage": "Maximum",
        "EngineCPUUtilization": "Average",
        "Evictions": "Sum",
        "ReplicationLag": "Maximum",
    },
    "AWS/DocDB": {
        "BufferCacheHitRatio": "Average",
        "CPUUtilization": "Average",
        "DatabaseConnections": "Maximum",
        "DatabaseCursorsTimedOut": "Sum",
        "FreeableMemory": "Minimum",
    },
}
# The namespace of each database.
NAMESPACES = {"postgres": "AWS/RDS", "redis": "AWS/ElastiCache", "documentdb": "AWS/DocDB"}
# CloudWatch also has these metrics as sums over clusters and for single shards.
DIMENSIONS = {
    "AWS/RDS": "DBInstanceIdentifier",
    "AWS/ElastiCache": "CacheClusterId",
    "AWS/DocDB": "DBInstanceIdentifier",
}


def exporter_identity(stack: Stack, compute: ComputeOutputs) -> list[ITerraformDependable]:
    """`aws_iam_role.cloudwatch_exporter`, which reads metrics; None without databases."""
    if not stack.environment.data.databases:
        return []
    reading = Statement(
        sid="ReadMetrics",
        actions=["cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "tag:GetResources"],
        resources=Everything("neither metrics nor searches by tag have resources in IAM"),
    )
    return identity(
        stack, compute, ACCOUNT, "Prometheus gets metrics of the databases from CloudWatch", reading
    )


def exporter(stack: Stack, gateway: GatewayOutputs, after: ITerraformDependable) -> Release | None:
    """`helm_release.cloudwatch_exporter`. It discovers databases by the tags of the environment, so that new
    replicas need no change here."""
    namespaces = [NAMESPACES[database] for database in stack.environment.data.databases]
    if not namespaces:
        return None
    values = Templates().argument(
        "observability/cloudwatch-exporter.yaml",
        registry=pulled_from(stack),
        account=ACCOUNT,
        region=stack.environment.region,
        priority_class=gateway.priority_class,
        tags={"Project": stack.environment.project, "Environment": stack.environment.environment},
        metrics_by_namespace={name: METRICS[name] for name in namespaces},
        dimensions=DIMENSIONS,
    )
    return release(
        stack,
        "cloudwatch_exporter",
        EXPORTER,
        name=ACCOUNT,
        namespace=OBSERVABILITY,
        values=[values],
        depends_on=[after],
    )
