"""Roles of the workflows of the infrastructure itself: one GitHub environment plans, another applies."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.cluster_access import access_entry
from modules.compute.outputs import ComputeOutputs
from modules.delivery.github import HOST, Github
from modules.delivery.services import (
    BUCKETS,
    BUDGETS,
    KEYS_USED_BY,
    MANAGED,
    PASSED_TO,
    READS,
    ROLES,
    SECRETS,
    SERVICE_LINKED,
    SETTINGS,
    WITHOUT_RESOURCE,
    ZONES,
)
from modules.iam import attach_own, grant
from modules.namespaces import WITH_RECORDS
from modules.policy import Everything, Statement, document
from modules.stack import Stack
from modules.state.outputs import policy_arn

PLAN = "plan"
APPLY = "apply"
BOUNDARY = "apply_boundary"


def plan_role(stack: Stack, github: Github, cluster: ComputeOutputs) -> IamRole:
    """`aws_iam_role.plan`: compares, and changes nothing but the lock of a state.

    A release is compared with its records, which are Secrets of Kubernetes. No access policy of EKS tells one
    Secret from another, so the role sees all of the namespaces that hold records; secrets of systems lie in
    none of them.

    Every plan of the tier data reads the passwords of master users back, so these are within reach, and
    code of a pull request has been read by nobody: who may run jobs in the GitHub environment is set there.
    """
    role = github.role(PLAN, "GitHub Actions plans infrastructure", PLAN)
    attach_own(stack, "plan_state", role, policy_arn(stack, "read"))
    passwords = [
        stack.arn("secretsmanager", f"secret:{stack.names.of('secret', each)}-??????")
        for each in ("postgres", "documentdb")
    ]
    grant(
        stack,
        PLAN,
        role,
        _reads(),
        Statement(
            sid="MakeUpPasswords",
            actions="secretsmanager:GetRandomPassword",
            resources=Everything("it returns a random text and reads nothing"),
        ),
        Statement(
            sid="ReadBackThePasswords",
            actions="secretsmanager:GetSecretValue",
            resources=passwords,
        ),
        Statement(
            sid="DecryptThePasswords",
            actions="kms:Decrypt",
            resources=stack.arn("kms", "key/*"),
            conditions={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": stack.names.alias("secrets")},
                "StringEquals": {"kms:ViaService": _service(stack, "secretsmanager")},
            },
        ),
        Statement(
            sid="RefuseOtherSecrets",
            effect="Deny",
            actions="secretsmanager:GetSecretValue",
            other_than=passwords,
        ),
        Statement(
            sid="RefuseOtherWays",
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
    access_entry(
        stack, PLAN, cluster.cluster_name, role.arn, "AmazonEKSAdminViewPolicy", namespaces=WITH_RECORDS
    )
    return role


def apply_role(stack: Stack, github: Github, cluster: ComputeOutputs) -> IamRole:
    """`aws_iam_role.apply`: changes what the tiers are made of, within `aws_iam_policy.apply_boundary`.

    It makes roles, so it is as strong as the strongest role it could make: its GitHub environment must ask
    for an approval. It cannot change itself, its boundary or the role of plans; whoever applies delivery for
    the first time does that. It administers Kubernetes, for the tiers that are Helm releases.
    """
    boundary = stack.add(
        IamPolicy,
        BOUNDARY,
        name=stack.names.of("iam_policy", "apply-boundary"),
        description="The most that GitHub Actions can do when it applies infrastructure",
        policy=document(*_boundary(stack)),
        tags=stack.tags("apply-boundary"),
    )
    role = github.role(
        APPLY, "GitHub Actions applies infrastructure", "apply", hours=2, permissions_boundary=boundary.arn
    )
    attach_own(stack, "apply_state", role, policy_arn(stack, "write"))
    grant(
        stack,
        APPLY,
        role,
        _reads(),
        *_changes(stack),
        *_roles(stack),
    )
    access_entry(stack, APPLY, cluster.cluster_name, role.arn, "AmazonEKSClusterAdminPolicy")
    return role


def _reads() -> Statement:
    return Statement(
        sid="CompareWithThePlan",
        actions=READS,
        resources=Everything("most descriptions are lists of the account; none of them holds a secret"),
    )


def _service(stack: Stack, service: str) -> str:
    """The endpoint of a service here, as keys see who asks."""
    return f"{service}.{stack.environment.region}.{stack.environment.dns_suffix}"


def _bucket(stack: Stack, role: str) -> str:
    return stack.arn("s3", stack.names.bucket(role), region="", account="")


def _regions(stack: Stack) -> list[str]:
    """Where the environment is, and where copies of its backups are."""
    other = stack.environment.storage.backup.copy_region
    return [stack.environment.region, *([other] if other else [])]


def _changes(stack: Stack) -> list[Statement]:
    """Of each service what lies in this account and these regions; of buckets and secrets, its own."""
    regions, place = _regions(stack), stack.environment
    return [
        Statement(
            sid="ManageServices",
            actions=[f"{service}:*" for service in MANAGED],
            resources=[
                *(stack.arn(service, "*") for service in MANAGED),
                *(stack.arn("backup", "*", region=region) for region in regions[1:]),
                # A launch template is tried with the image of AWS that nodes start from.
                stack.arn("ec2", "image/*", account=""),
                stack.arn("ec2", "snapshot/*", account=""),
            ],
        ),
        *(
            Statement(
                sid=f"Set{service.capitalize()}",
                actions=[f"{service}:{action}" for action in actions],
                resources=[
                    stack.arn(
                        service,
                        thing.format(stem=stack.names.stem, path=f"{place.project}/{place.environment}"),
                        region=region,
                    )
                    for region in regions
                    for thing in _SET[service]
                ],
            )
            for service, actions in SETTINGS.items()
        ),
        Statement(
            sid="ReadBackPasswords",
            actions="secretsmanager:GetSecretValue",
            resources=stack.arn("secretsmanager", f"secret:{stack.names.stem}-*"),
        ),
        Statement(
            sid="UseKeysThroughServices",
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=[stack.arn("kms", "key/*", region=region) for region in regions],
            conditions={
                "StringEquals": {
                    "kms:ViaService": [
                        f"{service}.{region}.{place.dns_suffix}"
                        for region in regions
                        for service in KEYS_USED_BY
                    ]
                }
            },
        ),
        Statement(
            sid="SetBuckets",
            actions=BUCKETS,
            resources=stack.arn("s3", f"{stack.names.stem}-{place.account}-*", region="", account=""),
        ),
        *_budgets(stack),
        Statement(
            sid="SetZones",
            actions=ZONES,
            resources=[stack.arn("route53", "hostedzone/*", region="", account="")],
        ),
        Statement(
            sid="CreateZones",
            actions="route53:CreateHostedZone",
            resources=Everything("a zone has no name in AWS before it exists, nor a region"),
        ),
        Statement(
            sid="CreateInTheRegion",
            actions=WITHOUT_RESOURCE,
            resources=Everything("AWS knows no resource for these actions; the condition keeps the region"),
            conditions={"StringEquals": {"aws:RequestedRegion": regions}},
        ),
    ]


def _budgets(stack: Stack) -> list[Statement]:
    """Where there are any: AWS has none in the other partitions."""
    if stack.environment.partition != "aws":
        return []
    budgets = stack.arn("budgets", f"budget/{stack.names.stem}-*", region="")
    return [Statement(sid="SetBudgets", actions=BUDGETS, resources=budgets)]


# Of which things of a service an apply changes the settings.
_SET = {
    "ecr": ["repository/{stem}/*"],
    "kms": ["*"],
    "logs": ["log-group:*"],
    "secretsmanager": ["secret:{stem}-*"],
    "ssm": ["parameter/{path}/*"],
}


def _roles(stack: Stack) -> list[Statement]:
    """Roles and policies of this environment, handed to the services that need them; never its own."""
    stem = stack.names.stem
    own = [f"{kind}/{stem}-*" for kind in ("role", "policy", "instance-profile")]
    return [
        Statement(
            sid="ManageRoles",
            actions=ROLES,
            resources=[_iam(stack, name) for name in own],
        ),
        Statement(
            sid="PassRoles",
            actions="iam:PassRole",
            resources=_iam(stack, f"role/{stem}-*"),
            conditions={"StringEquals": {"iam:PassedToService": PASSED_TO}},
        ),
        Statement(
            sid="CreateRolesOfServices",
            actions="iam:CreateServiceLinkedRole",
            resources=_iam(stack, "role/aws-service-role/*"),
            conditions={"StringEquals": {"iam:AWSServiceName": SERVICE_LINKED}},
        ),
        _refuse_own(stack),
    ]


def _refuse_own(stack: Stack) -> Statement:
    """Who applies cannot give themselves more, nor let others in."""
    names = stack.names
    protected = [
        *(_iam(stack, f"role/{names.of('iam_role', role)}") for role in (PLAN, APPLY)),
        _iam(stack, f"policy/{names.of('iam_policy', 'apply-boundary')}"),
        policy_arn(stack, "read"),
        policy_arn(stack, "write"),
        _iam(stack, f"oidc-provider/{HOST}"),
    ]
    return Statement(
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
    )


def _iam(stack: Stack, name: str) -> str:
    return stack.arn("iam", name, region="")


def _boundary(stack: Stack) -> list[Statement]:
    """The services of the tiers in the regions of the environment, and roles of this environment alone."""
    services = sorted({*MANAGED, *SETTINGS, "backup-storage", "s3"})
    return [
        Statement(
            sid="ServicesInTheRegion",
            actions=[f"{service}:*" for service in services],
            resources=Everything("the upper limit of a role whose own policy names the resources"),
            conditions={"StringEquals": {"aws:RequestedRegion": _regions(stack)}},
        ),
        Statement(
            sid="GlobalServices",
            actions=["budgets:*", "iam:Get*", "iam:List*", "route53:*", "s3:Get*", "s3:List*"],
            resources=Everything("global services know no region; the role's own policy names the resources"),
        ),
        *_roles(stack),
    ]
