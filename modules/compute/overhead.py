"""Pods of the platform itself, which share the nodes with the systems: what each asks for.

Those of the add-ons are set in addons.py or are the defaults of EKS; the others are what the gateway and
observability tiers install. docs/spec.md shows the sums.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pods:
    """Equal pods: `cpu` in millicores and `memory` in MiB, of each."""

    name: str
    count: int
    cpu: int
    memory: int


# One on every node. aws-node and kube-proxy ask for what EKS sets; the identity agent asks for nothing.
AGENTS = (
    Pods("aws-node", 1, 50, 0),
    Pods("kube-proxy", 1, 100, 0),
    Pods("eks-pod-identity-agent", 1, 0, 0),
    Pods("ebs-csi-node", 1, 30, 120),
    Pods("node-exporter", 1, 20, 32),
    Pods("collector", 1, 50, 128),
)
# With volumes, a further one on every node. It and its controller ask for nothing: the values of the EFS
# driver's own chart (kubernetes-sigs/aws-efs-csi-driver, charts/aws-efs-csi-driver/values.yaml).
MOUNTER = Pods("efs-csi-node", 1, 0, 0)
MOUNTER_CONTROLLER = Pods("efs-csi-controller", 2, 0, 0)
# What the cluster needs to work at all, and to grow.
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
    Pods("prometheus", 1, 250, 1024),
    Pods("prometheus-operator", 1, 50, 128),
    Pods("alertmanager", 1, 50, 128),
    Pods("kube-state-metrics", 1, 50, 128),
    Pods("grafana", 1, 100, 256),
    Pods("cloudwatch-exporter", 1, 20, 64),
)


# Millicores and MiB of a pod of Kong: the proxy and its ingress controller.
KONG = (250, 512)


def agents(with_volumes: bool) -> tuple[Pods, ...]:
    """The pods of the platform on every node."""
    return (*AGENTS, MOUNTER) if with_volumes else AGENTS


def platform(scaling: str, kongs: int, with_volumes: bool) -> tuple[Pods, ...]:
    """All pods of the platform that are not on every node, with so many of Kong."""
    return (
        *ADDONS,
        *((AUTOSCALER,) if scaling == "pods" else ()),
        *((MOUNTER_CONTROLLER,) if with_volumes else ()),
        *SERVICES,
        Pods("kong", kongs, *KONG),
    )
