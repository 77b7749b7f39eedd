"""How the number of nodes follows the load: by pods without room or by CPU, never by both."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf_cdktf_provider_aws.autoscaling_group_tag import AutoscalingGroupTagA, AutoscalingGroupTagTag
from cdktf_cdktf_provider_aws.autoscaling_policy import (
    AutoscalingPolicy,
    AutoscalingPolicyTargetTrackingConfiguration,
    AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification,
)
from cdktf_cdktf_provider_aws.eks_node_group import EksNodeGroup

from modules.compute.nodes_spec import Group
from modules.compute.pools import Pool
from modules.network.outputs import NetworkOutputs
from tierra.terraform.stack import Stack

# What the autoscaler cannot ask EKS for about a group without nodes: the zone, as the EBS driver names it.
HINT = "k8s.io/cluster-autoscaler/node-template"
ZONE_HINT = f"{HINT}/label/topology.ebs.csi.aws.com/zone"
DISK_HINT, TAINT_HINT = f"{HINT}/resources/ephemeral-storage", f"{HINT}/taint/"
WARM_UP_SECONDS = 300  # until a new node has pods whose load says something


def scaling(stack: Stack, network: NetworkOutputs, groups: Mapping[Pool, EksNodeGroup]) -> None:
    """Tags for the cluster autoscaler, or a policy of EC2 Auto Scaling, on the scaling group of each zone."""
    for pool, group in groups.items():
        if stack.environment.compute.scaling == "pods":
            for role, (key, value) in _hints(pool, network.zone_names[pool.zone]).items():
                _hint(stack, f"{pool.address}_{role}", group, key, value)
        else:
            _follow_processors(stack, pool, group)


def scaling_group_name(group: EksNodeGroup) -> str:
    """The EC2 Auto Scaling group that EKS made for a node group."""
    return group.resources.get(0).autoscaling_groups.get(0).name


def _hints(pool: Pool, zone_name: str) -> dict[str, tuple[str, str]]:
    """What the autoscaler must know of a group that may have no nodes, besides what it asks EKS for: labels.

    EKS tells it of taints, too, in words that mean nothing to Kubernetes (NO_SCHEDULE): it would add nodes
    for pods that do not go there. It learns of no disk: it would add none for pods that ask for some. Source:
    kubernetes/autoscaler, cloudprovider/aws, aws_manager.go (buildNodeFromTemplate) and aws_wrapper.go
    (getManagedNodegroupInfo).
    """
    found = {"zone": (ZONE_HINT, zone_name)}
    if isinstance(pool.nodes, Group) and pool.name:
        found["disk"] = (DISK_HINT, f"{pool.nodes.disk_for_pods}Mi")
        for number, each in enumerate(pool.nodes.tainted(pool.name), start=1):
            found[f"taint_{number}"] = (TAINT_HINT + each.key, f"{each.value}:{each.effect}")
    return found


def _hint(stack: Stack, address: str, group: EksNodeGroup, key: str, value: str) -> None:
    stack.add(
        AutoscalingGroupTagA,
        address,
        autoscaling_group_name=scaling_group_name(group),
        tag=AutoscalingGroupTagTag(key=key, value=value, propagate_at_launch=False),
    )


def _follow_processors(stack: Stack, pool: Pool, group: EksNodeGroup) -> None:
    """A node that is taken away is drained first: EKS holds its termination back until that is done."""
    stack.add(
        AutoscalingPolicy,
        pool.address,
        name=stack.names.of("scaling_policy", f"cpu-{pool.key}"),
        autoscaling_group_name=scaling_group_name(group),
        policy_type="TargetTrackingScaling",
        estimated_instance_warmup=WARM_UP_SECONDS,
        target_tracking_configuration=AutoscalingPolicyTargetTrackingConfiguration(
            target_value=stack.environment.compute.cpu_percent,
            predefined_metric_specification=AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification(
                predefined_metric_type="ASGAverageCPUUtilization"
            ),
        ),
    )
