"""Roles of pods: EKS gives their credentials to exactly one service account of the cluster.

EKS looks for an association when a pod is admitted and never again, and an association may take several
seconds to be effective after the call has returned (Amazon EKS API Reference, CreatePodIdentityAssociation).
So each tier makes its associations before its first release, which brings no pod that needs one: definitions
and namespaces. What needs credentials is released after that one.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.eks_pod_identity_association import EksPodIdentityAssociation
from cdktf_cdktf_provider_aws.iam_role import IamRole

from tierra.patterns.iam import iam_role
from tierra.terraform.policy import Statement, document
from tierra.terraform.stack import Stack


def pod_role(stack: Stack, role: str, description: str, namespace: str, service_account: str) -> IamRole:
    """`aws_iam_role.<role>`, without any right yet. An association ties it to the service account.

    EKS states cluster, namespace and account as tags of the session, which the trust compares: an association
    made by mistake for other pods gives them nothing.
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
