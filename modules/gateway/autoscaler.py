"""The cluster autoscaler: adds nodes for unschedulable pods and removes idle ones. Its role is in the compute
tier."""

from __future__ import annotations

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.charts import AUTOSCALER, rendered
from tierra.aws import calendar
from tierra.patterns.helm import release
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import SYSTEM


def autoscaler(stack: Stack, cluster: ComputeOutputs, after: ITerraformDependable) -> Release:
    """`helm_release.cluster_autoscaler`, for `compute.scaling: pods`."""
    images = calendar.rows(calendar.AUTOSCALER)
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
                image=images[stack.environment.compute.kubernetes].facts["image"],
            )
        ],
        depends_on=[after],
    )
