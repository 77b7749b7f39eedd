"""The delivery tier: an ECR repository for each system, and the permissions of GitHub workflows in AWS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.compute.outputs import ComputeOutputs
from modules.delivery.codebuild import runners
from modules.delivery.github import Github
from modules.delivery.infrastructure import apply_role, limits, plan_role
from modules.delivery.outputs import DeliveryOutputs
from modules.delivery.registries import images_key, registries, registry_scanning
from modules.delivery.roles import deploy_roles, push_roles
from modules.network.outputs import NetworkOutputs
from tierra.terraform.stack import Stack


class Delivery:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        cluster, network = ComputeOutputs.read(stack), NetworkOutputs.read(stack)
        github = Github(stack) if stack.environment.delivery.github else None
        pushers = push_roles(stack, github) if github else {}
        self.key = images_key(stack)
        self.registries = registries(stack, self.key, pushers, cluster.node_role_arn)
        registry_scanning(stack)
        trusted = self._trusted(stack, github, pushers, cluster, network) if github else {}
        DeliveryOutputs(
            repository_urls={name: registry.repository_url for name, registry in self.registries.items()},
            repository_arns={name: registry.arn for name, registry in self.registries.items()},
            images_key_arn=self.key.arn,
            **trusted,
        ).declare(stack)

    def _trusted(
        self,
        stack: Stack,
        github: Github,
        pushers: Mapping[str, IamRole],
        cluster: ComputeOutputs,
        network: NetworkOutputs,
    ) -> dict[str, Any]:
        """Roles of GitHub workflows, and their outputs."""
        deployers = deploy_roles(stack, github, cluster)
        shared = limits(stack)
        planner = plan_role(stack, github, cluster, shared)
        applier = apply_role(stack, github, cluster, shared)
        runners(stack, network)
        return {
            "oidc_provider_arn": github.provider_arn,
            "push_role_arns": {name: role.arn for name, role in pushers.items()},
            "deploy_role_arns": {name: role.arn for name, role in deployers.items()},
            "plan_role_arn": planner.arn,
            "apply_role_arn": applier.arn,
        }
