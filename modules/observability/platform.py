"""The project's own chart with shared objects of the other releases: namespaces, the password of Grafana,
network policies, and the shared alerts and dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.gateway.outputs import GatewayOutputs
from modules.observability.alarm import runbook_page
from modules.observability.charts import GRAFANA_ACCOUNT, PLATFORM
from modules.observability.databases import only
from modules.observability.grafana_secret import kubernetes_secret
from tierra.patterns.cluster_password import ClusterPassword
from tierra.patterns.helm import document, release
from tierra.patterns.traces import charts
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import GRAFANA, OBSERVABILITY


def platform(
    stack: Stack,
    gateway: GatewayOutputs,
    secret: ClusterPassword | None,
    after: Sequence[ITerraformDependable],
) -> Release:
    """`helm_release.platform`, the first release, which creates the namespaces of the others. Without a
    password there is no Grafana."""
    values: dict[str, Any] = {"namespace": OBSERVABILITY}
    if secret:
        values["grafana"] = {"namespace": GRAFANA, "account": GRAFANA_ACCOUNT}
        values["secret"] = {
            "region": stack.environment.region,
            "role": secret.reader.role.arn,
            "name": secret.secret.name,
            "into": kubernetes_secret(stack),
        }
    if stack.environment.observability.monitoring:
        values["words"] = {
            "environment": stack.names.stem,
            "gateway": gateway.namespace,
            "runbooks": runbook_page(stack),
        }
    databases = stack.environment.data.databases
    return release(
        stack,
        "platform",
        PLATFORM,
        name="observability",
        namespace=gateway.releases_namespace,
        values=[document(values)],
        adapt=lambda files: only(charts(stack)(files), databases),
        depends_on=[*([secret.version, secret.reader.rights] if secret else []), *after],
    )
