"""What other tiers may use of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from modules.outputs import Outputs


@dataclass(frozen=True)
class GatewayOutputs(Outputs, tier="gateway"):
    """How the systems are reached, and who fetches their secrets."""

    ingress_class: Annotated[str, "Class of ingresses that Kong serves"]
    namespace: Annotated[str, "Namespace of Kong"]
    secrets_operator_role_arn: Annotated[str, "Role of the operator that fetches secrets"]
    storage_class: Annotated[str, "Class of volumes"]
