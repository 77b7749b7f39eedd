"""The observability tier: alarms and notifications, dashboards, metrics, logs and traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modules.compute.outputs import ComputeOutputs
from modules.data.outputs import DataOutputs
from modules.edge.outputs import EdgeOutputs
from modules.network.outputs import NetworkOutputs
from modules.observability.alarm import Alarm, alarms
from modules.observability.budget import budget
from modules.observability.cluster import cluster
from modules.observability.composites import composites
from modules.observability.compute_alarms import compute_alarms
from modules.observability.dashboards import dashboards
from modules.observability.documentdb_alarms import documentdb_alarms
from modules.observability.edge_alarms import edge_alarms
from modules.observability.heartbeat import heartbeat_alarms
from modules.observability.network_alarms import network_alarms
from modules.observability.outputs import ObservabilityOutputs
from modules.observability.postgres_alarms import postgres_alarms
from modules.observability.redis_alarms import redis_alarms
from modules.observability.storage_alarms import storage_alarms
from modules.observability.topics import topics
from modules.observability.tracing import tracing
from modules.observability.volume_alarms import volume_alarms
from modules.storage.outputs import StorageOutputs
from tierra.terraform.stack import Stack


class Observability:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        self.network, self.storage = NetworkOutputs.read(stack), StorageOutputs.read(stack)
        self.compute, self.data = ComputeOutputs.read(stack), DataOutputs.read(stack)
        self.edge = EdgeOutputs.read(stack)
        self.topics = topics(stack, self.storage)
        self.alarms = {part: alarms(stack, self.topics, table) for part, table in self._tables(stack).items()}
        if self.data.volume_ids:
            self.alarms["volumes"] = volume_alarms(stack, self.topics, self.data)
        composites(stack, self.topics, {**self.alarms["edge"], **self.alarms.get("postgres", {})})
        settings = stack.environment.observability
        if settings.dashboards:
            dashboards(stack, self.alarms, self.network, self.storage, self.data, self.compute, self.edge)
        if settings.traces:
            tracing(stack, self.edge)
        budget(stack, self.topics)
        cluster(stack, self.network, self.compute, self.data, self.topics)
        self._outputs().declare(stack)

    def _tables(self, stack: Stack) -> Mapping[str, Iterator[Alarm]]:
        result = {
            "network": network_alarms(self.network),
            "edge": edge_alarms(stack, self.edge),
            "compute": compute_alarms(stack, self.compute),
        }
        there = stack.environment.data
        if there.postgres:
            result["postgres"] = postgres_alarms(there.postgres, self.data)
        if there.redis:
            result["redis"] = redis_alarms(there.redis, self.data)
        if there.documentdb:
            result["documentdb"] = documentdb_alarms(there.documentdb, self.data)
        result["storage"] = storage_alarms(stack, self.storage)
        if stack.environment.observability.monitoring:
            result["observability"] = heartbeat_alarms(stack)
        return result

    def _outputs(self) -> ObservabilityOutputs:
        return ObservabilityOutputs(
            page_topic_arn=self.topics.page.arn,
            ticket_topic_arn=self.topics.ticket.arn,
            alarms_key_arn=self.topics.key.arn,
        )
