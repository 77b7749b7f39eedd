"""Shared objects of the cluster: CRDs of monitors, storage class, priority class, namespaces, network
policies of Kong, and a ban on load balancers that Terraform does not manage."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.charts import PROMETHEUS_CRDS
from tierra.patterns.helm import document, release
from tierra.patterns.traces import charts
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import GATEWAY, OBSERVABILITY, RELEASES, SECRETS, SYSTEM, collectors

STORAGE_CLASS = "gp3"
PRIORITY_CLASS = "platform"


def definitions(stack: Stack, after: Sequence[ITerraformDependable]) -> Release:
    """`helm_release.prometheus_crds`, the first of all releases."""
    return release(
        stack,
        "prometheus_crds",
        PROMETHEUS_CRDS,
        name=PROMETHEUS_CRDS.name,
        namespace=SYSTEM,
        depends_on=after,
    )


def shared(stack: Stack, cluster: ComputeOutputs) -> Release:
    """`helm_release.cluster`: the project's own chart templates/gateway/cluster. It creates the namespace of
    release records, so its own record is in another one."""
    subnets = stack.environment.network.layout
    values = {
        "storageClass": {"name": STORAGE_CLASS, "keyArn": cluster.ebs_key_arn},
        "priorityClass": {"name": PRIORITY_CLASS},
        "secretsNamespace": SECRETS,
        "releasesNamespace": RELEASES,
        "observabilityNamespace": OBSERVABILITY,
        **collectors(stack.environment.observability.monitoring),
        "gateway": {
            "namespace": GATEWAY,
            "loadBalancerRanges": [str(subnet) for subnet in subnets.public.values()],
            "controlPlaneRanges": [str(subnet) for subnet in subnets.private.values()],
            "serviceRange": str(stack.environment.compute.service_cidr),
        },
    }
    return release(
        stack,
        "cluster",
        "gateway/cluster",
        name="cluster",
        namespace=SYSTEM,
        values=[document(values)],
        adapt=charts(stack),
    )
