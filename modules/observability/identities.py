"""Pods that act on AWS: a role each, tied to the one service account that may have it."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.eks_pod_identity_association import EksPodIdentityAssociation

from modules.compute.outputs import ComputeOutputs
from modules.iam import grant
from modules.namespaces import OBSERVABILITY
from modules.pod_identity import associate, pod_role
from modules.policy import Statement
from modules.stack import Stack


def identity(
    stack: Stack,
    compute: ComputeOutputs,
    account: str,
    description: str,
    *statements: Statement,
    namespace: str = OBSERVABILITY,
) -> EksPodIdentityAssociation:
    """`aws_eks_pod_identity_association.<account>` and its role. EKS hands out credentials to pods that start
    after it, so what installs them depends on it."""
    name = account.replace("-", "_")
    role = pod_role(stack, name, description, namespace, account)
    grant(stack, name, role, *statements)
    return associate(stack, name, compute.cluster_name, namespace, account, role)
