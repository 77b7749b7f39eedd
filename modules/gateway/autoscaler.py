"""The cluster autoscaler: adds nodes for pods without room and removes idle ones, when the spec says so."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.charts import AUTOSCALER, SYSTEM
from modules.helm import release
from modules.stack import Stack
from modules.templating import Templates

# Its service account; the tier compute ties a role to it.
NAME = "cluster-autoscaler"
# It simulates the scheduler, so it is of the cluster's version. Images that are released, as the table of
# aws-ia/terraform-aws-eks-blueprints-addons #516 has them (tags of kubernetes/autoscaler).
IMAGES = {"1.33": "v1.33.5", "1.34": "v1.34.4", "1.35": "v1.35.1"}


def autoscaler(
    stack: Stack, cluster: ComputeOutputs, after: Sequence[ITerraformDependable]
) -> Release | None:
    """`helm_release.cluster_autoscaler`; None unless `compute.scaling` is `pods`."""
    compute = stack.environment.compute
    if compute.scaling != "pods":
        return None
    return release(
        stack,
        "cluster_autoscaler",
        AUTOSCALER,
        name=NAME,
        namespace=SYSTEM,
        values=[
            Templates().argument(
                "gateway/autoscaler.yaml",
                service_account=NAME,
                image=IMAGES[compute.kubernetes],
                cluster=cluster.cluster_name,
                region=stack.environment.region,
            )
        ],
        depends_on=list(after),
    )
