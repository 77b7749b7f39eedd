"""The gateway: what leads requests from the load balancer to the systems, and what systems find in the
cluster."""

from __future__ import annotations

from modules.compute.outputs import ComputeOutputs
from modules.edge.outputs import EdgeOutputs
from modules.gateway.autoscaler import autoscaler
from modules.gateway.charts import metric_types
from modules.gateway.controller import controller
from modules.gateway.foundation import GATEWAY, PRIORITY_CLASS, STORAGE_CLASS, foundation
from modules.gateway.kong import INGRESS_CLASS, kong
from modules.gateway.outputs import GatewayOutputs
from modules.gateway.secrets import secrets
from modules.helm import helm_provider
from modules.network.outputs import NetworkOutputs
from modules.stack import Stack


class Gateway:
    """Fills the stack. Each noun is a file of its own, named as it is here."""

    def __init__(self, stack: Stack) -> None:
        network, cluster = NetworkOutputs.read(stack), ComputeOutputs.read(stack)
        edge = EdgeOutputs.read(stack)
        helm_provider(stack, cluster)
        self.metric_types = metric_types(stack)
        self.foundation = foundation(stack, cluster)
        first = [self.metric_types, self.foundation]
        self.autoscaler = autoscaler(stack, cluster, after=first)
        self.controller = controller(stack, network, cluster, edge, after=first)
        self.secrets = secrets(stack, cluster, after=first)
        self.kong = kong(stack, network, edge, after=[*first, self.controller])
        self._outputs().declare(stack)

    def _outputs(self) -> GatewayOutputs:
        return GatewayOutputs(
            ingress_class=INGRESS_CLASS,
            namespace=GATEWAY,
            storage_class=STORAGE_CLASS,
            priority_class=PRIORITY_CLASS,
            secrets_operator_role_arn=self.secrets.role.arn,
        )
