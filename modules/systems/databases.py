"""The namespace of the jobs that create database users, the only one with master passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdktf_cdktf_provider_helm.release import Release

from modules.data.outputs import PORTS, DataOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.systems.ca_bundle import ca_bundle
from tierra.patterns.helm import document, release
from tierra.patterns.secret_reader import secret_reader
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import DATABASES

POLICIES = "templates/network-policies.yaml"

Masters = dict[str, dict[str, Any]]


def masters(stack: Stack, data: DataOutputs) -> Masters:
    """By database that is on: its address, its master user, and the version of its password."""
    settings, result = stack.environment.data, {}
    if settings.postgres:
        result["postgres"] = {
            "host": data.postgres_endpoint,
            "port": data.postgres_port,
            "master": data.postgres_username,
            "masterSecret": f"postgres-{settings.postgres.password_version}",
        }
    if settings.documentdb:
        result["documentdb"] = {
            "host": data.documentdb_endpoint,
            "port": data.documentdb_port,
            "master": data.documentdb_username,
            "masterSecret": f"documentdb-{settings.documentdb.password_version}",
        }
    return result


def databases(stack: Stack, data: DataOutputs, gateway: GatewayOutputs, users: Masters) -> Release | None:
    """`helm_release.databases`: the chart templates/systems/databases, which is independent of systems. None
    without a database that has a master user."""
    if not users:
        return None
    known = {"postgres": data.postgres_secret_arn, "documentdb": data.documentdb_secret_arn}
    arns = {name: known[name] for name in users}
    reader = secret_reader(
        stack, DATABASES, list(arns.values()), gateway.secrets_operator_role_arn, data.secrets_key_arn
    )
    values = {
        "namespace": DATABASES,
        "region": stack.environment.region,
        "readerRoleArn": reader.role.arn,
        "authorities": ca_bundle().get(stack.environment.region, ""),
        "ranges": [str(subnet) for subnet in stack.environment.network.layout.database.values()],
        "masters": {name: {"secretArn": arns[name], "into": users[name]["masterSecret"]} for name in arns},
    }
    return release(
        stack,
        DATABASES,
        "systems/databases",
        name=DATABASES,
        namespace=gateway.releases_namespace,
        values=[document(values)],
        adapt=lambda files: _only(files, users),
        depends_on=[reader.rights],
    )


def _only(files: Mapping[str, str], users: Masters) -> dict[str, str]:
    """The chart; its jobs have no access to the port of a database that is off."""
    ways = files[POLICIES]
    for name in ("postgres", "documentdb"):
        if name in users:
            continue
        ways = ways.replace(f"        - {{protocol: TCP, port: {PORTS[name]}}}\n", "")
    return {**files, POLICIES: ways}
