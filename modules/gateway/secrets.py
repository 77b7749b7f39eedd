"""External Secrets: copies secrets from Secrets Manager into the namespaces of their systems.

Its own role reads no secret. Each system has a role that may read only its secrets, and External Secrets
assumes it for the namespace of the system.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.charts import SECRETS, rendered
from tierra.patterns.helm import release
from tierra.patterns.iam import grant
from tierra.patterns.pod_identity import associate, pod_role
from tierra.terraform.policy import Statement
from tierra.terraform.roles import role_arn
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import SECRETS as NAMESPACE

ACCOUNT = "external-secrets"


@dataclass(frozen=True)
class SecretsIdentity:
    """The role of External Secrets, and the resources that must exist before its pods."""

    role: IamRole
    before_pods: list[ITerraformDependable]


def secrets_identity(stack: Stack, cluster: ComputeOutputs) -> SecretsIdentity:
    """`aws_iam_role.external_secrets`, its policy and its pod identity association."""
    role = pod_role(
        stack, "external_secrets", "External Secrets assumes the roles that read secrets", NAMESPACE, ACCOUNT
    )
    readers = stack.names.readers_of_secrets
    rights = grant(
        stack,
        "external_secrets",
        role,
        Statement(
            sid="BecomeAReaderOfSecrets",
            actions=["sts:AssumeRole", "sts:TagSession"],
            resources=role_arn(stack.environment, readers),
        ),
    )
    association = associate(stack, "external_secrets", cluster.cluster_name, NAMESPACE, ACCOUNT, role)
    return SecretsIdentity(role, [rights, association])


def external_secrets(stack: Stack, after: Sequence[ITerraformDependable]) -> Release:
    """`helm_release.external_secrets`."""
    return release(
        stack,
        "external_secrets",
        SECRETS,
        name=SECRETS.name,
        namespace=NAMESPACE,
        values=[rendered(stack, SECRETS, region=stack.environment.region, account=ACCOUNT)],
        depends_on=after,
    )
