"""The systems tier: the applications of the spec, each in its own namespace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.compute.groups import placement
from modules.compute.outputs import ComputeOutputs
from modules.data.outputs import PORTS, DataOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.storage.outputs import StorageOutputs
from modules.systems.auth_spec import Client, clients
from modules.systems.databases import databases, masters
from modules.systems.images import image
from modules.systems.outputs import SystemsOutputs
from modules.systems.passwords import Secrets, system_secrets
from modules.systems.requests_spec import at_kong, host
from modules.systems.rights import pods
from modules.systems.sidecar_spec import Sidecar
from modules.systems.spec import System
from modules.systems.variables import certificate, user, variables
from tierra.patterns import traces
from tierra.patterns.helm import document, helm_provider, release
from tierra.patterns.images import pulled_from
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import collectors

# The variable with the password, by database.
VARIABLES = {"postgres": "DATABASE_PASSWORD", "documentdb": "DOCUMENTDB_PASSWORD"}


class Systems:
    """Fills the stack, system by system: no resource is shared by systems."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.cluster = ComputeOutputs.read(stack)
        self.data, self.storage = DataOutputs.read(stack), StorageOutputs.read(stack)
        self.gateway = GatewayOutputs.read(stack)
        helm_provider(stack, self.cluster)
        self.masters = masters(stack, self.data)
        self.databases = databases(stack, self.data, self.gateway, self.masters)
        roles = {}
        for current, system in stack.environment.systems.items():
            with stack.system(current) as name:
                roles[current] = self._system(name, system, current)
        SystemsOutputs(pod_role_arns={name: role.arn for name, role in roles.items()}).declare(stack)

    def _system(self, name: str, system: System, current: str) -> IamRole:
        """`helm_release.<system>_namespace`, then `helm_release.<system>`. Their records are in a separate
        namespace: docs/decisions/0007-records-of-releases.md. `current` is its name in the spec."""
        address = name.replace("-", "_")
        identity = pods(self.stack, name, system, self.cluster, self.data, self.storage)
        secrets = system_secrets(self.stack, name, system, self.data, self.gateway)
        before_users = (
            [self.databases, secrets.password.version] if secrets.password and self.databases else []
        )
        before_reading = [secrets.reader.rights] if secrets.reader else []
        namespace = release(
            self.stack,
            f"{address}_namespace",
            "systems/namespace",
            name=f"{name}-namespace",
            namespace=self.gateway.releases_namespace,
            values=[document(self._namespace(name, system, secrets, current))],
            adapt=traces.charts(self.stack),
            depends_on=[*identity.before_pods, *before_users, *before_reading],
        )
        release(
            self.stack,
            address,
            "systems/chart",
            name=name,
            namespace=self.gateway.releases_namespace,
            values=[document({"image": image(self.stack, name), **self._workload(name, system)})],
            depends_on=[namespace],
        )
        return identity.role

    def _namespace(self, name: str, system: System, secrets: Secrets, current: str) -> dict[str, Any]:
        environment = self.stack.environment
        values: dict[str, Any] = {
            "system": name,
            **({"port": system.port} if system.port else {}),
            "region": environment.region,
            "gatewayNamespace": self.gateway.namespace,
            "stores": [
                {
                    "port": PORTS[need],
                    "ranges": [str(subnet) for subnet in environment.network.layout.database.values()],
                }
                for need in system.needs
                if need in PORTS
            ],
        }
        if system.shape != "public":
            values["public"] = False
        if callers := [
            environment.called(caller)
            for caller, settings in environment.systems.items()
            if current in settings.calls
        ]:
            values["callers"] = callers
        if system.calls:
            values["calls"] = [
                {"system": environment.called(callee), "port": environment.systems[callee].port}
                for callee in system.calls
            ]
        if system.egress:
            values["egress"] = [
                {"port": way.port, "ranges": [str(cidr) for cidr in way.cidrs]} for way in system.egress
            ]
        if system.metrics:
            values["metricsPort"] = system.metrics.port or system.port
            values |= collectors(environment.observability.monitoring)
        if authority := certificate(self.stack, system):
            values["authorities"] = authority
        if secrets.reader:
            values |= _copied(system, secrets)
        if secrets.reader and (senders := clients(name, environment.systems_by_first_name)):
            values["secretsReaderRoleArn"] = secrets.reader.role.arn
            values["ingressClass"] = self.gateway.ingress_class
            values["clients"] = [_client(client, secrets) for client in senders]
        if system.config:
            values["config"] = list(system.config.values())
        if system.volumes:
            values["volumes"] = {
                volume: self.data.volume_handles[f"{current}_{volume}"] for volume in system.volumes
            }
            # Refers to the driver, which must stay until all volumes are unmounted: tierra/run/order.py.
            values["volumesDriver"] = self.cluster.volumes_driver_arn
        if secret := secrets.password:
            values["registry"] = pulled_from(self.stack)["public.ecr.aws"]
            values["password"] = {
                "secretArn": secret.secret.arn,
                "readerRoleArn": secret.reader.role.arn,
                "version": system.password_version,
            }
            values["users"] = {
                "name": user(name),
                **{database: self.masters[database] for database in system.databases},
            }
        return values

    def _hosts(self, system: System) -> dict[str, list[str]]:
        """The hosts of a system in Kong. If some systems have their own, the others have those of the edge
        tier; otherwise all systems have all hosts, and the value is empty."""
        environment = self.stack.environment
        if system.hosts:
            return {"hosts": list(system.hosts)}
        if system.path and any(other.hosts for other in environment.systems.values()):
            return {"names": list(environment.edge.hosts)}
        return {}

    def _workload(self, name: str, system: System) -> dict[str, Any]:
        commands = system.commands
        values: dict[str, Any] = {
            "system": name,
            "host": host(system, self.stack.environment.edge),
            **self._hosts(system),
            **({"path": system.path} if system.path else {}),
            **({"port": system.port} if system.port else {}),
            "ingressClass": self.gateway.ingress_class,
            "replicas": {"min": system.replicas, "max": system.max_replicas},
            "resources": _resources(system),
            "scratch": system.scratch_mb,
            "probes": {"live": system.health.live, "ready": system.health.ready},
            "command": list(commands.web),
            "migrate": list(commands.migrate),
            "environment": {
                **variables(self.stack, name, system, self.data, self.storage),
                **system.env,
            },
            "secrets": {VARIABLES[database]: "password" for database in system.databases},
            "secretVersion": system.password_version,
            "authorities": bool(certificate(self.stack, system)),
        }
        if system.shape != "public":
            values["shape"] = system.shape
        values |= placement(self.stack.environment.compute, system.nodes)
        if limits := at_kong(system):
            values["requests"] = limits
        if system.jobs:
            values["jobs"] = {
                job: {
                    "schedule": settings.schedule,
                    "command": list(settings.command),
                    "minutes": settings.minutes,
                }
                for job, settings in system.jobs.items()
            }
        if system.secrets:
            values["ownSecrets"] = {
                variable: "parameters" if source and source.parameter else "secrets"
                for variable, source in system.sources.items()
            }
        if system.config:
            values["config"] = {"paths": list(system.config), "digest": _digest(system.config)}
        if system.volumes:
            values["volumes"] = {volume_name: volume.path for volume_name, volume in system.volumes.items()}
        if "start_seconds" in system.health.model_fields_set:
            values["probes"]["startSeconds"] = system.health.start_seconds
        if system.metrics:
            values["metrics"] = {"path": system.metrics.path, "port": system.metrics.port or system.port}
            if not self.stack.environment.observability.monitoring:
                values["monitored"] = False
        if system.sidecars:
            values["sidecars"] = {side: _sidecar(sidecar) for side, sidecar in system.sidecars.items()}
        if system.workers:
            values["worker"] = {"command": list(commands.worker), "replicas": system.workers}
        if system.beat:
            values["beat"] = {"command": list(commands.beat)}
        return values


