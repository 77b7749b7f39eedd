"""The load-balancer controller: puts the addresses of Kong's pods into the target group, and may do no more.

Load balancers are Terraform's. The controller could make some for an Ingress, a Service or a Gateway; here it
is set to look at none of these, and its role could not make one.
"""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.edge.outputs import EdgeOutputs
from modules.gateway.charts import CONTROLLER, SYSTEM
from modules.gateway.identity import identity
from modules.helm import release
from modules.iam import grant
from modules.network.outputs import NetworkOutputs
from modules.policy import Everything, Statement
from modules.stack import Stack
from modules.templating import Templates

NAME = "aws-load-balancer-controller"
ROLE = "load_balancer_controller"


def controller(
    stack: Stack,
    network: NetworkOutputs,
    cluster: ComputeOutputs,
    edge: EdgeOutputs,
    after: Sequence[ITerraformDependable],
) -> Release:
    """`helm_release.load_balancer_controller`, with what its calls for a TargetGroupBinding need.

    Source: kubernetes-sigs/aws-load-balancer-controller v3.5.0, pkg/targetgroupbinding and
    pkg/networking/networking_manager.go: for a binding without a networking section these calls and no other.
    """
    role = identity(stack, cluster, ROLE, "Registers pods of Kong as targets", SYSTEM, NAME)
    rights = grant(
        stack,
        ROLE,
        role.role,
        Statement(
            sid="SeeTargets",
            actions=[
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeVpcs",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
            resources=Everything("these calls know no resources in IAM"),
        ),
        Statement(
            sid="RegisterTargets",
            actions=["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
            resources=edge.target_group_arn,
        ),
    )
    return release(
        stack,
        ROLE,
        CONTROLLER,
        name=NAME,
        namespace=SYSTEM,
        values=[
            Templates().argument(
                "gateway/controller.yaml",
                service_account=NAME,
                cluster=cluster.cluster_name,
                region=stack.environment.region,
                vpc_id=network.vpc_id,
            )
        ],
        depends_on=[*after, rights, role.association],
    )
