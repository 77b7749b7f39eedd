"""Roles of the workflows of each system: one pushes images to its registry, one deploys to its namespace."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.compute.outputs import ComputeOutputs
from modules.delivery.github import Github
from modules.delivery.promotion import PULL, source_arns
from modules.delivery.registries import PUSH, registry_arn
from tierra.patterns.cluster_access import access_group
from tierra.patterns.iam import grant
from tierra.terraform.policy import Everything, Statement
from tierra.terraform.stack import Stack


def push_roles(stack: Stack, github: Github) -> dict[str, IamRole]:
    """`aws_iam_role.push_<system>`, by system: pushes images of that system and reads their scan findings. If
    images come from another environment, it pulls them there."""
    result = {}
    for system, settings in stack.environment.systems.items():
        with stack.system(system) as name:
            address = f"push_{name.replace('-', '_')}"
            result[system] = github.role(
                address, f"GitHub Actions pushes images of {name}", "push", repository=settings.repository
            )
            grant(
                stack,
                address,
                result[system],
                Statement(
                    sid="SignIn",
                    actions="ecr:GetAuthorizationToken",
                    resources=Everything("the token is for all registries of the account"),
                ),
                Statement(
                    sid="PushToOneRegistry",
                    actions=[
                        *PULL,
                        *PUSH,
                        "ecr:DescribeImages",
                        "ecr:DescribeImageScanFindings",
                        "ecr:ListImages",
                    ],
                    resources=registry_arn(stack, system),
                ),
                *(
                    Statement(sid="TakeFromTheEnvironmentBefore", actions=PULL, resources=source)
                    for source in source_arns(stack.environment, system)
                ),
            )
    return result


def deploy_roles(stack: Stack, github: Github, cluster: ComputeOutputs) -> dict[str, IamRole]:
    """`aws_iam_role.deploy_<system>`, by system: updates the image of the system's workloads, and reads the
    cluster's address and the images of the system, but none of its Secrets."""
    result = {}
    for system, settings in stack.environment.systems.items():
        with stack.system(system) as name:
            address = f"deploy_{name.replace('-', '_')}"
            role = github.role(
                address, f"GitHub Actions deploys {name}", "deploy", repository=settings.repository
            )
            grant(
                stack,
                address,
                role,
                Statement(
                    sid="FindTheCluster",
                    actions="eks:DescribeCluster",
                    resources=cluster.cluster_arn,
                ),
                Statement(
                    sid="FindImages",
                    actions=["ecr:BatchGetImage", "ecr:DescribeImages"],
                    resources=registry_arn(stack, system),
                ),
                Statement(
                    sid="SayWhichImageRuns",
                    actions=["ssm:GetParameter", "ssm:PutParameter"],
                    resources=stack.arn("ssm", f"parameter{stack.names.image_parameter(name)}"),
                ),
            )
            # Permissions of the group: templates/systems/namespace/templates/deploy.yaml
            access_group(stack, address, cluster.cluster_name, role.arn, f"deploy-{name}")
            result[system] = role
    return result