def _copied(system: System, secrets: Secrets) -> dict[str, Any]:
    """Secrets for External Secrets, besides the password: variable, key in AWS and field of the JSON
    value."""
    copied: dict[str, list[dict[str, str]]] = {"SecretsManager": [], "ParameterStore": []}
    for variable, source in system.sources.items():
        service = "ParameterStore" if source and source.parameter else "SecretsManager"
        key = source.key if source else secrets.created[variable].arn
        field = {"field": source.field} if source and source.field else {}
        copied[service].append({"variable": variable, "key": key, **field})
    used = {service: entries for service, entries in copied.items() if entries}
    if not used or secrets.reader is None:
        return {}
    return {"secretsReaderRoleArn": secrets.reader.role.arn, "ownSecrets": used}


def _client(client: Client, secrets: Secrets) -> dict[str, Any]:
    """A consumer of Kong, and the source of its key."""
    source, issuer = client.source, client.issuer
    return {
        "name": client.name,
        "username": client.username,
        "groups": list(client.groups),
        "service": "ParameterStore" if source and source.parameter else "SecretsManager",
        "key": source.key if source else secrets.keys[client.name].arn,
        **({"field": source.field} if source and source.field else {}),
        **({"issuer": issuer.issuer, "algorithm": issuer.algorithm} if issuer else {}),
    }


def _digest(config: Mapping[str, str]) -> str:
    """Changes with any file, so that pods restart."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


def _sidecar(sidecar: Sidecar) -> dict[str, Any]:
    return {
        "image": sidecar.image,
        "command": list(sidecar.command),
        "environment": dict(sidecar.env),
        "resources": _resources(sidecar),
        **({"port": sidecar.port} if sidecar.port else {}),
    }


def _resources(container: System | Sidecar) -> dict[str, str]:
    return {"cpu": f"{container.cpu}m", "memory": f"{container.memory}Mi"}
