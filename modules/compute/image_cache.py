"""Public images through ECR pull-through cache rules: ECR pulls each image once and keeps it, so that new
nodes can pull it while the public registry limits pulls or is down.

Source: ECR user guide, "Sync an upstream registry with an Amazon ECR private registry" and "IAM permissions
required to sync". Public ECR, Quay and registry.k8s.io need no account; Docker Hub and GitHub do, in a secret
whose name starts with ecr-pullthroughcache/.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.ecr_pull_through_cache_rule import EcrPullThroughCacheRule
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy

from tierra.patterns.iam import grant
from tierra.patterns.images import cache_prefix, upstreams
from tierra.terraform.policy import Statement
from tierra.terraform.stack import Stack

# Upstream hosts of registries that clients know by another name.
ADDRESSES = {"docker.io": "registry-1.docker.io"}


def image_cache(stack: Stack, role: IamRole) -> list[IamRolePolicy]:
    """`aws_ecr_pull_through_cache_rule.<registry>` for each registry that is cached, and the permissions of
    nodes. Nothing if the spec turns the cache off."""
    cached = upstreams(stack.environment)
    for registry, secret in cached.items():
        stack.add(
            EcrPullThroughCacheRule,
            registry.replace(".", "_"),
            ecr_repository_prefix=cache_prefix(stack, registry),
            upstream_registry_url=ADDRESSES.get(registry, registry),
            credential_arn=secret,
        )
    if not cached:
        return []
    # The first pull creates a repository. AmazonEC2ContainerRegistryPullOnly lets nodes import images, but
    # not create repositories.
    filling = Statement(
        sid="FillTheImageCache",
        actions=["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"],
        resources=[stack.arn("ecr", f"repository/{cache_prefix(stack, registry)}/*") for registry in cached],
    )
    return [grant(stack, "node_image_cache", role, filling)]
