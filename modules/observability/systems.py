"""Rules, alerts and the dashboard of each system, in a separate release, so that a change affects no other
system."""

from __future__ import annotations

from typing import Any

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.observability.alarm import runbook_page
from modules.observability.charts import SYSTEM
from tierra.patterns.helm import document, release
from tierra.patterns.traces import charts
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import OBSERVABILITY


def systems(stack: Stack, after: ITerraformDependable) -> dict[str, Release]:
    """`helm_release.system_<system>`, by system. The values are text, because the chart inserts them into
    text."""
    promised = stack.environment.observability.objectives
    releases = {}
    for current, system in stack.environment.systems.items():
        with stack.system(current) as name:
            words = {
                "system": name,
                "availability": f"{promised.availability:g}",
                "fast": f"{promised.fast:g}",
                "latency_ms": str(promised.latency_ms),
                "max_replicas": str(system.max_replicas),
                "runbooks": runbook_page(stack),
            }
            values: dict[str, Any] = {"words": words}
            if not system.path:
                values["requests"] = False
            if not stack.environment.observability.has_grafana:
                values["dashboard"] = False
            releases[current] = release(
                stack,
                f"system_{name.replace('-', '_')}",
                SYSTEM,
                name=f"system-{name}",
                namespace=OBSERVABILITY,
                values=[document(values)],
                adapt=charts(stack),
                depends_on=[after],
            )
    return releases
