"""EKS add-ons at fixed versions: those that nodes need in order to join, and those that need nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.eks_addon import EksAddon, EksAddonPodIdentityAssociation
from cdktf_cdktf_provider_aws.eks_cluster import EksCluster

from modules.compute.identities import NETWORK, VOLUMES, Identities
from modules.compute.versions import ADDONS
from modules.network.outputs import NetworkOutputs
from modules.systems.volume_spec import volumes
from tierra.terraform.stack import Stack

BEFORE_NODES = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
ON_NODES = ("coredns", "aws-ebs-csi-driver", "metrics-server")
# Only if a system has volumes. It mounts existing access points without a role: its pods cannot create or
# delete anything in AWS.
MOUNTS = "aws-efs-csi-driver"


def addons_before_nodes(
    stack: Stack, network: NetworkOutputs, cluster: EksCluster, identities: Identities
) -> list[EksAddon]:
    """Network, kube-proxy and credentials: without them a node would join but never become ready."""
    settings = {"vpc-cni": _own_range(stack, network)}
    return [_addon(stack, cluster, identities, name, more=settings.get(name)) for name in BEFORE_NODES]


def addons_on_nodes(
    stack: Stack, cluster: EksCluster, identities: Identities, nodes: Sequence[ITerraformDependable]
) -> dict[str, EksAddon]:
    """DNS, volumes and metrics, by name: their pods need nodes, without which the add-on would be
    degraded."""
    mounts = (MOUNTS,) if volumes(stack.environment.systems) else ()
    return {name: _addon(stack, cluster, identities, name, nodes) for name in (*ON_NODES, *mounts)}


def configuration(stack: Stack, name: str) -> Mapping[str, Any]:
    """Settings of an add-on, according to its JSON schema (`aws eks describe-addon-configuration`)."""
    settings: dict[str, Mapping[str, Any]] = {
        "vpc-cni": {
            "enableNetworkPolicy": "true",
            # Prefixes of 16 addresses: the number of pods on a node then depends on its memory (capacity.py).
            "env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"},
        },
        "coredns": {
            "replicaCount": 2,
            "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
        },
        "aws-ebs-csi-driver": {
            # AWS Backup selects volumes of pods by the same tag as other resources.
            "controller": {"extraVolumeTags": {**stack.shared_tags, **stack.names.backup_tag}},
        },
        "metrics-server": {"replicas": 2},
    }
    return settings.get(name, {})


def _own_range(stack: Stack, network: NetworkOutputs) -> Mapping[str, Any] | None:
    """Pod interfaces in the pod subnets, by the zone of the node. Sources: aws/amazon-vpc-cni-k8s, README.md
    and charts/aws-vpc-cni, values.yaml and templates/eniconfig.yaml."""
    environment = stack.environment
    if environment.network.pods is None:
        return None
    return {
        "env": {
            **configuration(stack, "vpc-cni")["env"],
            "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true",
            "ENI_CONFIG_LABEL_DEF": "topology.kubernetes.io/zone",
        },
        "eniConfig": {
            "create": True,
            "region": environment.region,
            "subnets": {
                f"{environment.region}{zone}": {
                    "id": subnet,
                    "securityGroups": [network.node_security_group_id],
                }
                for zone, subnet in network.pod_subnet_ids.items()
            },
        },
    }


def _addon(
    stack: Stack,
    cluster: EksCluster,
    identities: Identities,
    name: str,
    after: Sequence[ITerraformDependable] = (),
    more: Mapping[str, Any] | None = None,
) -> EksAddon:
    roles = {"vpc-cni": (NETWORK, identities.network), "aws-ebs-csi-driver": (VOLUMES, identities.volumes)}
    values = {**configuration(stack, name), **(more or {})}
    return stack.add(
        EksAddon,
        name.replace("-", "_"),
        cluster_name=cluster.name,
        addon_name=name,
        addon_version=ADDONS[stack.environment.compute.kubernetes][name],
        configuration_values=json.dumps(values, separators=(",", ":"), sort_keys=True) if values else None,
        # Only Terraform configures the add-on: manual changes last until the next apply that changes it.
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        pod_identity_association=[
            EksAddonPodIdentityAssociation(role_arn=role.arn, service_account=account)
            for account, role in [roles[name]]
        ]
        if name in roles
        else None,
        depends_on=list(after) or None,
        tags=stack.tags(name),
    )
