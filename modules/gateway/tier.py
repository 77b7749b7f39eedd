"""The gateway tier: Kong between load balancer and systems, and shared components of the cluster."""

from __future__ import annotations

from modules.compute.outputs import ComputeOutputs
from modules.edge.outputs import EdgeOutputs
from modules.gateway.autoscaler import autoscaler
from modules.gateway.cluster import PRIORITY_CLASS, STORAGE_CLASS, definitions, shared
from modules.gateway.controller import controller_identity, load_balancer_controller
from modules.gateway.kong import INGRESS_CLASS, kong
from modules.gateway.outputs import GatewayOutputs
from modules.gateway.secrets import external_secrets, secrets_identity
from modules.network.outputs import NetworkOutputs
from tierra.patterns.helm import helm_provider
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import GATEWAY, RELEASES


class Gateway:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        network, edge = NetworkOutputs.read(stack), EdgeOutputs.read(stack)
        cluster = ComputeOutputs.read(stack)
        helm_provider(stack, cluster)
        self.secrets_identity = secrets_identity(stack, cluster)
        identities = [*controller_identity(stack, cluster, edge), *self.secrets_identity.before_pods]
        self.definitions = definitions(stack, identities)
        self.cluster = shared(stack, cluster)
        self.controller = load_balancer_controller(stack, network, cluster, [self.definitions])
        if stack.environment.compute.scaling == "pods":
            self.autoscaler = autoscaler(stack, cluster, self.definitions)
        self.secrets = external_secrets(stack, [self.definitions, self.cluster])
        self.kong = kong(stack, network, edge, [self.cluster, self.controller])
        self._outputs().declare(stack)

    def _outputs(self) -> GatewayOutputs:
        return GatewayOutputs(
            ingress_class=INGRESS_CLASS,
            namespace=GATEWAY,
            releases_namespace=RELEASES,
            storage_class=STORAGE_CLASS,
            priority_class=PRIORITY_CLASS,
            secrets_operator_role_arn=self.secrets_identity.role.arn,
        )
