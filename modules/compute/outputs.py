"""Outputs of the cluster for other tiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from modules.compute.pools import pools
from tierra.terraform.outputs import LEFT_OUT, Outputs, has_volumes, keyed_by

if TYPE_CHECKING:
    from modules.spec import Environment


def node_groups(environment: Environment) -> Iterable[str]:
    """The letters of the zones, then those with the name of a group before them."""
    return [pool.key for pool in pools(environment.compute, environment.network.zones)]


@dataclass(frozen=True)
class ComputeOutputs(Outputs, tier="compute"):
    """The cluster and its nodes. Lists are in the order of the zones of the spec."""

    cluster_name: Annotated[str, "Name of the cluster"]
    cluster_arn: Annotated[str, "ARN of the cluster"]
    cluster_version: Annotated[str, "Version of Kubernetes"]
    cluster_endpoint: Annotated[str, "Address of the Kubernetes API"]
    cluster_certificate_authority: Annotated[str, "Certificate of the Kubernetes API's authority, in base64"]
    oidc_issuer: Annotated[str, "Issuer of the tokens of service accounts"]
    node_role_arn: Annotated[str, "ARN of the role of the nodes"]
    node_group_names: Annotated[list[str], "Names of the managed node groups"]
    autoscaling_group_names: Annotated[
        dict[str, str],
        "Names of the EC2 Auto Scaling groups of the nodes, by zone letter, or by group and zone",
        keyed_by(node_groups),
    ]
    autoscaler_role_arn: Annotated[
        str, "Role of the cluster autoscaler; empty when it is not to be installed"
    ]
    ebs_key_arn: Annotated[str, "Key that encrypts disks of nodes and volumes of pods"]
    volumes_driver_arn: Annotated[
        str, "ARN of the add-on that mounts volumes of systems; what names it is gone before it", has_volumes
    ] = LEFT_OUT
