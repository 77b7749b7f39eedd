"""The published charts of the gateway tier, each at one version, and the templates of their values."""

from __future__ import annotations

from typing import Any

from tierra.patterns.helm import Chart
from tierra.patterns.images import pulled_from
from tierra.terraform.stack import Stack
from tierra.terraform.templating import Templates

# CRDs such as ServiceMonitor and PrometheusRule come first: other charts create such objects.
PROMETHEUS_CRDS = Chart(
    "prometheus-operator-crds", "31.0.1", "https://prometheus-community.github.io/helm-charts"
)
CONTROLLER = Chart("aws-load-balancer-controller", "3.5.0", "https://aws.github.io/eks-charts")
AUTOSCALER = Chart("cluster-autoscaler", "9.59.0", "https://kubernetes.github.io/autoscaler")
SECRETS = Chart("external-secrets", "2.9.0", "https://charts.external-secrets.io")
KONG = Chart("kong", "3.4.1", "https://charts.konghq.com")


def rendered(stack: Stack, chart: Chart, **values: Any) -> str:
    """The values of a chart: templates/gateway/<chart>.yaml, rendered."""
    return Templates().argument(
        f"gateway/{chart.name}.yaml",
        registry=pulled_from(stack),
        monitoring=stack.environment.observability.monitoring,
        **values,
    )
