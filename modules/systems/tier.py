"""Systems: the applications of the spec in the cluster, each with an identity, secrets and two releases.

Nothing here is about two systems: a further one adds things of its name, and changes no others.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.data_aws_ssm_parameter import DataAwsSsmParameter
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret

from modules.compute.outputs import ComputeOutputs
from modules.data.outputs import DataOutputs
from modules.delivery.outputs import DeliveryOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.helm import helm_provider
from modules.stack import Stack
from modules.storage.outputs import StorageOutputs
from modules.systems.environment import variables
from modules.systems.identity import identity
from modules.systems.naming import slug
from modules.systems.outputs import SystemsOutputs
from modules.systems.releases import namespace_release, system_release
from modules.systems.secrets import own_secret, reader, sources
from modules.systems.spec import System
from modules.systems.values import namespace_values, system_values, text


class Systems:
    """Fills the stack, system by system. Each noun is a file of its own, named as it is here."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.cluster, self.gateway = ComputeOutputs.read(stack), GatewayOutputs.read(stack)
        self.data, self.storage = DataOutputs.read(stack), StorageOutputs.read(stack)
        self.delivery = DeliveryOutputs.read(stack)
        helm_provider(stack, self.cluster)
        self.roles: dict[str, IamRole] = {}
        self.secrets: dict[str, SecretsmanagerSecret] = {}
        for name, system in stack.environment.systems.items():
            self._add(name, system)
        SystemsOutputs(
            role_arns={name: role.arn for name, role in self.roles.items()},
            secret_arns={name: secret.arn for name, secret in self.secrets.items()},
        ).declare(stack)

    def _add(self, name: str, system: System) -> None:
        stack, data, gateway = self.stack, self.data, self.gateway
        pods = identity(stack, name, system, self.cluster, data, self.storage)
        self.roles[name] = pods.role
        own = self.secrets[name] = own_secret(stack, name, data)
        wanted = sources(system, data)
        who = reader(stack, name, own, wanted, data, gateway)
        around = namespace_values(stack, name, system, gateway, who.role.arn, own.arn, wanted)
        told = variables(stack, name, system, data, self.storage)
        itself = system_values(name, system, gateway, self._image(name), told, wanted)
        first = namespace_release(stack, name, text(around), after=[who.ready])
        system_release(stack, name, text(itself), after=[first, *pods.ready])

    def _image(self, name: str) -> str:
        """What the pipeline says that runs: terraform starts that and no other, so the two never fight."""
        parameter = self.stack.add(
            DataAwsSsmParameter, slug(name), name=self.delivery.image_parameter_names[name]
        )
        return parameter.insecure_value
