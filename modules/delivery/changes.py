"""Permissions of the apply role: resources of the environment by name, by tag or by hosted zone."""

from __future__ import annotations

from collections.abc import Iterable

from modules.delivery.apply_actions import (
    BUCKETS,
    CHANGES,
    CREATES,
    ENHANCED_SCANNING,
    IMAGE_CACHE,
    KEYS_USED_BY,
    NAMED,
    SETTINGS,
    TAGGED,
    TAGS,
    WITHOUT_RESOURCE,
)
from tierra.terraform.policy import Everything, Statement
from tierra.terraform.stack import Stack

# Resource types by service, whose settings an apply changes.
_SET = {
    "ecr": ["repository/{stem}/*"],
    "logs": ["log-group:*/{stem}*", "log-group:*-{stem}*"],
    "secretsmanager": ["secret:{stem}-*"],
    "ssm": ["parameter/{path}/*"],
}


def changes(stack: Stack) -> list[Statement]:
    """Statements of `aws_iam_role_policy.apply`: services of a region."""
    return [
        *_by_name(stack),
        *_tagged(stack),
        *_settings(stack),
        *_secrets(stack),
        *_elsewhere(stack),
    ]


def regions(stack: Stack) -> list[str]:
    """The region of the environment, and that of backup copies."""
    copy_region = stack.environment.storage.backup.copy_region
    return [stack.environment.region, *([copy_region] if copy_region else [])]


def _words(stack: Stack) -> dict[str, str]:
    names, environment = stack.names, stack.environment
    return {
        "stem": names.stem,
        "path": f"{environment.project}/{environment.environment}",
        "cluster": names.of("cluster"),
        "load_balancer": names.of("load_balancer"),
        "backup_vault": names.pattern("backup_vault"),
        "restore_testing_plan": names.pattern("restore_testing_plan").replace("-", "_"),
        "sampling_rule": names.pattern("sampling_rule"),
        "trace_group": names.pattern("trace_group"),
    }


def _arns(
    stack: Stack, things: dict[str, list[str]], beyond: Iterable[str] = ("backup", "ecr", "kms")
) -> list[str]:
    """ARNs of resources by service, including those of these services in the region of copies."""
    words = _words(stack)
    return [
        stack.arn(service, pattern.format(**words), region=region)
        for service, patterns in things.items()
        for region in (regions(stack) if service in beyond else regions(stack)[:1])
        for pattern in patterns
    ]


def tagged(stack: Stack, key: str) -> dict[str, str]:
    """What a condition compares with the tags that the provider gives to everything."""
    environment = stack.environment
    return {f"aws:{key}/Environment": environment.environment, f"aws:{key}/Project": environment.project}


def _by_name(stack: Stack) -> list[Statement]:
    names = stack.names
    return [
        Statement(
            sid="ManageByName",
            actions=[f"{service}:*" for service in NAMED],
            resources=[
                *_arns(stack, NAMED),
                stack.arn("cloudwatch", f"dashboard/{names.stem}-*", region=""),
            ],
        ),
        Statement(
            sid="ScaleNodes",
            actions=[
                "autoscaling:CreateOrUpdateTags",
                "autoscaling:DeletePolicy",
                "autoscaling:DeleteTags",
                "autoscaling:PutScalingPolicy",
            ],
            resources=stack.arn("autoscaling", "autoScalingGroup:*"),
            # EKS sets this tag on the Auto Scaling groups of node groups.
            conditions={
                "StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{names.of('cluster')}": "owned"}
            },
        ),
    ]


