"""Access to the Kubernetes API with access entries, which plans show, not with the ConfigMap aws-auth.

Nodes need no entry here: EKS creates that of a managed node group's role itself.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.eks_cluster import EksCluster

from tierra.patterns.cluster_access import access_entry
from tierra.terraform.roles import role_slug
from tierra.terraform.stack import Stack

POLICIES = {"admin": "AmazonEKSClusterAdminPolicy", "viewer": "AmazonEKSViewPolicy"}


def access(stack: Stack, cluster: EksCluster) -> None:
    """`aws_eks_access_entry.<role>` with its policy, for every role of the spec."""
    settings = stack.environment.compute
    for kind, arns in (("admin", settings.admins), ("viewer", settings.viewers)):
        for arn in arns:
            name = f"{kind}_{role_slug(arn)}"
            access_entry(stack, name, cluster.name, arn, POLICIES[kind])
