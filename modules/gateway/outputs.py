"""What other tiers may use of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from modules.outputs import Outputs


@dataclass(frozen=True)
class GatewayOutputs(Outputs, tier="gateway"):
    """Names of what stands in the cluster once the gateway is applied, and one role."""

    ingress_class: Annotated[str, "Class of an Ingress that Kong serves"]
    namespace: Annotated[str, "Namespace of Kong, whose pods reach those of the systems"]
    storage_class: Annotated[str, "Storage class of encrypted gp3 volumes, the default one"]
    priority_class: Annotated[str, "Priority of pods of the platform, which go before those of the systems"]
    secrets_operator_role_arn: Annotated[
        str, "Role of the External Secrets operator, which a role that reads secrets trusts"
    ]
