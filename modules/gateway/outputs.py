"""Outputs of the gateway tier: Kong, and the shared parts of the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tierra.terraform.outputs import Outputs


@dataclass(frozen=True)
class GatewayOutputs(Outputs, tier="gateway"):
    """A tier that reads one of them installs its releases after those of the gateway."""

    ingress_class: Annotated[str, "Ingress class of Kong"]
    namespace: Annotated[str, "Namespace of Kong"]
    releases_namespace: Annotated[
        str, "Namespace in which Helm stores the records of the project's own releases"
    ]
    storage_class: Annotated[str, "Name of the default storage class; its volumes are encrypted"]
    priority_class: Annotated[str, "Priority class of pods that other pods depend on"]
    secrets_operator_role_arn: Annotated[
        str, "ARN of the IAM role of External Secrets, which may assume the roles that read secrets"
    ]
