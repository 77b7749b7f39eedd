"""KMS keys: one for Kubernetes Secrets, one for disks of nodes and pods."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_service_linked_role import IamServiceLinkedRole

from tierra.patterns.encryption import Key, encryption_key
from tierra.terraform.policy import THIS_KEY, Statement
from tierra.terraform.stack import Stack

USE = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
GRANT = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]
FOR_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def secrets_key(stack: Stack) -> Key:
    """Encrypts Kubernetes Secrets in etcd. The role of the cluster uses it through its own policy."""
    return encryption_key(stack, "eks_secrets", "Secrets of Kubernetes")


def disks_key(stack: Stack) -> Key:
    """Encrypts disks of nodes, which EC2 Auto Scaling starts, and volumes of pods.

    Auto Scaling uses its service-linked role, to which no policy can be attached: without these statements of
    the key policy no node starts.
    """
    path = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    role = stack.arn("iam", f"role/{path}", region="")
    if stack.environment.compute.autoscaling_role == "create":
        role = stack.add(
            IamServiceLinkedRole,
            "autoscaling",
            aws_service_name="autoscaling.amazonaws.com",
            description="EC2 Auto Scaling starts and stops instances",
        ).arn
    return encryption_key(
        stack,
        "ebs",
        "Disks of nodes and volumes of pods",
        Statement(sid="AutoScalingUses", actions=USE, resources=THIS_KEY, principals={"AWS": role}),
        Statement(
            sid="AutoScalingGrantsToDisks",
            actions=GRANT,
            resources=THIS_KEY,
            principals={"AWS": role},
            conditions=FOR_AWS,
        ),
    )
