"""The password of a system in PostgreSQL and DocumentDB, which a job brings into the databases."""

from __future__ import annotations

from modules.cluster_password import ClusterPassword, cluster_password
from modules.data.outputs import DataOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.stack import Stack
from modules.systems.spec import System


def system_password(
    stack: Stack, name: str, system: System, data: DataOutputs, gateway: GatewayOutputs
) -> ClusterPassword | None:
    """`aws_secretsmanager_secret.<system>` for a system with databases. It changes when the spec says so, by
    systems.<system>.password_version."""
    if not system.databases:
        return None
    return cluster_password(
        stack,
        name,
        data,
        gateway,
        role=f"system-{name}",
        tag=f"{name}-password",
        description=f"Password of {name} in {_databases(stack)}",
        number=system.password_version,
    )


def _databases(stack: Stack) -> str:
    titles = {"postgres": "PostgreSQL", "documentdb": "DocumentDB"}
    return " and ".join(title for name, title in titles.items() if name in stack.environment.data.databases)
