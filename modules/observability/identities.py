"""Roles of pods that use AWS; only the pod's service account may assume its role."""

from __future__ import annotations

from cdktf import ITerraformDependable

from modules.compute.outputs import ComputeOutputs
from tierra.patterns.iam import grant
from tierra.patterns.pod_identity import associate, pod_role
from tierra.terraform.policy import Statement
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import OBSERVABILITY


def identity(
    stack: Stack,
    compute: ComputeOutputs,
    account: str,
    description: str,
    *statements: Statement,
    namespace: str = OBSERVABILITY,
) -> list[ITerraformDependable]:
    """`aws_iam_role.<account>`, its policy and its pod identity association, which must exist before its
    pods."""
    name = account.replace("-", "_")
    role = pod_role(stack, name, description, namespace, account)
    rights = grant(stack, name, role, *statements)
    return [rights, associate(stack, name, compute.cluster_name, namespace, account, role)]
