"""How the number of nodes follows the load: by pods without room, or by processors. Never by both."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf_cdktf_provider_aws.autoscaling_group_tag import AutoscalingGroupTagA, AutoscalingGroupTagTag
from cdktf_cdktf_provider_aws.autoscaling_policy import (
    AutoscalingPolicy,
    AutoscalingPolicyTargetTrackingConfiguration,
    AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification,
)
from cdktf_cdktf_provider_aws.eks_node_group import EksNodeGroup

from modules.network.outputs import NetworkOutputs
from modules.stack import Stack

# What the autoscaler cannot ask EKS for about a group without nodes: the zone, as the EBS driver names it.
ZONE_HINT = "k8s.io/cluster-autoscaler/node-template/label/topology.ebs.csi.aws.com/zone"
WARM_UP_SECONDS = 300  # until a new node has pods whose load says something


def scaling(stack: Stack, network: NetworkOutputs, groups: Mapping[str, EksNodeGroup]) -> None:
    """Tags for the cluster autoscaler, or a policy of EC2 Auto Scaling, on the scaling group of each zone."""
    for zone, group in groups.items():
        if stack.environment.compute.scaling == "pods":
            _hint(stack, zone, group, network.zone_names[zone])
        else:
            _follow_processors(stack, zone, group)


def scaling_group_name(group: EksNodeGroup) -> str:
    """The EC2 Auto Scaling group that EKS made for a node group."""
    return group.resources.get(0).autoscaling_groups.get(0).name


def _hint(stack: Stack, zone: str, group: EksNodeGroup, zone_name: str) -> None:
    stack.add(
        AutoscalingGroupTagA,
        f"{zone}_zone",
        autoscaling_group_name=scaling_group_name(group),
        tag=AutoscalingGroupTagTag(key=ZONE_HINT, value=zone_name, propagate_at_launch=False),
    )


def _follow_processors(stack: Stack, zone: str, group: EksNodeGroup) -> None:
    """A node that is taken away is drained first: EKS holds its termination back until that is done."""
    stack.add(
        AutoscalingPolicy,
        zone,
        name=stack.names.of("scaling_policy", f"cpu-{zone}"),
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
