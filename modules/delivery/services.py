"""The AWS services of the infrastructure: what a plan must read there, and what an apply may change.

A tier that creates something of another service adds it here; a test names what is missing.
"""

from __future__ import annotations

# What terraform reads to compare the world with the plan: settings, never contents. Nothing here returns a
# secret, a log line, a row, an object or an image.
READS = [
    "acm:Describe*",
    "acm:List*",
    "autoscaling:Describe*",
    "backup:Describe*",
    "backup:Get*",
    "backup:List*",
    "budgets:ListTagsForResource",
    "budgets:ViewBudget",
    "cloudwatch:Describe*",
    "cloudwatch:GetDashboard",
    "cloudwatch:ListTagsForResource",
    "codebuild:BatchGetProjects",
    "ec2:Describe*",
    "ec2:GetTransitGatewayRouteTable*",
    "ecr:DescribePullThroughCacheRules",
    "ecr:DescribeRepositories",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRegistryScanningConfiguration",
    "ecr:GetRepositoryPolicy",
    "ecr:ListTagsForResource",
    "eks:Describe*",
    "eks:List*",
    "elasticache:Describe*",
    "elasticache:ListTagsForResource",
    "elasticfilesystem:Describe*",
    "elasticloadbalancing:Describe*",
    "elasticloadbalancing:GetLoadBalancerWebACL",
    "iam:GetInstanceProfile",
    "iam:GetOpenIDConnectProvider",
    "iam:GetPolicy*",
    "iam:GetRole*",
    "iam:List*",
    "kms:Describe*",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:List*",
    "logs:Describe*",
    "logs:ListTagsForResource",
    "rds:Describe*",
    "rds:ListTagsForResource",
    "route53:Get*",
    "route53:List*",
    "s3:GetAccelerateConfiguration",
    "s3:GetAccountPublicAccessBlock",
    "s3:GetBucket*",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListTagsForResource",
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:ListSecretVersionIds",
    "shield:Describe*",
    "shield:List*",
    "sns:Get*",
    "sns:List*",
    "ssm:DescribeParameters",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:ListTagsForResource",
    "wafv2:Get*",
    "wafv2:List*",
    "xray:GetGroup",
    "xray:GetSamplingRules",
    "xray:ListTagsForResource",
]

# Services whose things carry the environment in their names: an apply may do everything with these.
# `{stem}` and the like are filled in by changes.py.
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

# Things that AWS gives an ID, no name of ours: an apply may change those with the tags of the environment.
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

# What is made with the tags of the environment or not at all.
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

# The first tags of a thing; what has those of an environment already keeps them.
TAGS = [
    "acm:AddTagsToCertificate",
    "backup:TagResource",
    "elasticfilesystem:TagResource",
    "elasticloadbalancing:AddTags",
    "kms:TagResource",
]

# Of these only settings: an apply neither pushes images, reads logs nor decrypts what it did not encrypt.
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

# AWS knows no resource for these, not even "of this account".
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

# Besides ecr:PutRegistryScanningConfiguration. Source: user guide of ECR, IAM permissions required for
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

# Services that encrypt with a key on behalf of the role that creates something in them.
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

# Services that roles of an environment are handed to, and those whose own role an account gets on first use.
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

# What gives a role rights, takes them or says who has it: for roles within the boundary of workloads only.
# IAM knows the boundary of the role in each of these calls.
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

# What keeps backups from being lost: set by an administrator, and by no workflow.
BACKUPS = [
    "backup:DeleteBackupVaultAccessPolicy",
    "backup:DeleteBackupVaultLockConfiguration",
    "backup:DeleteRecoveryPoint",
    "backup:DisassociateRecoveryPoint*",
    "backup:PutBackupVaultAccessPolicy",
    "backup:PutBackupVaultLockConfiguration",
    "backup:UpdateRecoveryPointLifecycle",
]

# What the role of plans is refused, whatever is attached to it one day.
SECRETS = [
    "ecr:GetAuthorizationToken",
    "kms:CreateGrant",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:StartLiveTail",
    "logs:StartQuery",
    "rds-db:connect",
    "rds:DownloadCompleteDBLogFile",
    "rds:DownloadDBLogFilePortion",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "sts:AssumeRole",
]
