"""External Secrets: brings what systems may know from Secrets Manager into their namespaces.

The operator may read nothing itself. Each system brings a role of its own that reads the secrets of its needs
and trusts the operator's role; all the operator may do is take on such roles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.charts import SECRETS
from modules.gateway.foundation import PRIORITY_CLASS
from modules.gateway.foundation import SECRETS as NAMESPACE
from modules.gateway.identity import identity
from modules.helm import release
from modules.iam import grant
from modules.policy import Statement
from modules.stack import Stack
from modules.templating import Templates

SERVICE_ACCOUNT = "external-secrets"
ROLE = "external_secrets"


class Secrets(NamedTuple):
    """The operator and its role."""

    role: IamRole
    release: Release


def secrets(stack: Stack, cluster: ComputeOutputs, after: Sequence[ITerraformDependable]) -> Secrets:
    """`helm_release.external_secrets` and `aws_iam_role.external_secrets`.

    The name of the role does not start like those it may take on, `<stem>-secrets-`.
    """
    made = identity(stack, cluster, ROLE, "Takes on the roles that read secrets", NAMESPACE, SERVICE_ACCOUNT)
    rights = grant(
        stack,
        ROLE,
        made.role,
        Statement(
            sid="TakeOnRolesOfSystems",
            actions=["sts:AssumeRole", "sts:TagSession"],  # tags of pod identity pass on to the next session
            resources=stack.arn("iam", f"role/{stack.names.stem}-secrets-*", region=""),
        ),
    )
    operator = release(
        stack,
        ROLE,
        SECRETS,
        name="external-secrets",
        namespace=NAMESPACE,
        values=[
            Templates().argument(
                "gateway/secrets.yaml", service_account=SERVICE_ACCOUNT, priority_class=PRIORITY_CLASS
            )
        ],
        depends_on=[*after, rights, made.association],
    )
    return Secrets(made.role, operator)
