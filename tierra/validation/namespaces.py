"""Namespaces of the platform in the cluster. Each system has its own namespace as well."""

from __future__ import annotations

from typing import Any

SYSTEM = "kube-system"
GATEWAY = "gateway"
SECRETS = "external-secrets"
OBSERVABILITY = "observability"
# Apart from observability, for its password must not lie among records.
GRAFANA = "grafana"
# Where jobs make the users of databases: the only one that has passwords of master users.
DATABASES = "databases"
# Records of the project's own releases, which Helm keeps as Secrets: apart from everything that is secret, so
# that a role may compare releases and read nothing else. docs/decisions/0007-records-of-releases.md
RELEASES = "releases"

# Without Prometheus, pods of namespaces with this label may collect metrics of Kong and of the systems.
LABELLED = ("metrics-collector", "true")

# Where Helm keeps records. Records of published charts lie where their pods run.
WITH_RECORDS = (SECRETS, GATEWAY, SYSTEM, OBSERVABILITY, RELEASES)


def collectors(monitoring: bool) -> dict[str, Any]:
    """What values of charts say of those that may collect metrics; nothing where Prometheus does."""
    if monitoring:
        return {}
    label, value = LABELLED
    return {"metricsFrom": {"label": label, "value": value}}
