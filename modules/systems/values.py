"""Values of the two charts of a system, as YAML that people read in a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from modules.gateway.outputs import GatewayOutputs
from modules.stack import Stack
from modules.systems.authorities import VERIFIED, authorities
from modules.systems.environment import literal
from modules.systems.secrets import Source
from modules.systems.spec import System

OBSERVABILITY = "observability"
# Ports of the stores that listen in the database subnets; the tier data names them only once it is applied.
PORTS = {"postgres": 5432, "redis": 6379, "documentdb": 27017}


def namespace_values(
    stack: Stack,
    name: str,
    system: System,
    gateway: GatewayOutputs,
    role_arn: str,
    own_secret_arn: str,
    wanted: Mapping[str, Source],
) -> dict[str, Any]:
    """What surrounds the system. Nothing in it depends on another system."""
    place = stack.environment
    cidrs = [str(cidr) for cidr in place.network.layout.database.values()]
    return {
        "system": name,
        "port": system.port,
        "metrics": system.metrics is not None,
        "gatewayNamespace": gateway.namespace,
        "observabilityNamespace": OBSERVABILITY,
        "serviceCidr": str(place.compute.service_cidr),
        "stores": {need: {"port": PORTS[need], "cidrs": cidrs} for need in system.needs if need in PORTS},
        "region": place.region,
        "secretsRole": role_arn,
        "ownSecret": own_secret_arn,
        "secrets": {
            variable: {"secret": source.secret, **({"key": source.key} if source.key else {})}
            for variable, source in wanted.items()
        },
        "authorities": authorities().get(place.region, "") if VERIFIED & set(system.needs) else "",
    }


def system_values(
    name: str,
    system: System,
    gateway: GatewayOutputs,
    image: str,
    variables: Mapping[str, str],
    wanted: Mapping[str, Source],
) -> dict[str, Any]:
    """The system itself. A later Secret wins over an earlier: what operators say, over what was generated."""
    secrets = [
        {"name": f"{name}-generated"},
        *([{"name": name}] if wanted else []),
        {"name": f"{name}-own", "optional": True},
    ]
    return {
        "image": image,
        "framework": system.framework,
        "replicas": system.replicas,
        "maxReplicas": system.max_replicas,
        "cpuPercent": system.cpu_percent,
        "port": system.port,
        "command": _command(system.command),
        "path": system.path,
        "ingressClass": gateway.ingress_class,
        "health": {"live": system.health.live, "ready": system.health.ready},
        "metrics": system.metrics or "",
        **_asked(system.cpu, system.memory),
        "env": dict(sorted(variables.items())),
        "secrets": secrets,
        "authorities": f"{name}-authorities" if VERIFIED & set(system.needs) else "",
        "sidecars": _sidecars(system),
        "migrate": _command(system.migrate),
        "worker": _worker(system),
        "beat": _beat(system),
    }


def _sidecars(system: System) -> dict[str, Any]:
    return {
        name: {
            "image": each.image,
            **({"port": each.port} if each.port else {}),
            "command": _command(each.command),
            **_asked(each.cpu, each.memory),
        }
        for name, each in system.sidecars.items()
    }


def _worker(system: System) -> dict[str, Any]:
    if (broker := system.broker) is None:
        return {}
    return {
        "replicas": broker.workers,
        "command": _command(broker.command),
        **_asked(broker.cpu or system.cpu, broker.memory or system.memory),
        "stopSeconds": broker.stop_seconds,
    }


def _beat(system: System) -> dict[str, Any]:
    if (broker := system.broker) is None or not broker.beat:
        return {}
    return {"command": _command(broker.beat_command), **_asked(broker.beat_cpu, broker.beat_memory)}


def _command(words: tuple[str, ...]) -> list[str]:
    return [literal(word) for word in words]


def _asked(cpu: int, memory: int) -> dict[str, str]:
    return {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}


def text(values: Mapping[str, Any]) -> str:
    """The values as YAML. What Terraform fills in stands in quotes, so that it stays text whatever it is."""
    dumped: str = yaml.dump(
        dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return dumped


class _Dumper(yaml.SafeDumper):
    """Quotes references, and writes texts of several lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = '"' if "${" in value else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
