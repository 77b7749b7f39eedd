"""Managed node groups, one in each zone.

One for each rather than one over all: a pod whose volume is in a zone finds a node there, and the autoscaler
can ask for that node. Counts of the spec are those of the environment, shared out evenly.
"""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.eks_cluster import EksCluster
from cdktf_cdktf_provider_aws.eks_node_group import (
    EksNodeGroup,
    EksNodeGroupLaunchTemplate,
    EksNodeGroupNodeRepairConfig,
    EksNodeGroupScalingConfig,
    EksNodeGroupUpdateConfig,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.launch_template import LaunchTemplate

from modules.compute.capacity import share_out
from modules.iam import attach, iam_role
from modules.network.outputs import NetworkOutputs
from modules.policy import Statement, document
from modules.stack import Stack

# Join the cluster, pull images, be reached by Session Manager instead of ssh. The network is the business of
# the VPC CNI's own role.
POLICIES = {
    "node": "AmazonEKSWorkerNodePolicy",
    "node_images": "AmazonEC2ContainerRegistryPullOnly",
    "node_sessions": "AmazonSSMManagedInstanceCore",
}


def node_groups(
    stack: Stack,
    network: NetworkOutputs,
    cluster: EksCluster,
    template: LaunchTemplate,
    role: IamRole,
    after: Sequence[ITerraformDependable],
) -> dict[str, EksNodeGroup]:
    """`aws_eks_node_group.a` and so on, by zone letter."""
    settings = stack.environment.compute
    nodes, zones = settings.nodes, stack.environment.network.zones
    least, most = share_out(nodes.min, zones), share_out(nodes.max, zones)
    start = share_out(nodes.desired or nodes.min, zones)
    return {
        zone: stack.add(
            EksNodeGroup,
            zone,
            cluster_name=cluster.name,
            node_group_name_prefix=stack.names.prefix("node_group", zone),
            node_role_arn=role.arn,
            subnet_ids=[network.private_subnet_ids[zone]],
            scaling_config=EksNodeGroupScalingConfig(
                desired_size=start[zone], min_size=least[zone], max_size=most[zone]
            ),
            ami_type=nodes.instance.ami_type,
            capacity_type="ON_DEMAND",
            instance_types=[nodes.instance_type],
            version=settings.kubernetes,
            release_version=nodes.ami_release,
            launch_template=EksNodeGroupLaunchTemplate(
                id=template.id, version=f"${{{template.fqn}.latest_version}}"
            ),
            update_config=EksNodeGroupUpdateConfig(max_unavailable_percentage=33),
            node_repair_config=EksNodeGroupNodeRepairConfig(enabled=True),
            depends_on=list(after),
            # Scaling decides how many run; a plan must not take them back.
            lifecycle=TerraformResourceLifecycle(
                create_before_destroy=True, ignore_changes=["scaling_config[0].desired_size"]
            ),
            tags=stack.tags(f"nodes-{zone}"),
        )
        for zone in zones
    }


def node_role(stack: Stack) -> tuple[IamRole, list[IamRolePolicyAttachment]]:
    """The role of every node, and its rights, which it needs before it starts and until it is gone."""
    # EC2 hands roles to instances without naming a source, so no condition could hold.
    instances = Statement(
        sid="InstancesMayAssume",
        actions="sts:AssumeRole",
        principals={"Service": f"ec2.{stack.environment.dns_suffix}"},
    )
    role = iam_role(stack, "node", "Nodes join the cluster and pull images", document(instances))
    return role, [attach(stack, name, role, policy) for name, policy in POLICIES.items()]
