"""Roles of pods: EKS gives their credentials to exactly one service account of the cluster.

EKS looks for an association only when a pod is admitted, and an association may take several seconds to
become effective after the call has returned (Amazon EKS API Reference, CreatePodIdentityAssociation). So each
tier creates its associations before its first release, which installs only definitions and namespaces and no
pod that needs credentials. Pods that need credentials are released after that one.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.eks_pod_identity_association import EksPodIdentityAssociation
from cdktf_cdktf_provider_aws.iam_role import IamRole

from tierra.patterns.iam import iam_role
from tierra.terraform.policy import Statement, document
from tierra.terraform.stack import Stack


def pod_role(stack: Stack, role: str, description: str, namespace: str, service_account: str) -> IamRole:
    """`aws_iam_role.<role>`, without rights. An association connects it with the service account. EKS sets
    cluster, namespace and service account as session tags, which the trust policy compares: a wrong
    association gives other pods no access.
    """
    pods = Statement(
        sid="PodsOfOneServiceAccount",
        actions=["sts:AssumeRole", "sts:TagSession"],
        principals={"Service": "pods.eks.amazonaws.com"},
        conditions={
            "StringEquals": {
                "aws:RequestTag/eks-cluster-arn": cluster_arn(stack),
                "aws:RequestTag/kubernetes-namespace": namespace,
                "aws:RequestTag/kubernetes-service-account": service_account,
                "aws:SourceAccount": stack.environment.account,
            }
        },
    )
    return iam_role(stack, role, description, document(pods))


def associate(
    stack: Stack, name: str, cluster_name: str, namespace: str, service_account: str, role: IamRole
) -> EksPodIdentityAssociation:
    """`aws_eks_pod_identity_association.<name>`: pods of the service account get credentials of the role."""
    return stack.add(
        EksPodIdentityAssociation,
        name,
        cluster_name=cluster_name,
        namespace=namespace,
        service_account=service_account,
        role_arn=role.arn,
        tags=stack.tags(name.replace("_", "-")),
    )


def cluster_arn(stack: Stack) -> str:
    """The ARN of the cluster, known before it exists."""
    return stack.arn("eks", f"cluster/{stack.names.of('cluster')}")
