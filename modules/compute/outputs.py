"""Outputs of the compute tier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from modules.compute.pools import pools
from tierra.terraform.outputs import LEFT_OUT, Outputs, has_volumes, keyed_by

if TYPE_CHECKING:
    from modules.spec import Environment


def node_groups(environment: Environment) -> Iterable[str]:
    """Keys of the node groups: zone letters, and `<group>_<letter>` for further groups."""
    return [pool.key for pool in pools(environment.compute, environment.network.zones)]


@dataclass(frozen=True)
class ComputeOutputs(Outputs, tier="compute"):
    """The cluster and its nodes. Lists are in the order of network.zones."""

    cluster_name: Annotated[str, "Name of the cluster"]
    cluster_arn: Annotated[str, "ARN of the cluster"]
    cluster_version: Annotated[str, "Kubernetes version of the cluster"]
    cluster_endpoint: Annotated[str, "Endpoint of the Kubernetes API server"]
    cluster_certificate_authority: Annotated[
        str, "Base64-encoded CA certificate of the Kubernetes API server"
    ]
    oidc_issuer: Annotated[str, "OIDC issuer URL of the service account tokens"]
    node_role_arn: Annotated[str, "ARN of the IAM role of the nodes"]
    node_group_names: Annotated[list[str], "Names of the managed node groups"]
    autoscaling_group_names: Annotated[
        dict[str, str],
        "Names of the EC2 Auto Scaling groups, by zone letter, or by node group and zone letter",
        keyed_by(node_groups),
    ]
    autoscaler_role_arn: Annotated[
        str, "ARN of the IAM role of the cluster autoscaler; empty if it is not installed"
    ]
    ebs_key_arn: Annotated[str, "ARN of the KMS key that encrypts node disks and EBS volumes of pods"]
    volumes_driver_arn: Annotated[
        str,
        "ARN of the EFS CSI driver add-on; resources that refer to it are destroyed before it",
        has_volumes,
    ] = LEFT_OUT
