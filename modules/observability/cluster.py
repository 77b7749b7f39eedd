"""The part of observability that runs in the cluster."""

from __future__ import annotations

from modules.compute.outputs import ComputeOutputs
from modules.data.outputs import DataOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.network.outputs import NetworkOutputs
from modules.observability.collector import collector, collector_identity, pod_logs
from modules.observability.exporter import exporter, exporter_identity
from modules.observability.grafana import grafana, grafana_identity
from modules.observability.grafana_secret import grafana_secret
from modules.observability.heartbeat import heartbeat
from modules.observability.platform import platform
from modules.observability.prometheus import alertmanager_identity, prometheus
from modules.observability.systems import systems
from modules.observability.topics import Topics
from tierra.patterns.helm import helm_provider
from tierra.terraform.stack import Stack


def cluster(
    stack: Stack, network: NetworkOutputs, compute: ComputeOutputs, data: DataOutputs, topics: Topics
) -> None:
    """All releases. The first creates the namespaces of the others."""
    gateway = GatewayOutputs.read(stack)
    helm_provider(stack, compute)
    settings = stack.environment.observability
    watchdog = heartbeat(stack, topics) if settings.monitoring else None
    logs = pod_logs(stack, network)
    identities = [
        *(alertmanager_identity(stack, compute, topics, watchdog) if watchdog else []),
        *(exporter_identity(stack, compute) if settings.monitoring else []),
        *collector_identity(stack, compute, logs),
        *(grafana_identity(stack, compute, logs) if settings.has_grafana else []),
    ]
    secret = grafana_secret(stack, data, gateway) if settings.has_grafana else None
    base = platform(stack, gateway, secret, identities)
    if watchdog:
        prometheus(stack, gateway, topics, watchdog, base)
        exporter(stack, gateway, base)
    collector(stack, gateway, logs, base)
    if settings.has_grafana:
        grafana(stack, gateway, logs, base)
    if settings.monitoring:
        systems(stack, base)
