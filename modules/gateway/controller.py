"""The AWS load-balancer controller, which only registers the addresses of Kong pods in the target group of
the edge tier. Its role cannot create load balancers or change security groups."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.edge.outputs import EdgeOutputs
from modules.gateway.charts import CONTROLLER, rendered
from modules.network.outputs import NetworkOutputs
from tierra.patterns.helm import release
from tierra.patterns.iam import grant
from tierra.patterns.pod_identity import associate, pod_role
from tierra.terraform.policy import Everything, Statement
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import SYSTEM

ACCOUNT = "aws-load-balancer-controller"


def controller_identity(
    stack: Stack, cluster: ComputeOutputs, edge: EdgeOutputs
) -> list[ITerraformDependable]:
    """`aws_iam_role.load_balancer_controller`, its policy and its pod identity association."""
    role = pod_role(
        stack, "load_balancer_controller", "The controller registers pods as targets", SYSTEM, ACCOUNT
    )
    # Permissions for a TargetGroupBinding of IP addresses without a networking section; only instance targets
    # and security group rules require more. Source: kubernetes-sigs/aws-load-balancer-controller v3.5.0,
    # pkg/targetgroupbinding and pkg/networking.
    rights = grant(
        stack,
        "load_balancer_controller",
        role,
        Statement(
            sid="SeeTargetsAndNetwork",
            actions=[
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeVpcs",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
            resources=Everything("these calls know no resources in IAM"),
        ),
        Statement(
            sid="RegisterPodsOfKong",
            actions=["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
            resources=edge.target_group_arn,
        ),
    )
    return [rights, associate(stack, "load_balancer_controller", cluster.cluster_name, SYSTEM, ACCOUNT, role)]


def load_balancer_controller(
    stack: Stack, network: NetworkOutputs, cluster: ComputeOutputs, after: Sequence[ITerraformDependable]
) -> Release:
    """`helm_release.load_balancer_controller`."""
    return release(
        stack,
        "load_balancer_controller",
        CONTROLLER,
        name=CONTROLLER.name,
        namespace=SYSTEM,
        values=[
            rendered(
                stack,
                CONTROLLER,
                cluster=cluster.cluster_name,
                region=stack.environment.region,
                vpc=network.vpc_id,
                account=ACCOUNT,
            )
        ],
        depends_on=after,
    )
