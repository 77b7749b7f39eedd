"""An ECR repository for the images of each system: immutable tags, scans on push, expiry of old images."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cdktf_cdktf_provider_aws.ecr_lifecycle_policy import EcrLifecyclePolicy
from cdktf_cdktf_provider_aws.ecr_registry_scanning_configuration import (
    EcrRegistryScanningConfiguration,
    EcrRegistryScanningConfigurationRule,
    EcrRegistryScanningConfigurationRuleRepositoryFilter,
)
from cdktf_cdktf_provider_aws.ecr_repository import (
    EcrRepository,
    EcrRepositoryEncryptionConfiguration,
    EcrRepositoryImageScanningConfiguration,
)
from cdktf_cdktf_provider_aws.ecr_repository_policy import EcrRepositoryPolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.delivery.promotion import PULL, push_role_arn
from tierra.patterns.encryption import Key, encryption_key
from tierra.terraform.policy import Everyone, Statement, document
from tierra.terraform.stack import Stack

PUSH = [
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]


def images_key(stack: Stack) -> Key:
    """ECR uses it through grants from the creation of a repository on, so its policy names no service, and a
    role that pulls needs no permission for it."""
    return encryption_key(stack, "images", "Container images")


def registry_arn(stack: Stack, system: str) -> str:
    """ARN of the ECR repository of a system, known before it exists."""
    return stack.arn("ecr", f"repository/{stack.names.repository(stack.environment.called(system))}")


def registries(
    stack: Stack, key: Key, pushers: Mapping[str, IamRole], node_role_arn: str
) -> dict[str, EcrRepository]:
    """`aws_ecr_repository.<system>`, with its access policy and its lifecycle policy."""
    result = {}
    for system in stack.environment.systems:
        with stack.system(system) as name:
            role = name.replace("-", "_")
            registry = stack.add(
                EcrRepository,
                role,
                name=stack.names.repository(name),
                image_tag_mutability="IMMUTABLE",
                image_scanning_configuration=EcrRepositoryImageScanningConfiguration(scan_on_push=True),
                encryption_configuration=[
                    EcrRepositoryEncryptionConfiguration(encryption_type="KMS", kms_key=key.arn)
                ],
                force_delete=not stack.environment.protection,
                lifecycle=stack.prevent_destroy,
                tags=stack.tags(name),
            )
            stack.add(
                EcrLifecyclePolicy,
                role,
                repository=registry.name,
                policy=_lifecycle(stack),
            )
            stack.add(
                EcrRepositoryPolicy,
                role,
                repository=registry.name,
                policy=_access(stack, system, pushers.get(system), node_role_arn),
            )
            result[system] = registry
    return result


def _lifecycle(stack: Stack) -> str:
    """Images without a tag expire after some days; of tagged ones, the newest are kept."""
    settings = stack.environment.delivery
    untagged = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": settings.untagged_days,
    }
    tagged = {
        "tagStatus": "tagged",
        "tagPatternList": ["*"],
        "countType": "imageCountMoreThan",
        "countNumber": settings.image_keep,
    }
    rules = [
        {"rulePriority": 1, "description": "Images without a tag", "selection": untagged},
        {"rulePriority": 2, "description": "All but the newest images", "selection": tagged},
    ]
    return json.dumps({"rules": [{**rule, "action": {"type": "expire"}} for rule in rules]})


def _access(stack: Stack, system: str, pusher: IamRole | None, node_role_arn: str) -> str:
    """Nodes pull, and so do the next environments. Only the workflow of the system pushes, not even
    administrators; without workflows, IAM decides who pushes. A repository policy has no resources: it
    applies to its repository."""
    statements = [
        Statement(sid="NodesPull", actions=PULL, principals={"AWS": node_role_arn}),
        *_promotions(stack, system),
    ]
    if pusher:
        statements.append(
            Statement(
                sid="RefuseImagesFromElsewhere",
                effect="Deny",
                actions=PUSH,
                principals=Everyone("no other role is exempt from a refusal"),
                conditions={"ArnNotEquals": {"aws:PrincipalArn": pusher.arn}},
            )
        )
    if stack.environment.protection:
        statements.append(
            Statement(
                sid="RefuseDeletion",
                effect="Deny",
                actions=["ecr:BatchDeleteImage", "ecr:DeleteRepository"],
                principals=Everyone("no role is exempt from a refusal"),
            )
        )
    return document(*statements)


def _promotions(stack: Stack, system: str) -> list[Statement]:
    """Workflows of environments that take their images from this one may pull them. The policy names their
    accounts, because a policy that names a role that does not exist yet is refused."""
    consumers = [consumer for consumer in stack.environment.chain.consumers if system in consumer.systems]
    if not consumers:
        return []
    accounts = {f"arn:{consumer.partition}:iam::{consumer.account}:root" for consumer in consumers}
    roles = {push_role_arn(consumer, system) for consumer in consumers}
    return [
        Statement(
            sid="LaterEnvironmentsPull",
            actions=PULL,
            principals={"AWS": sorted(accounts)},
            conditions={"ArnEquals": {"aws:PrincipalArn": sorted(roles)}},
        )
    ]


def registry_scanning(stack: Stack) -> None:
    """`aws_ecr_registry_scanning_configuration.main`, if the spec says so: an account has one for each
    region.

    It applies to every repository of the account, because it replaces the previous setting.
    """
    scan = stack.environment.delivery.registry_scan
    if scan == "leave":
        return
    rules = [_scanning_rule("SCAN_ON_PUSH", "*")]
    if scan == "enhanced":
        rules.append(_scanning_rule("CONTINUOUS_SCAN", f"{stack.environment.project}-*"))
    stack.add(
        EcrRegistryScanningConfiguration,
        "main",
        scan_type=scan.upper(),
        rule=rules,
    )


def _scanning_rule(frequency: str, repositories: str) -> EcrRegistryScanningConfigurationRule:
    return EcrRegistryScanningConfigurationRule(
        scan_frequency=frequency,
        repository_filter=[
            EcrRegistryScanningConfigurationRuleRepositoryFilter(filter=repositories, filter_type="WILDCARD")
        ],
    )
