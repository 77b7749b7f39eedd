"""Pods of the platform itself, which share the nodes with the systems, and their requests.

Those of the add-ons are set in addons.py or are the defaults of EKS; the others are what the gateway and
observability tiers install. docs/spec.md shows the sums.
"""

from __future__ import annotations

from dataclasses import dataclass

from modules.observability.spec import Observability


@dataclass(frozen=True)
class Pods:
    """Equal pods: `cpu` in millicores and `memory` in MiB, of each."""

    name: str
    count: int
    cpu: int
    memory: int


# Pods on every node. Requests of aws-node and kube-proxy are set by EKS; the identity agent has none.
AGENTS = (
    Pods("aws-node", 1, 50, 0),
    Pods("kube-proxy", 1, 100, 0),
    Pods("eks-pod-identity-agent", 1, 0, 0),
    Pods("ebs-csi-node", 1, 30, 120),
    Pods("collector", 1, 50, 128),
)
# With volumes, one more pod on every node. It and its controller have no requests: defaults of the EFS
# driver's chart (kubernetes-sigs/aws-efs-csi-driver, charts/aws-efs-csi-driver/values.yaml).
MOUNTER = Pods("efs-csi-node", 1, 0, 0)
MOUNTER_CONTROLLER = Pods("efs-csi-controller", 2, 0, 0)
# Pods that the cluster requires, and the autoscaler.
ADDONS = (
    Pods("coredns", 2, 100, 70),
    Pods("metrics-server", 2, 100, 200),
    Pods("ebs-csi-controller", 2, 60, 240),
)
AUTOSCALER = Pods("cluster-autoscaler", 1, 100, 300)
SERVICES = (
    Pods("load-balancer-controller", 2, 50, 128),
    Pods("external-secrets", 1, 20, 96),
    Pods("external-secrets-webhook", 2, 10, 64),
    Pods("external-secrets-cert-controller", 1, 10, 96),
)
# Optional pods of observability.
NODE_EXPORTER = Pods("node-exporter", 1, 20, 32)
MONITORING = (
    Pods("prometheus", 1, 250, 1024),
    Pods("prometheus-operator", 1, 50, 128),
    Pods("alertmanager", 1, 50, 128),
    Pods("kube-state-metrics", 1, 50, 128),
    Pods("cloudwatch-exporter", 1, 20, 64),
)
GRAFANA = Pods("grafana", 1, 100, 256)


# Millicores and MiB of a Kong pod: the proxy and its ingress controller.
KONG = (250, 512)


@dataclass(frozen=True)
class Overhead:
    """Pods of the platform. `volumes`: whether systems have volumes. `charts` are pods of own charts;
    `on_nodes` are those of them that run on every node."""

    observability: Observability
    volumes: bool = False
    charts: tuple[Pods, ...] = ()
    on_nodes: tuple[Pods, ...] = ()

    @property
    def agents(self) -> tuple[Pods, ...]:
        """All pods that run on every node."""
        exporter = (NODE_EXPORTER,) if self.observability.monitoring else ()
        return (*AGENTS, *((MOUNTER,) if self.volumes else ()), *exporter, *self.on_nodes)

    def services(self, scaling: str, kongs: int) -> tuple[Pods, ...]:
        """All pods that do not run on every node, with this number of Kong pods."""
        return (
            *ADDONS,
            *((AUTOSCALER,) if scaling == "pods" else ()),
            *((MOUNTER_CONTROLLER,) if self.volumes else ()),
            *SERVICES,
            *(MONITORING if self.observability.monitoring else ()),
            *((GRAFANA,) if self.observability.has_grafana else ()),
            Pods("kong", kongs, *KONG),
            *self.charts,
        )
