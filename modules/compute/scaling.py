"""How the number of nodes follows the load: by unschedulable pods or by CPU, never by both."""

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

# The label that the autoscaler cannot read from EKS for an empty node group: the zone, as the EBS driver
# names it.
HINT = "k8s.io/cluster-autoscaler/node-template"
ZONE_HINT = f"{HINT}/label/topology.ebs.csi.aws.com/zone"
DISK_HINT, TAINT_HINT = f"{HINT}/resources/ephemeral-storage", f"{HINT}/taint/"
WARM_UP_SECONDS = 300  # warm-up: until a new node runs pods


def scaling(stack: Stack, network: NetworkOutputs, groups: Mapping[Pool, EksNodeGroup]) -> None:
    """Tags for the cluster autoscaler, or a scaling policy of EC2 Auto Scaling, on the Auto Scaling group of
    each zone."""
    for pool, group in groups.items():
        if stack.environment.compute.scaling == "pods":
            for role, (key, value) in _hints(pool, network.zone_names[pool.zone]).items():
                _hint(stack, f"{pool.address}_{role}", group, key, value)
        else:
            _follow_processors(stack, pool, group)


def scaling_group_name(group: EksNodeGroup) -> str:
    """The EC2 Auto Scaling group that EKS created for a node group."""
    return group.resources.get(0).autoscaling_groups.get(0).name


def _hints(pool: Pool, zone_name: str) -> dict[str, tuple[str, str]]:
    """Tags that describe a node group without nodes to the autoscaler, in addition to its labels, which EKS
    returns.

    EKS also returns taints, but with effects that Kubernetes does not know (NO_SCHEDULE): the autoscaler
    would add nodes for pods that cannot run there. EKS returns no disk size: it would add no nodes for pods
    that request ephemeral storage. Source: kubernetes/autoscaler, cloudprovider/aws, aws_manager.go
    (buildNodeFromTemplate) and aws_wrapper.go (getManagedNodegroupInfo).
    """
    result = {"zone": (ZONE_HINT, zone_name)}
    if isinstance(pool.nodes, Group) and pool.name:
        result["disk"] = (DISK_HINT, f"{pool.nodes.disk_for_pods}Mi")
        for number, taint in enumerate(pool.nodes.tainted(pool.name), start=1):
            result[f"taint_{number}"] = (TAINT_HINT + taint.key, f"{taint.value}:{taint.effect}")
    return result


def _hint(stack: Stack, address: str, group: EksNodeGroup, key: str, value: str) -> None:
    stack.add(
        AutoscalingGroupTagA,
        address,
        autoscaling_group_name=scaling_group_name(group),
        tag=AutoscalingGroupTagTag(key=key, value=value, propagate_at_launch=False),
    )


def _follow_processors(stack: Stack, pool: Pool, group: EksNodeGroup) -> None:
    """Nodes are drained before they are terminated: EKS delays the termination until then."""
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
