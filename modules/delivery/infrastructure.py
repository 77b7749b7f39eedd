"""Roles of the infrastructure workflows: one plans and checks for drift, another applies."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.compute.outputs import ComputeOutputs
from modules.delivery.apply_actions import (
    BACKUPS,
    ENHANCED_SCANNING,
    NAMED,
    PASSED_TO,
    ROLES,
    SERVICE_LINKED,
    SETTINGS,
    TAGGED,
)
from modules.delivery.changes import changes, keys_of_the_company, regions
from modules.delivery.github import HOST, Github
from modules.delivery.global_changes import attachments, global_changes, records
from modules.delivery.plan_actions import READS, SECRETS
from modules.state.outputs import policy_arn
from tierra.patterns.cluster_access import access_entry
from tierra.patterns.iam import attach_own, boundary_arn, grant
from tierra.terraform.policy import Everything, Statement, document
from tierra.terraform.roles import prescribed_boundary, role_arn
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import WITH_RECORDS

PLAN = "plan"
APPLY = "apply"
BOUNDARY = "apply_boundary"


@dataclass(frozen=True)
class Limits:
    """Shared by both roles: `most` is the ARN of their boundary, None if the spec prescribes one for every
    role; `compare` lets them read settings."""

    most: str | None
    compare: IamPolicy


def limits(stack: Stack) -> Limits:
    """`aws_iam_policy.compare`, and `apply_boundary` unless the spec prescribes a boundary."""
    most = None
    if prescribed_boundary(stack.environment) is None:
        what = "The most that GitHub Actions can do with infrastructure"
        most = _policy(stack, BOUNDARY, what, *_boundary(stack)).arn
    return Limits(
        most=most,
        compare=_policy(stack, "compare", "Reads the settings of what the tiers are made of", _reads()),
    )


def _policy(stack: Stack, name: str, description: str, *statements: Statement) -> IamPolicy:
    plain = name.replace("_", "-")
    return stack.add(
        IamPolicy,
        name,
        name=stack.names.of("iam_policy", plain),
        description=description,
        policy=document(*statements),
        tags=stack.tags(plain),
    )


def plan_role(stack: Stack, github: Github, cluster: ComputeOutputs, limits: Limits) -> IamRole:
    """`aws_iam_role.plan`: reads, and changes nothing but the lock of a state.

    Plans of Helm releases read their records, which are Kubernetes Secrets. EKS access policies do not
    distinguish Secrets, so the role can read all namespaces with records; secrets of systems are in other
    namespaces. It reads no secret in AWS, because it runs code of pull requests before they are reviewed.
    """
    role = github.role(
        PLAN, "GitHub Actions plans infrastructure", PLAN, "drift", permissions_boundary=limits.most
    )
    attach_own(stack, "plan_state", role, policy_arn(stack, "read"))
    attach_own(stack, "plan_compare", role, limits.compare.arn)
    grant(
        stack,
        PLAN,
        role,
        Statement(
            sid="MakeUpPasswords",
            actions="secretsmanager:GetRandomPassword",
            resources=Everything("it returns a random text and reads nothing"),
        ),
        Statement(
            sid="RefuseSecrets",
            effect="Deny",
            actions=SECRETS,
            resources=Everything("what holds or gives secrets is not part of a comparison"),
        ),
        Statement(
            sid="RefuseOtherParameters",
            effect="Deny",
            actions="ssm:GetParameter*",
            other_than=stack.arn("ssm", f"parameter{stack.names.image_parameter('*')}"),
        ),
        Statement(
            sid="RefuseFiles",
            effect="Deny",
            actions="s3:GetObject*",
            resources=[f"{_bucket(stack, role)}/*" for role in ("files", "logs")],
        ),
    )
    # Records of own charts are in the namespaces of their pods.
    namespaces = (*WITH_RECORDS, *stack.own_namespaces)
    access_entry(
        stack, PLAN, cluster.cluster_name, role.arn, "AmazonEKSAdminViewPolicy", namespaces=namespaces
    )
    return role


def apply_role(stack: Stack, github: Github, cluster: ComputeOutputs, limits: Limits) -> IamRole:
    """`aws_iam_role.apply`: changes resources of the tiers, within `aws_iam_policy.apply_boundary`.

    It can only create roles with the boundary of workloads or the one that `permissions_boundary` prescribes.
    It cannot change its own permissions or the protection of backups: an administrator applies states, these
    permissions and vaults. It administers Kubernetes for tiers with Helm releases, so its GitHub environment
    must require an approval.
    """
    role = github.role(
        APPLY, "GitHub Actions applies infrastructure", "apply", hours=2, permissions_boundary=limits.most
    )
    rights = _policy(
        stack,
        "apply_global",
        "Changes roles within their boundary, and other things without a region",
        *global_changes(stack),
        *_roles(stack),
        *_refusals(stack),
    )
    attach_own(stack, "apply_state", role, policy_arn(stack, "write"))
    attach_own(stack, "apply_compare", role, limits.compare.arn)
    attach_own(stack, "apply_global", role, rights.arn)
    _of_the_company(stack, role)
    grant(stack, APPLY, role, *changes(stack))
    access_entry(stack, APPLY, cluster.cluster_name, role.arn, "AmazonEKSClusterAdminPolicy")
    return role


def _of_the_company(stack: Stack, role: IamRole) -> None:
    """Permissions for existing resources that the spec names, each kind in a separate policy: the others have
    no room for many ARNs."""
    zones = stack.environment.edge.zones
    for kind, description, statements in (
        ("keys", "Uses the encryption keys of the company", keys_of_the_company(stack)),
        ("network", "Builds in the networks of the company", attachments(stack)),
        ("records", "Writes records in several hosted zones", records(stack) if zones else []),
    ):
        if statements:
            name = f"{APPLY}_{kind}"
            attach_own(stack, name, role, _policy(stack, name, description, *statements).arn)


def _reads() -> Statement:
    return Statement(
        sid="CompareWithThePlan",
        actions=READS,
        resources=Everything("most descriptions are lists of the account; none of them holds a secret"),
    )


def _bucket(stack: Stack, role: str) -> str:
    return stack.arn("s3", stack.names.bucket(role), region="", account="")


def _roles(stack: Stack) -> list[Statement]:
    """Roles of this environment with their boundary, and passing them to the services that use them."""
    role = role_arn(stack.environment, f"{stack.names.stem}-*")
    return [
        Statement(
            sid="ManageRolesWithinTheirBoundary",
            actions=ROLES,
            resources=role,
            conditions={"StringEquals": {"iam:PermissionsBoundary": boundary_arn(stack)}},
        ),
        Statement(sid="TagRoles", actions=["iam:TagRole", "iam:UntagRole"], resources=role),
        Statement(
            sid="PassRoles",
            actions="iam:PassRole",
            resources=role,
            conditions={"StringEquals": {"iam:PassedToService": PASSED_TO}},
        ),
        Statement(
            sid="CreateRolesOfServices",
            actions="iam:CreateServiceLinkedRole",
            resources=_iam(stack, "role/aws-service-role/*"),
            conditions={"StringEquals": {"iam:AWSServiceName": SERVICE_LINKED}},
        ),
    ]


def _refusals(stack: Stack) -> list[Statement]:
    """An apply cannot extend its permissions, admit others, or remove the protection of backups and
    states."""
    names = stack.names
    protected = [
        *(role_arn(stack.environment, names.of("iam_role", role)) for role in (PLAN, APPLY)),
        _iam(stack, f"policy/{names.stem}-*"),
        _iam(stack, f"oidc-provider/{HOST}"),
    ]
    return [
        Statement(
            sid="RefuseOwnRights",
            effect="Deny",
            actions=[
                "iam:Add*",
                "iam:Attach*",
                "iam:Create*",
                "iam:Delete*",
                "iam:Detach*",
                "iam:Pass*",
                "iam:Put*",
                "iam:Remove*",
                "iam:Set*",
                "iam:Tag*",
                "iam:Untag*",
                "iam:Update*",
            ],
            resources=protected,
        ),
        Statement(
            sid="RefuseLackOfBoundary",
            effect="Deny",
            actions="iam:DeleteRolePermissionsBoundary",
            resources=Everything("every role that it could reach has one"),
        ),
        Statement(
            sid="RefuseLossOfBackups",
            effect="Deny",
            actions=BACKUPS,
            resources=Everything("a recovery point has the ARN of what it is made of"),
        ),
        Statement(
            sid="RefuseBucketsOfStates",
            effect="Deny",
            actions=["s3:DeleteBucket*", "s3:Put*Configuration", "s3:PutBucket*"],
            resources=[_bucket(stack, "state"), _bucket(stack, "state-logs")],
        ),
        Statement(
            sid="RefuseKeyOfStates",
            effect="Deny",
            actions=[
                "kms:CreateGrant",
                "kms:DisableKey*",
                "kms:Put*",
                "kms:ScheduleKeyDeletion",
                "kms:*Alias",
            ],
            resources=Everything("the condition names the one key"),
            conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": names.alias("state")}},
        ),
    ]


def _iam(stack: Stack, name: str) -> str:
    return stack.arn("iam", name, region="")


def _boundary(stack: Stack) -> list[Statement]:
    """The services of the tiers in the regions of the environment, and roles of this environment only."""
    services = {*NAMED, *TAGGED, *SETTINGS, "autoscaling", "backup-storage", "s3"}
    scanning = ENHANCED_SCANNING if stack.environment.delivery.registry_scan == "enhanced" else []
    return [
        Statement(
            sid="ServicesInTheRegion",
            actions=[*(f"{service}:*" for service in sorted(services)), *scanning],
            resources=Everything("the upper limit of a role whose own policy names the resources"),
            conditions={"StringEquals": {"aws:RequestedRegion": regions(stack)}},
        ),
        Statement(
            sid="GlobalServices",
            actions=[
                "budgets:*",
                "iam:Get*",
                "iam:List*",
                "route53:*",
                "s3:Get*",
                "s3:List*",
                "shield:*",
            ],
            resources=Everything("global services know no region; the role's own policy names the resources"),
        ),
        *_roles(stack),
        *_refusals(stack),
    ]
