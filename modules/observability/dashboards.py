"""The contents of the dashboard of each tier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from modules.compute.outputs import ComputeOutputs
from modules.compute.pools import pools
from modules.data.outputs import DataOutputs
from modules.data.postgres_spec import Postgres as Settings
from modules.edge.outputs import EdgeOutputs
from modules.network.outputs import NetworkOutputs
from modules.observability import compute_alarms, documentdb_alarms, postgres_alarms, redis_alarms
from modules.observability.dashboard import Chart, dashboard
from modules.observability.edge_alarms import DUE_DAYS, balancer, certificate, firewall, targets
from modules.observability.heartbeat import ROLE as HEARTBEAT
from modules.observability.heartbeat import messages
from modules.observability.metric import DAY, Metric
from modules.observability.network_alarms import nat
from modules.observability.storage_alarms import vault
from modules.observability.volume_alarms import BUSY_PERCENT, by_volume, stored, volume
from modules.storage.outputs import StorageOutputs
from tierra.terraform.stack import Stack

Watched = Mapping[str, Mapping[str, CloudwatchMetricAlarm]]


def dashboards(
    stack: Stack,
    watched: Watched,
    network: NetworkOutputs,
    storage: StorageOutputs,
    data: DataOutputs,
    compute: ComputeOutputs,
    edge: EdgeOutputs,
) -> None:
    """One for each tier with metrics; `watched` are the alarms by their subject."""

    def show(tier: str, parts: Sequence[str], charts: Sequence[Chart]) -> None:
        titles = {f"Alarms: {part}": list(watched[part].values()) for part in parts}
        dashboard(stack, tier, titles, charts)

    if network.nat_gateway_ids:
        show("network", ["network"], _network(network))
    show("storage", ["storage"], _storage(storage))
    databases = stack.environment.data.databases
    if subjects := [*databases, *(["volumes"] if data.volume_ids else [])]:
        charts = [chart for database in databases for chart in _databases(stack, database, data)]
        show("data", subjects, [*charts, *(_volumes(data) if data.volume_ids else [])])
    show("compute", ["compute"], _compute(stack, compute))
    show("edge", ["edge"], _edge(stack, edge))
    parts = ["observability"] if "observability" in watched else []
    show("observability", parts, _observability(stack))


def _labelled(of: Mapping[str, str], metric: Callable[[str], Metric]) -> dict[str, Metric]:
    """A line for each resource, labelled with its name."""
    return {name.replace("_", " "): metric(identifier) for name, identifier in of.items()}


def _network(network: NetworkOutputs) -> list[Chart]:
    def by_zone(metric: str) -> dict[str, Metric]:
        return _labelled(network.nat_gateway_ids, lambda gateway: nat(gateway, metric))

    return [
        Chart("NAT: bytes to the internet", by_zone("BytesOutToDestination")),
        Chart("NAT: bytes from the internet", by_zone("BytesInFromDestination")),
        Chart("NAT: new connections", by_zone("ConnectionAttemptCount")),
        Chart("NAT: connections refused for want of a port", by_zone("ErrorPortAllocation"), limit=0),
        Chart("NAT: packets dropped", by_zone("PacketsDropCount")),
        Chart("NAT: idle connections cut", by_zone("IdleTimeoutCount")),
    ]


def _storage(storage: StorageOutputs) -> list[Chart]:
    def bucket(metric: str, kind: str) -> Metric:
        dimensions = {"BucketName": storage.files_bucket_name, "StorageType": kind}
        return Metric("AWS/S3", metric, dimensions, "Average", DAY)

    ends = ("Completed", "Failed", "Expired")
    return [
        Chart("Backups", {end: vault(storage, f"NumberOfBackupJobs{end}", DAY) for end in ends}),
        Chart("Copies", {end: vault(storage, f"NumberOfCopyJobs{end}", DAY) for end in ends[:2]}),
        Chart("Restores", {end: vault(storage, f"NumberOfRestoreJobs{end}", DAY) for end in ends[:2]}),
        Chart("Files: bytes", {"standard": bucket("BucketSizeBytes", "StandardStorage")}),
        Chart("Files: objects", {"objects": bucket("NumberOfObjects", "AllStorageTypes")}),
    ]


def _databases(stack: Stack, database: str, data: DataOutputs) -> list[Chart]:
    if postgres := stack.environment.data.postgres if database == "postgres" else None:
        return _postgres(postgres, data)
    return _redis(data) if database == "redis" else _documentdb(data)


def _volumes(data: DataOutputs) -> list[Chart]:
    def lines(metric: str, statistic: str = "Average") -> dict[str, Metric]:
        return _labelled(by_volume(data), lambda identifier: volume(identifier, metric, statistic))

    return [
        Chart("Volumes: bytes", _labelled(by_volume(data), stored)),
        Chart("Volumes: % of the operations they take", lines("PercentIOLimit"), limit=BUSY_PERCENT),
        Chart("Volumes: bytes read and written", lines("MeteredIOBytes", "Sum")),
        Chart("Volumes: connections", lines("ClientConnections", "Sum")),
    ]


def _postgres(settings: Settings, data: DataOutputs) -> list[Chart]:
    every = {"primary": data.postgres_identifier, **data.postgres_replica_identifiers}
    replicas = data.postgres_replica_identifiers

    def lines(metric: str, of: Mapping[str, str] = every, statistic: str = "Average") -> dict[str, Metric]:
        return _labelled(of, lambda identifier: postgres_alarms.instance(identifier, metric, statistic))

    free = settings.storage_gb * postgres_alarms.GIB * postgres_alarms.FREE_PERCENT
    charts = [
        Chart("PostgreSQL: CPU %", lines("CPUUtilization"), limit=postgres_alarms.BUSY_PERCENT),
        Chart("PostgreSQL: sessions at work", lines("DBLoad")),
        Chart("PostgreSQL: connections", lines("DatabaseConnections", statistic="Maximum")),
        Chart("PostgreSQL: free memory", lines("FreeableMemory")),
        Chart("PostgreSQL: free storage", lines("FreeStorageSpace"), limit=free // 100),
        Chart("PostgreSQL: seconds of a write", lines("WriteLatency")),
        Chart("PostgreSQL: seconds of a read", lines("ReadLatency")),
    ]
    if replicas:
        lag = lines("ReplicaLag", replicas, "Maximum")
        charts.append(Chart("PostgreSQL: seconds behind", lag, limit=postgres_alarms.LAG_SECONDS))
    return charts


def _redis(data: DataOutputs) -> list[Chart]:
    broker = {f"broker {name}": node for name, node in data.redis_broker_node_ids.items()}

    def lines(metric: str, statistic: str = "Maximum") -> dict[str, Metric]:
        every = {**data.redis_node_ids, **broker}
        return _labelled(every, lambda identifier: redis_alarms.node(identifier, metric, statistic))

    memory = lines("DatabaseMemoryUsagePercentage")
    return [
        Chart("Redis: CPU % of the engine", lines("EngineCPUUtilization"), limit=redis_alarms.BUSY_PERCENT),
        Chart("Redis: memory %", memory, limit=redis_alarms.MEMORY_PERCENT),
        Chart("Redis: evictions", lines("Evictions", "Sum")),
        Chart("Redis: connections", lines("CurrConnections")),
        Chart("Redis: hits %", lines("CacheHitRate", "Average")),
        Chart("Redis: seconds behind", lines("ReplicationLag"), limit=redis_alarms.LAG_SECONDS),
    ]


def _documentdb(data: DataOutputs) -> list[Chart]:
    def lines(metric: str, statistic: str = "Average") -> dict[str, Metric]:
        every = data.documentdb_instance_identifiers
        return _labelled(every, lambda identifier: documentdb_alarms.instance(identifier, metric, statistic))

    return [
        Chart("DocumentDB: CPU %", lines("CPUUtilization"), limit=documentdb_alarms.BUSY_PERCENT),
        Chart("DocumentDB: free memory", lines("FreeableMemory")),
        Chart("DocumentDB: connections", lines("DatabaseConnectionsMax", "Maximum")),
        Chart("DocumentDB: milliseconds behind", lines("DBInstanceReplicaLag", "Maximum")),
        Chart("DocumentDB: found in memory %", lines("BufferCacheHitRatio")),
        Chart("DocumentDB: cursors timed out", lines("DatabaseCursorsTimedOut", "Sum")),
    ]


def _compute(stack: Stack, compute: ComputeOutputs) -> list[Chart]:
    def plane(statistic: str, **metrics: str) -> dict[str, Metric]:
        return {
            label.replace("_", " "): compute_alarms.cluster(compute, metric, statistic)
            for label, metric in metrics.items()
        }

    def by_zone(metric: Callable[[str], Metric]) -> dict[str, Metric]:
        return _labelled(compute.autoscaling_group_names, metric)

    pending, answers = "scheduler_pending_pods_UNSCHEDULABLE", "apiserver_request_total"
    slow = "apiserver_request_duration_seconds_{}_P99".format
    charts = [
        Chart("Nodes in service", by_zone(lambda g: compute_alarms.group_size(g, "GroupInServiceInstances"))),
        Chart("Nodes at most", by_zone(lambda g: compute_alarms.group_size(g, "GroupMaxSize"))),
        Chart("Nodes: CPU %", by_zone(lambda g: compute_alarms.nodes(g, "CPUUtilization", "Average"))),
        Chart("Nodes: failed", by_zone(lambda g: compute_alarms.nodes(g, "StatusCheckFailed", "Maximum"))),
        Chart("Pods without room", plane("Maximum", pods=pending)),
        Chart("Kubernetes API: failed", plane("Sum", server=f"{answers}_5XX", throttled=f"{answers}_429")),
        Chart("Kubernetes API: requests", plane("Sum", all=answers)),
        Chart("Kubernetes API: seconds", plane("Average", get=slow("GET"), post=slow("POST"))),
        Chart("Kubernetes: bytes of its store", plane("Maximum", store="apiserver_storage_size_bytes")),
    ]
    environment = stack.environment
    if burstable := [
        pool.key for pool in pools(environment.compute, environment.network.zones) if pool.nodes.burstable
    ]:
        groups = {key: compute.autoscaling_group_names[key] for key in burstable}
        lines = _labelled(groups, lambda group: compute_alarms.nodes(group, "CPUCreditBalance", "Minimum"))
        charts.append(Chart("Nodes: CPU credits", lines))
    return charts


def _edge(stack: Stack, edge: EdgeOutputs) -> list[Chart]:
    failed = {"systems": "HTTPCode_Target_5XX_Count", "load balancer": "HTTPCode_ELB_5XX_Count"}
    slow = {statistic: balancer(edge, "TargetResponseTime", statistic) for statistic in ("p50", "p95", "p99")}
    return [
        Chart("Requests", {"requests": balancer(edge, "RequestCount")}),
        Chart("Answers 5xx", {label: balancer(edge, metric) for label, metric in failed.items()}),
        Chart("Answers 4xx", {"systems": balancer(edge, "HTTPCode_Target_4XX_Count")}),
        Chart("Seconds to answer", slow, limit=stack.environment.observability.slow_seconds),
        Chart(
            "Pods of the gateway",
            {
                "healthy": targets(edge, "HealthyHostCount", "Maximum"),
                "unhealthy": targets(edge, "UnHealthyHostCount", "Maximum"),
            },
        ),
        Chart("Connections refused", {"refused": balancer(edge, "RejectedConnectionCount")}),
        *_firewall(stack, edge),
        Chart("Certificate: days left", {"days": certificate(edge)}, limit=DUE_DAYS),
    ]


def _firewall(stack: Stack, edge: EdgeOutputs) -> list[Chart]:
    if not stack.environment.edge.waf:
        return []
    kinds = ("allowed", "blocked", "counted")
    lines = {kind: firewall(stack, edge, f"{kind.capitalize()}Requests") for kind in kinds}
    return [Chart("Firewall", lines)]


def _observability(stack: Stack) -> list[Chart]:
    def by_topic(metric: str) -> dict[str, Metric]:
        return {role: messages(stack, role, metric) for role in ("page", "ticket")}

    beats = {"heartbeats": messages(stack, HEARTBEAT, "NumberOfMessagesPublished")}
    return [
        Chart("Messages to people", by_topic("NumberOfMessagesPublished")),
        Chart("Messages that did not arrive", by_topic("NumberOfNotificationsFailed"), limit=0),
        *([Chart("Heartbeats of Prometheus", beats)] if stack.environment.observability.monitoring else []),
    ]
