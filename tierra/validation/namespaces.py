"""Namespaces of the platform in the cluster. Each system has its own namespace as well."""

from __future__ import annotations

from typing import Any

SYSTEM = "kube-system"
GATEWAY = "gateway"
SECRETS = "external-secrets"
OBSERVABILITY = "observability"
# Separate from observability, because its password must not be among records.
GRAFANA = "grafana"
# The namespace of the jobs that create the users of databases, the only one with passwords of master users.
DATABASES = "databases"
# Records of the project's own releases, which Helm stores as Secrets: separate from other secrets, so that a
# role can compare releases and read nothing else. docs/decisions/0007-records-of-releases.md
RELEASES = "releases"

# Without Prometheus, pods of namespaces with this label may collect metrics of Kong and of the systems.
LABELLED = ("metrics-collector", "true")

# The namespaces of Helm's records. Records of published charts are in the namespace of their pods.
WITH_RECORDS = (SECRETS, GATEWAY, SYSTEM, OBSERVABILITY, RELEASES)


def collectors(monitoring: bool) -> dict[str, Any]:
    """The values of charts for collectors of metrics; empty if Prometheus collects them."""
    if monitoring:
        return {}
    label, value = LABELLED
    return {"metricsFrom": {"label": label, "value": value}}
