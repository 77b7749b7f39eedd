"""What the whole cluster shares: definitions of monitors, a class of volumes, a class of pods, and the
namespace of Kong."""

from __future__ import annotations

from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.charts import PROMETHEUS_CRDS
from modules.helm import document, release
from modules.stack import Stack

NAMESPACE = "gateway"
STORAGE_CLASS = "gp3"
PRIORITY_CLASS = "platform"
SYSTEM = "kube-system"


def definitions(stack: Stack) -> Release:
    """`helm_release.prometheus_crds`."""
    return release(
        stack,
        "prometheus_crds",
        PROMETHEUS_CRDS,
        name=PROMETHEUS_CRDS.name,
        namespace=SYSTEM,
    )


def shared(stack: Stack, cluster: ComputeOutputs) -> Release:
    """`helm_release.cluster`: the project's own chart templates/gateway/cluster."""
    values = {
        "storageClass": {"name": STORAGE_CLASS, "keyArn": cluster.ebs_key_arn},
        "priorityClass": {"name": PRIORITY_CLASS},
        "gatewayNamespace": NAMESPACE,
    }
    return release(
        stack, "cluster", "gateway/cluster", name="cluster", namespace=SYSTEM, values=[document(values)]
    )
