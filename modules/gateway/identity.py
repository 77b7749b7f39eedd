"""Identities of pods on AWS: a role and its tie to one service account."""

from __future__ import annotations

from typing import NamedTuple

from cdktf_cdktf_provider_aws.eks_pod_identity_association import EksPodIdentityAssociation
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.compute.outputs import ComputeOutputs
from modules.pod_identity import pod_role
from modules.stack import Stack


class Identity(NamedTuple):
    """A role, and the association by which its pods get it. Pods that start before it get no credentials."""

    role: IamRole
    association: EksPodIdentityAssociation


def identity(
    stack: Stack, cluster: ComputeOutputs, name: str, description: str, namespace: str, service_account: str
) -> Identity:
    """`aws_iam_role.<name>`, without any right yet, for the pods of a service account."""
    role = pod_role(stack, name, description, namespace, service_account)
    association = stack.add(
        EksPodIdentityAssociation,
        name,
        cluster_name=cluster.cluster_name,
        namespace=namespace,
        service_account=service_account,
        role_arn=role.arn,
        tags=stack.tags(name.replace("_", "-")),
    )
    return Identity(role, association)
