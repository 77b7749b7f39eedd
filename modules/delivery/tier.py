"""Delivery: a registry for the images of each system, and what workflows on GitHub may do in the account."""

from __future__ import annotations

from modules.compute.outputs import ComputeOutputs
from modules.delivery.codebuild import runners
from modules.delivery.github import Github
from modules.delivery.infrastructure import apply_role, limits, plan_role
from modules.delivery.outputs import DeliveryOutputs
from modules.delivery.registries import images_key, registries, registry_scanning
from modules.delivery.roles import deploy_roles, push_roles
from modules.network.outputs import NetworkOutputs
from modules.stack import Stack


class Delivery:
    """Fills the stack. Each noun is a file of its own."""

    def __init__(self, stack: Stack) -> None:
        cluster = ComputeOutputs.read(stack)
        self.github = Github(stack)
        self.push_roles = push_roles(stack, self.github)
        self.key = images_key(stack)
        self.registries = registries(stack, self.key, self.push_roles, cluster.node_role_arn)
        registry_scanning(stack)
        self.deploy_roles = deploy_roles(stack, self.github, cluster)
        shared = limits(stack)
        self.plan_role = plan_role(stack, self.github, cluster, shared)
        self.apply_role = apply_role(stack, self.github, cluster, shared)
        self.runners = runners(stack, NetworkOutputs.read(stack))
        self._outputs().declare(stack)

    def _outputs(self) -> DeliveryOutputs:
        return DeliveryOutputs(
            repository_urls={name: each.repository_url for name, each in self.registries.items()},
            repository_arns={name: each.arn for name, each in self.registries.items()},
            images_key_arn=self.key.arn,
            oidc_provider_arn=self.github.provider_arn,
            push_role_arns={name: role.arn for name, role in self.push_roles.items()},
            deploy_role_arns={name: role.arn for name, role in self.deploy_roles.items()},
            plan_role_arn=self.plan_role.arn,
            apply_role_arn=self.apply_role.arn,
        )
