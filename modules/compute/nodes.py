"""Managed node groups: one in each zone, and for each further group, one in each of its zones.

A group for each zone, not one for all: a pod with a volume in a zone needs a node there, and the autoscaler
can then add one. Numbers of nodes in the spec are totals, which are distributed evenly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.eks_cluster import EksCluster
from cdktf_cdktf_provider_aws.eks_node_group import (
    EksNodeGroup,
    EksNodeGroupLaunchTemplate,
    EksNodeGroupNodeRepairConfig,
    EksNodeGroupScalingConfig,
    EksNodeGroupTaint,
    EksNodeGroupUpdateConfig,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.launch_template import LaunchTemplate

from modules.compute.nodes_spec import LABEL, Group
from modules.compute.pools import Pool, pools
from modules.network.outputs import NetworkOutputs
from tierra.patterns.iam import attach, iam_role
from tierra.terraform.policy import Statement, document
from tierra.terraform.stack import Stack

# Effects of taints: Kubernetes -> EKS (botocore: eks, shape TaintEffect).
EFFECTS = {
    "NoSchedule": "NO_SCHEDULE",
    "NoExecute": "NO_EXECUTE",
    "PreferNoSchedule": "PREFER_NO_SCHEDULE",
}
# Join the cluster, pull images, and allow Session Manager instead of ssh. The VPC CNI has its own role.
POLICIES = {
    "node": "AmazonEKSWorkerNodePolicy",
    "node_images": "AmazonEC2ContainerRegistryPullOnly",
    "node_sessions": "AmazonSSMManagedInstanceCore",
}


def node_groups(
    stack: Stack,
    network: NetworkOutputs,
    cluster: EksCluster,
    templates: Mapping[str | None, LaunchTemplate],
    role: IamRole,
    after: Sequence[ITerraformDependable],
) -> dict[Pool, EksNodeGroup]:
    """`aws_eks_node_group.a` and so on, by zone letter; in further groups prefixed with the name of the
    group."""
    environment = stack.environment
    return {
        pool: _node_group(stack, pool, network, cluster, templates[pool.name], role, after)
        for pool in pools(environment.compute, environment.network.zones)
    }


def _node_group(
    stack: Stack,
    pool: Pool,
    network: NetworkOutputs,
    cluster: EksCluster,
    template: LaunchTemplate,
    role: IamRole,
    after: Sequence[ITerraformDependable],
) -> EksNodeGroup:
    nodes = pool.nodes
    group = nodes if isinstance(nodes, Group) else None
    spot = group is not None and group.capacity == "spot"
    return stack.add(
        EksNodeGroup,
        pool.address,
        cluster_name=cluster.name,
        node_group_name_prefix=stack.names.prefix("node_group", pool.key),
        node_role_arn=role.arn,
        subnet_ids=[network.private_subnet_ids[pool.zone]],
        scaling_config=EksNodeGroupScalingConfig(
            desired_size=pool.start, min_size=pool.least, max_size=pool.most
        ),
        ami_type=nodes.instance.ami_type,
        capacity_type="SPOT" if spot else "ON_DEMAND",
        instance_types=list(nodes.types),
        labels={LABEL: pool.name, **group.labels} if group and pool.name else None,
        taint=[
            EksNodeGroupTaint(key=taint.key, value=taint.value, effect=EFFECTS[taint.effect])
            for taint in group.tainted(pool.name)
        ]
        if group and pool.name
        else None,
        version=stack.environment.compute.kubernetes,
        release_version=nodes.ami_release,
        launch_template=EksNodeGroupLaunchTemplate(
            id=template.id, version=f"${{{template.fqn}.latest_version}}"
        ),
        update_config=EksNodeGroupUpdateConfig(max_unavailable_percentage=33),
        node_repair_config=EksNodeGroupNodeRepairConfig(enabled=True),
        depends_on=list(after),
        # Scaling sets the number of nodes; a plan must not revert it.
        lifecycle=TerraformResourceLifecycle(
            create_before_destroy=True, ignore_changes=["scaling_config[0].desired_size"]
        ),
        tags=stack.tags(f"nodes-{pool.key}"),
    )


def node_role(stack: Stack) -> tuple[IamRole, list[IamRolePolicyAttachment]]:
    """The role of all nodes, and its policies, which exist before the nodes and as long as they do."""
    # EC2 sets no source in its requests for instance roles, so no condition could match.
    instances = Statement(
        sid="InstancesMayAssume",
        actions="sts:AssumeRole",
        principals={"Service": f"ec2.{stack.environment.dns_suffix}"},
    )
    role = iam_role(stack, "node", "Nodes join the cluster and pull images", document(instances))
    return role, [attach(stack, name, role, policy) for name, policy in POLICIES.items()]
