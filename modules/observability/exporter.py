"""The CloudWatch exporter: database metrics of AWS for the rules and dashboards of Prometheus.

Exporters that sign in to the databases would each need credentials there. Redis is entered with tokens of
IAM that last a quarter of an hour, which redis_exporter cannot make; PostgreSQL has one password, that of its
master user, and a pod that only reads numbers must not be its master. CloudWatch is read with a role.
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

# Metrics by namespace of CloudWatch, each with its statistic; every one of them costs money for each node.
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
# Which of them are of which database.
NAMESPACES = {"postgres": "AWS/RDS", "redis": "AWS/ElastiCache", "documentdb": "AWS/DocDB"}
# Of the same metrics CloudWatch keeps sums over clusters and single shards besides.
DIMENSIONS = {
    "AWS/RDS": "DBInstanceIdentifier",
    "AWS/ElastiCache": "CacheClusterId",
    "AWS/DocDB": "DBInstanceIdentifier",
}


def exporter_identity(stack: Stack, compute: ComputeOutputs) -> list[ITerraformDependable]:
    """`aws_iam_role.cloudwatch_exporter`, which reads metrics; none where there is no database."""
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
    """`helm_release.cloudwatch_exporter`. It finds databases by the tags of the environment, so that a new
    replica needs no change here."""
    asked = [NAMESPACES[each] for each in stack.environment.data.databases]
    if not asked:
        return None
    values = Templates().argument(
        "observability/cloudwatch-exporter.yaml",
        registry=pulled_from(stack),
        account=ACCOUNT,
        region=stack.environment.region,
        priority_class=gateway.priority_class,
        tags={"Project": stack.environment.project, "Environment": stack.environment.environment},
        metrics_by_namespace={name: METRICS[name] for name in asked},
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
