"""Outputs of the gateway, and of the shared parts of the cluster, for other tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tierra.terraform.outputs import Outputs


@dataclass(frozen=True)
class GatewayOutputs(Outputs, tier="gateway"):
    """Reading one of them also says: what is installed here is there before the reader's releases."""

    ingress_class: Annotated[str, "Class of Ingress that Kong answers"]
    namespace: Annotated[str, "Namespace of Kong"]
    releases_namespace: Annotated[str, "Namespace in which Helm keeps records of the project's own releases"]
    storage_class: Annotated[str, "Class of volumes, encrypted, that is used where none is named"]
    priority_class: Annotated[str, "Class of pods that many others wait for"]
    secrets_operator_role_arn: Annotated[
        str, "Role of External Secrets, which may assume those that may read secrets"
    ]
