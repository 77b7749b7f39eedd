"""The charts of observability, each at a version whose values were checked, and their namespaces."""

from __future__ import annotations

from tierra.patterns.helm import Chart

GRAFANA_ACCOUNT = "grafana"

_PROMETHEUS_COMMUNITY = "https://prometheus-community.github.io/helm-charts"
PROMETHEUS = Chart("kube-prometheus-stack", "88.5.3", _PROMETHEUS_COMMUNITY)
EXPORTER = Chart("prometheus-yet-another-cloudwatch-exporter", "0.47.0", _PROMETHEUS_COMMUNITY)
GRAFANA = Chart("grafana", "12.11.1", "https://grafana-community.github.io/helm-charts")
COLLECTOR = Chart(
    "opentelemetry-collector", "0.170.0", "https://open-telemetry.github.io/opentelemetry-helm-charts"
)
# The project's own, below templates/.
PLATFORM, SYSTEM = "observability/platform", "observability/system"
