"""The permissions boundary of every role of the tiers, except the plan and apply roles.

It grants nothing. It limits the policies of a role: a principal that may create roles cannot create one that
changes permissions, reads states or works in another region. It is in the first tier, because the roles of
all others refer to it.

It stays if the spec prescribes another boundary (`permissions_boundary`), though no role has it then. IAM
refuses to delete a policy that is the boundary of a role (DeleteConflict: gruntwork-io/cloud-nuke #972), and
this tier is applied before the roles of the others change.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from cdktf_cdktf_provider_aws.iam_policy import IamPolicy

from modules.delivery.promotion import PULL, source_arns
from tierra.patterns.iam import boundary_name
from tierra.terraform.policy import Everything, Statement, document
from tierra.terraform.roles import role_arn
from tierra.terraform.stack import Stack, state_of

# Permissions of workloads: cluster and nodes, controllers, systems, backups and restores, telemetry, and the
# workflows of systems. Nothing of IAM; secrets and keys can only be used.
SERVICES = [
    "autoscaling:*",
    "backup:*",
    "backup-storage:*",
    "cloudwatch:*",
    "codeconnections:GetConnection",
    "codeconnections:GetConnectionToken",
    "codeconnections:UseConnection",
    "ec2:*",
    "ec2messages:*",
    "ecr:*",
    "eks:*",
    "eks-auth:AssumeRoleForPodIdentity",
    "elasticache:Connect",
    "elasticache:Describe*",
    "elasticfilesystem:*",
    "elasticloadbalancing:*",
    "events:*",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:ListGrants",
    "kms:ReEncrypt*",
    "kms:RetireGrant",
    "kms:RevokeGrant",
    "logs:*",
    "rds:*",
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:ListSecretVersionIds",
    "sns:*",
    "ssm:*",
    "ssmmessages:*",
    "tag:GetResources",
    "xray:*",
]


def workload_boundary(stack: Stack) -> IamPolicy:
    """`aws_iam_policy.workload_boundary`."""
    return stack.add(
        IamPolicy,
        "workload_boundary",
        name=boundary_name(stack),
        description="The most that a role of the platform can do, whatever is attached to it",
        policy=document(*_statements(stack)),
        tags=stack.tags("workload-boundary"),
    )


def _statements(stack: Stack) -> list[Statement]:
    state = state_of(stack.environment, stack.names, "*")
    copies = stack.environment.storage.backup.copy_region
    bucket = stack.arn("s3", state.bucket, region="", account="")
    return [
        *_images_elsewhere(stack),
        Statement(
            sid="ServicesInTheRegion",
            actions=SERVICES,
            resources=Everything("the upper limit of roles whose own policies name the resources"),
            conditions={
                "StringEquals": {
                    "aws:RequestedRegion": [stack.environment.region, *([copies] if copies else [])]
                }
            },
        ),
        Statement(
            sid="FilesAndImageLayers",
            actions="s3:*",
            resources=Everything("buckets of AWS too, that hold the layers of images; states are refused"),
        ),
        Statement(
            sid="ReadersOfSecrets",
            actions=["sts:AssumeRole", "sts:TagSession"],
            resources=role_arn(stack.environment, stack.names.readers_of_secrets),
        ),
        *_asked_by_systems(stack),
        Statement(
            sid="RefuseStates",
            effect="Deny",
            actions="s3:*",
            resources=[bucket, f"{bucket}/*"],
        ),
        Statement(
            sid="RefuseKeyOfStates",
            effect="Deny",
            actions="kms:*",
            resources=Everything("the condition names the one key"),
            conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": stack.names.alias("state")}},
        ),
    ]


def _asked_by_systems(stack: Stack) -> list[Statement]:
    """Permissions of systems beyond the statements above. The policy of the system restricts the resources,
    which would not all fit into this policy."""
    actions = {
        action
        for system in stack.environment.systems.values()
        for permission in system.permissions
        for action in permission.actions
        if not any(fnmatchcase(action, pattern) for pattern in (*SERVICES, "s3:*"))
    }
    if not actions:
        return []
    return [
        Statement(
            sid="PermissionsOfSystems",
            actions=sorted(actions),
            resources=Everything("the upper limit of roles whose own policies name the resources"),
        )
    ]


def _images_elsewhere(stack: Stack) -> list[Statement]:
    """Images of the previous environment, if it is in another region; a registry only accepts tokens of its
    region."""
    environment, source = stack.environment, stack.environment.chain.source
    if source is None or source.region in (environment.region, environment.storage.backup.copy_region):
        return []
    return [
        Statement(
            sid="SignInToTheEnvironmentBefore",
            actions="ecr:GetAuthorizationToken",
            resources=Everything("the token is for all registries of the region"),
            conditions={"StringEquals": {"aws:RequestedRegion": source.region}},
        ),
        Statement(sid="ImagesOfTheEnvironmentBefore", actions=PULL, resources=source_arns(environment)),
    ]