def _tagged(stack: Stack) -> list[Statement]:
    """Only new resources can get the tags of the environment, so that resources of others stay out of
    reach."""
    here = regions(stack)
    return [
        Statement(
            sid="ManageByTags",
            actions=CHANGES,
            resources=_arns(stack, TAGGED),
            conditions={"StringEquals": tagged(stack, "ResourceTag")},
        ),
        Statement(
            sid="CreateWithTags",
            actions=CREATES,
            resources=Everything("what does not exist yet has its tags in the request, and some no ARN"),
            conditions={"StringEquals": {**tagged(stack, "RequestTag"), "aws:RequestedRegion": here}},
        ),
        Statement(
            sid="TagWhatIsCreated",
            actions="ec2:CreateTags",
            resources=stack.arn("ec2", "*"),
            conditions={"Null": {"ec2:CreateAction": "false"}},
        ),
        Statement(
            sid="TagWhatIsNew",
            actions=TAGS,
            resources=_arns(stack, {service: TAGGED[service] for service in TAGGED if service != "ec2"}),
            conditions={
                "Null": {"aws:ResourceTag/Project": "true"},
                "StringEquals": tagged(stack, "RequestTag"),
            },
        ),
        Statement(
            sid="TryTheLaunchTemplate",
            actions="ec2:RunInstances",
            resources=[
                stack.arn("ec2", "image/*", account=""),
                stack.arn("ec2", "snapshot/*", account=""),
                # EKS creates one for the cluster, with its own tags.
                stack.arn("ec2", "security-group/*"),
            ],
        ),
    ]


def _settings(stack: Stack) -> list[Statement]:
    aliases = [stack.arn("kms", f"alias/{stack.names.stem}-*", region=region) for region in regions(stack)]
    return [
        *(
            Statement(
                sid=f"Set{service.capitalize()}",
                actions=[f"{service}:{action}" for action in actions],
                resources=_arns(stack, {service: _SET[service]}),
            )
            for service, actions in SETTINGS.items()
        ),
        Statement(
            sid="NameKeys",
            actions=["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"],
            resources=aliases,
        ),
        Statement(
            sid="SetBuckets",
            actions=BUCKETS,
            resources=stack.arn(
                "s3", f"{stack.names.stem}-{stack.environment.account}-*", region="", account=""
            ),
        ),
    ]


def _secrets(stack: Stack) -> list[Statement]:
    here = regions(stack)
    return [
        Statement(
            sid="ReadBackPasswords",
            actions="secretsmanager:GetSecretValue",
            resources=stack.arn("secretsmanager", f"secret:{stack.names.stem}-*"),
        ),
        Statement(
            sid="LetDocumentDbKeepItsPassword",
            actions=[
                "secretsmanager:CreateSecret",
                "secretsmanager:RotateSecret",
                "secretsmanager:TagResource",
            ],
            resources=stack.arn("secretsmanager", "secret:rds!cluster-*"),
        ),
        Statement(
            sid="UseKeysThroughServices",
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=[stack.arn("kms", "key/*", region=region) for region in here],
            conditions={
                "StringEquals": {
                    **tagged(stack, "ResourceTag"),
                    "kms:ViaService": _through(stack),
                }
            },
        ),
    ]


def _through(stack: Stack) -> list[str]:
    """The services that use keys during an apply. In the region of copies there is only a vault."""
    environment = stack.environment
    return [
        f"{service}.{region}.{environment.dns_suffix}"
        for region in regions(stack)
        for service in (KEYS_USED_BY if region == environment.region else ["backup"])
    ]


def keys_of_the_company(stack: Stack) -> list[Statement]:
    """Use of existing keys, which do not have the tags of Tierra's keys. Separate from `changes`, because
    with a key for each purpose an inline policy would be too long."""
    if not (given := sorted(set(stack.environment.kms_keys.given.values()))):
        return []
    return [
        Statement(
            sid="UseKeysOfTheCompany",
            # Secrets Manager re-encrypts secrets with Encrypt (botocore: secretsmanager,
            # UpdateSecretRequest).
            actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"],
            resources=given,
            conditions={"StringEquals": {"kms:ViaService": _through(stack)}},
        ),
        Statement(sid="LetServicesUseThem", actions=["kms:CreateGrant", "kms:RetireGrant"], resources=given),
    ]


def _elsewhere(stack: Stack) -> list[Statement]:
    scan = stack.environment.delivery.registry_scan
    scanning = ["ecr:PutRegistryScanningConfiguration"] if scan != "leave" else []
    if scan == "enhanced":
        scanning += ENHANCED_SCANNING
    return [
        Statement(
            sid="ActInTheRegion",
            actions=[*WITHOUT_RESOURCE, *scanning, *IMAGE_CACHE],
            resources=Everything("AWS knows no resource for these actions; the condition keeps the region"),
            conditions={"StringEquals": {"aws:RequestedRegion": regions(stack)}},
        )
    ]
