"""The AWS services the infrastructure is made of: what a plan must read there, what an apply may change.

A tier that creates something of another service adds it here; a test names what is missing.
"""

from __future__ import annotations

# What terraform reads to compare the world with the plan: settings, never contents. Nothing here returns a
# secret, a log line, a row, an object or an image.
READS = [
    "acm:Describe*",
    "acm:List*",
    "application-autoscaling:Describe*",
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
    "ecr:DescribeRepositories",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRegistryScanningConfiguration",
    "ecr:GetRepositoryPolicy",
    "ecr:ListTagsForResource",
    "eks:Describe*",
    "eks:List*",
    "elasticache:Describe*",
    "elasticache:ListTagsForResource",
    "elasticloadbalancing:Describe*",
    "events:Describe*",
    "events:List*",
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

# Services of which an apply may change everything of this account in the regions of the environment.
MANAGED = [
    "acm",
    "application-autoscaling",
    "autoscaling",
    "backup",
    "cloudwatch",
    "codebuild",
    "ec2",
    "eks",
    "elasticache",
    "elasticloadbalancing",
    "events",
    "rds",
    "sns",
    "wafv2",
    "xray",
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
    "kms": [
        "CancelKeyDeletion",
        "CreateAlias",
        "CreateGrant",
        "DeleteAlias",
        "EnableKeyRotation",
        "DisableKeyRotation",
        "PutKeyPolicy",
        "RetireGrant",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateKeyDescription",
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
    "acm:RequestCertificate",
    "backup-storage:MountCapsule",
    "ec2:CreateSubnetCidrReservation",
    "ec2:DeleteSubnetCidrReservation",
    "ecr:PutRegistryScanningConfiguration",
    "eks:CreateCluster",
    "elasticloadbalancing:SetWebAcl",
    "kms:CreateKey",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DeleteResourcePolicy",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "secretsmanager:GetRandomPassword",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
]

# Services that encrypt with a key on behalf of whoever creates something in them.
KEYS_USED_BY = ["backup", "ec2", "elasticache", "rds", "secretsmanager"]

ZONES = [
    "route53:ChangeResourceRecordSets",
    "route53:ChangeTagsForResource",
    "route53:DeleteHostedZone",
    "route53:UpdateHostedZoneComment",
]

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
    "vpc-flow-logs.amazonaws.com",
]
SERVICE_LINKED = [
    "autoscaling.amazonaws.com",
    "backup.amazonaws.com",
    "eks-nodegroup.amazonaws.com",
    "eks.amazonaws.com",
    "elasticache.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
    "wafv2.amazonaws.com",
]

ROLES = [
    "iam:AttachRolePolicy",
    "iam:CreateInstanceProfile",
    "iam:AddRoleToInstanceProfile",
    "iam:CreatePolicy*",
    "iam:CreateRole",
    "iam:DeleteInstanceProfile",
    "iam:DeletePolicy*",
    "iam:DeleteRole*",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:TagInstanceProfile",
    "iam:TagPolicy",
    "iam:TagRole",
    "iam:UntagInstanceProfile",
    "iam:UntagPolicy",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole*",
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
    "sts:AssumeRole",
]
