"""The actions of an apply: what it creates, changes and deletes in AWS.

A tier that creates resources of a new service adds it here; a test reports missing ones.
"""

from __future__ import annotations

# Services whose resources have the name of the environment: an apply may do everything with these. `{stem}`
# and the like are filled in by changes.py.
NAMED = {
    "backup": ["backup-vault:{backup_vault}", "restore-testing-plan:{restore_testing_plan}"],
    "cloudwatch": ["alarm:{stem}-*"],
    "codebuild": ["project/{stem}-runner-*"],
    "eks": ["cluster/{cluster}", "*/{cluster}/*"],
    "elasticache": ["*:{stem}-*", "parametergroup:default.*"],
    "elasticloadbalancing": [
        "listener-rule/app/{load_balancer}/*",
        "listener/app/{load_balancer}/*",
        "loadbalancer/app/{load_balancer}/*",
    ],
    "rds": ["*:{stem}-*", "cluster-pg:default.*", "og:default:*", "pg:default.*"],
    "sns": ["{stem}-*"],
    "wafv2": ["regional/ipset/{stem}-*", "regional/managedruleset/*", "regional/webacl/{stem}-*"],
    "xray": ["group/{trace_group}", "sampling-rule/{sampling_rule}"],
}

# Resources with IDs instead of names: an apply may change those with the tags of the environment.
TAGGED = {
    "acm": ["certificate/*"],
    "backup": ["backup-plan:*"],
    "ec2": ["*"],
    "elasticfilesystem": ["*"],
    "elasticloadbalancing": ["targetgroup/*"],
    "kms": ["key/*"],
}
CHANGES = [
    "acm:DeleteCertificate",
    "acm:RemoveTagsFromCertificate",
    "acm:UpdateCertificateOptions",
    "acm:AddTagsToCertificate",
    "backup:*",
    "ec2:*",
    "elasticfilesystem:*",
    "elasticloadbalancing:*",
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:CreateGrant",
    "kms:DeleteAlias",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:RetireGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]

# Actions that create resources, only with the tags of the environment.
CREATES = [
    "acm:RequestCertificate",
    "backup:CreateBackupPlan",
    "ec2:AllocateAddress",
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateFlowLogs",
    "ec2:CreateInternetGateway",
    "ec2:CreateLaunchTemplate",
    "ec2:CreateNatGateway",
    "ec2:CreateNetworkAcl",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateVpc",
    "ec2:CreateVpcEndpoint",
    "ec2:RunInstances",
    "eks:CreateCluster",
    "elasticfilesystem:CreateAccessPoint",
    "elasticfilesystem:CreateFileSystem",
    "elasticloadbalancing:CreateTargetGroup",
    "kms:CreateKey",
]

# Actions that tag new resources; existing tags of the environment stay.
TAGS = [
    "acm:AddTagsToCertificate",
    "backup:TagResource",
    "elasticfilesystem:TagResource",
    "elasticloadbalancing:AddTags",
    "kms:TagResource",
]

# Only settings of these: an apply neither pushes images, reads logs nor decrypts data of others.
SETTINGS = {
    "ecr": [
        "CreateRepository",
        "DeleteLifecyclePolicy",
        "DeleteRepository",
        "DeleteRepositoryPolicy",
        "PutImageScanningConfiguration",
        "PutImageTagMutability",
        "PutLifecyclePolicy",
        "SetRepositoryPolicy",
        "TagResource",
        "UntagResource",
    ],
    "logs": [
        "AssociateKmsKey",
        "CreateLogGroup",
        "DeleteLogGroup",
        "DeleteRetentionPolicy",
        "DisassociateKmsKey",
        "PutLogGroupDeletionProtection",
        "PutRetentionPolicy",
        "TagResource",
        "UntagResource",
    ],
    "secretsmanager": [
        "CreateSecret",
        "DeleteResourcePolicy",
        "DeleteSecret",
        "PutResourcePolicy",
        "PutSecretValue",
        "TagResource",
        "UntagResource",
        "UpdateSecret",
        "UpdateSecretVersionStage",
    ],
    "ssm": [
        "AddTagsToResource",
        "DeleteParameter",
        "PutParameter",
        "RemoveTagsFromResource",
    ],
}

# Actions without resource-level permissions, not even for "this account".
WITHOUT_RESOURCE = [
    "backup-storage:MountCapsule",
    "elasticloadbalancing:SetWebAcl",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DeleteResourcePolicy",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "secretsmanager:GetRandomPassword",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
]

# In addition to ecr:PutRegistryScanningConfiguration. Source: user guide of ECR, IAM permissions required for
# enhanced scanning.
ENHANCED_SCANNING = [
    "inspector2:Disable",
    "inspector2:Enable",
    "inspector2:ListAccountPermissions",
    "inspector2:ListCoverage",
    "inspector2:ListFindings",
]

IMAGE_CACHE = [
    "ecr:CreatePullThroughCacheRule",
    "ecr:DeletePullThroughCacheRule",
    "ecr:UpdatePullThroughCacheRule",
]

# Services that encrypt with a key on behalf of the role that creates their resources.
KEYS_USED_BY = ["backup", "ec2", "elasticache", "elasticfilesystem", "rds", "secretsmanager"]

BUDGETS = [
    "budgets:ModifyBudget",
    "budgets:TagResource",
    "budgets:UntagResource",
]

BUCKETS = [
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutAccelerateConfiguration",
    "s3:PutBucket*",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
    "s3:TagResource",
    "s3:UntagResource",
]

# Services to which roles of an environment are passed, and those whose service-linked role is created on
# first use.
PASSED_TO = [
    "backup.amazonaws.com",
    "codebuild.amazonaws.com",
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "pods.eks.amazonaws.com",
    "restore-testing.backup.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
]
SERVICE_LINKED = [
    "autoscaling.amazonaws.com",
    "backup.amazonaws.com",
    "eks-nodegroup.amazonaws.com",
    "eks.amazonaws.com",
    "elasticache.amazonaws.com",
    "elasticfilesystem.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "inspector2.amazonaws.com",
    "pullthroughcache.ecr.amazonaws.com",
    "rds.amazonaws.com",
    "restore-testing.backup.amazonaws.com",
    "wafv2.amazonaws.com",
]

# Actions that change permissions or the trust of a role: only for roles with the boundary of workloads.
ROLES = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
]

# Protection of backups, which only an administrator sets, no workflow.
BACKUPS = [
    "backup:DeleteBackupVaultAccessPolicy",
    "backup:DeleteBackupVaultLockConfiguration",
    "backup:DeleteRecoveryPoint",
    "backup:DisassociateRecoveryPoint*",
    "backup:PutBackupVaultAccessPolicy",
    "backup:PutBackupVaultLockConfiguration",
    "backup:UpdateRecoveryPointLifecycle",
]
