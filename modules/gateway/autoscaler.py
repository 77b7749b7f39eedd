"""The cluster autoscaler: adds nodes for pods without room and removes idle ones. Its role is of the compute
tier."""

from __future__ import annotations

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.charts import AUTOSCALER, rendered
from modules.helm import release
from modules.namespaces import SYSTEM
from modules.stack import Stack

# It simulates the scheduler, so it is of the minor version of the cluster. Releases of kubernetes/autoscaler,
# cluster-autoscaler-<version>.
IMAGES = {"1.33": "v1.33.5", "1.34": "v1.34.4", "1.35": "v1.35.1"}


def autoscaler(stack: Stack, cluster: ComputeOutputs, after: ITerraformDependable) -> Release:
    """`helm_release.cluster_autoscaler`, for `compute.scaling: pods`."""
    return release(
        stack,
        "cluster_autoscaler",
        AUTOSCALER,
        name=AUTOSCALER.name,
        namespace=SYSTEM,
        values=[
            rendered(
                stack,
                AUTOSCALER,
                cluster=cluster.cluster_name,
                region=stack.environment.region,
                image=IMAGES[stack.environment.compute.kubernetes],
            )
        ],
        depends_on=[after],
    )
