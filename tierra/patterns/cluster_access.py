"""EKS access entries: who may use the Kubernetes API. Every plan shows them."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.eks_access_entry import EksAccessEntry
from cdktf_cdktf_provider_aws.eks_access_policy_association import (
    EksAccessPolicyAssociation,
    EksAccessPolicyAssociationAccessScope,
)

from tierra.terraform.stack import Stack


def access_group(
    stack: Stack, name: str, cluster_name: str, principal_arn: str, group: str | None = None
) -> EksAccessEntry:
    """`aws_eks_access_entry.<name>`: a role in Kubernetes with the rights of a group, which has none without
    roles of Kubernetes."""
    return stack.add(
        EksAccessEntry,
        name,
        cluster_name=cluster_name,
        principal_arn=principal_arn,
        kubernetes_groups=[group] if group else None,
        type="STANDARD",
        tags=stack.tags(name.replace("_", "-")),
    )


def access_entry(
    stack: Stack,
    name: str,
    cluster_name: str,
    principal_arn: str,
    policy: str,
    *,
    namespaces: Sequence[str] = (),
) -> None:
    """`aws_eks_access_entry.<name>`: a role in Kubernetes with an access policy of EKS, in these namespaces
    or, without any, everywhere."""
    entry = access_group(stack, name, cluster_name, principal_arn)
    stack.add(
        EksAccessPolicyAssociation,
        name,
        cluster_name=cluster_name,
        principal_arn=entry.principal_arn,
        policy_arn=stack.arn("eks", f"cluster-access-policy/{policy}", region="", account="aws"),
        access_scope=EksAccessPolicyAssociationAccessScope(
            type="namespace" if namespaces else "cluster",
            namespaces=list(namespaces) or None,
        ),
    )
