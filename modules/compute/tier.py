"""The compute tier: the Kubernetes cluster, its add-ons, and nodes in every zone."""

from __future__ import annotations

from modules.compute.access import access
from modules.compute.addons import MOUNTS, addons_before_nodes, addons_on_nodes
from modules.compute.cluster import cluster
from modules.compute.identities import identities
from modules.compute.image_cache import image_cache
from modules.compute.keys import disks_key, secrets_key
from modules.compute.launch_template import launch_templates
from modules.compute.nodes import node_groups, node_role
from modules.compute.outputs import ComputeOutputs
from modules.compute.scaling import scaling, scaling_group_name
from modules.network.outputs import NetworkOutputs
from tierra.terraform.outputs import LEFT_OUT
from tierra.terraform.stack import Stack


class Compute:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        network = NetworkOutputs.read(stack)
        self.secrets_key, self.disks_key = secrets_key(stack), disks_key(stack)
        self.cluster = cluster(stack, network, self.secrets_key)
        access(stack, self.cluster)
        self.identities = identities(stack, self.cluster, self.disks_key)
        first = addons_before_nodes(stack, network, self.cluster, self.identities)
        templates = launch_templates(stack, network, self.disks_key)
        self.node_role, rights = node_role(stack)
        cache = image_cache(stack, self.node_role)
        self.nodes = node_groups(
            stack, network, self.cluster, templates, self.node_role, after=[*first, *rights, *cache]
        )
        self.addons = addons_on_nodes(stack, self.cluster, self.identities, list(self.nodes.values()))
        scaling(stack, network, self.nodes)
        self._outputs().declare(stack)

    def _outputs(self) -> ComputeOutputs:
        autoscaler = self.identities.autoscaler
        return ComputeOutputs(
            cluster_name=self.cluster.name,
            cluster_arn=self.cluster.arn,
            cluster_version=self.cluster.version,
            cluster_endpoint=self.cluster.endpoint,
            cluster_certificate_authority=self.cluster.certificate_authority.get(0).data,
            oidc_issuer=self.cluster.identity.get(0).oidc.get(0).issuer,
            node_role_arn=self.node_role.arn,
            node_group_names=[group.node_group_name for group in self.nodes.values()],
            autoscaling_group_names={
                pool.key: scaling_group_name(group) for pool, group in self.nodes.items()
            },
            autoscaler_role_arn=autoscaler.arn if autoscaler else "",
            ebs_key_arn=self.disks_key.arn,
            volumes_driver_arn=self.addons[MOUNTS].arn if MOUNTS in self.addons else LEFT_OUT,
        )
