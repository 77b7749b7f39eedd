"""Gateway, as far as the systems need it."""

from __future__ import annotations

from modules.compute.outputs import ComputeOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.helm import helm_provider
from modules.iam import grant
from modules.pod_identity import pod_role
from modules.policy import Statement
from modules.stack import Stack


class Gateway:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        helm_provider(stack, ComputeOutputs.read(stack))
        role = pod_role(stack, "external_secrets", "Fetches secrets", "external-secrets", "external-secrets")
        grant(
            stack,
            "external_secrets",
            role,
            Statement(
                sid="BecomeTheReadersOfSystems",
                actions=["sts:AssumeRole", "sts:TagSession"],
                resources=stack.arn("iam", f"role/{stack.names.stem}-secrets-*", region=""),
            ),
        )
        GatewayOutputs(
            ingress_class="kong",
            namespace="gateway",
            secrets_operator_role_arn=role.arn,
            storage_class="gp3",
        ).declare(stack)
