"""The labels of a sample after Prometheus has scraped it: the sample's labels and those of the target.

prometheus-operator gives the target of a ServiceMonitor namespace, service, pod, container, endpoint and job
(pkg/prometheus/promcfg.go), Prometheus adds instance. Where a sample has a label of the same name, it is kept
with honorLabels and otherwise called exported_<name>
(https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config, honor_labels).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Labels of Kong 3 (kong/plugins/prometheus/exporter.lua); a test only sets those that it needs.
OF_A_REQUEST = {"service": "", "route": "it.it.it.80", "workspace": "default"}
OWN: Mapping[str, Mapping[str, str]] = {
    "kong_http_requests_total": {**OF_A_REQUEST, "code": "200", "source": "service", "consumer": ""},
    "kong_bandwidth_bytes": {**OF_A_REQUEST, "direction": "egress", "consumer": ""},
    "kong_kong_latency_ms": OF_A_REQUEST,
    "kong_request_latency_ms": OF_A_REQUEST,
    "kong_upstream_latency_ms": OF_A_REQUEST,
    "kong_nginx_connections_total": {"node_id": "it", "subsystem": "http"},
    "kong_nginx_requests_total": {"node_id": "it", "subsystem": "http"},
    "kong_memory_lua_shared_dict_bytes": {"node_id": "it", "kong_subsystem": "http"},
    "kong_memory_lua_shared_dict_total_bytes": {"node_id": "it", "kong_subsystem": "http"},
    "ingress_controller_configuration_push_count": {"protocol": "db-less"},
}
TARGET = {
    "namespace": "gateway",
    "service": "kong-metrics",
    "pod": "kong-1",
    "container": "proxy",
    "endpoint": "status",
    "job": "kong-metrics",
    "instance": "10.20.0.10:8100",
}
SERIES = re.compile(r"([\w:]+)(?:\{(.*)\})?")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def stored(series: str, monitor: Mapping[str, Any]) -> str:
    """A series of Kong as rules and dashboards see it, with the `serviceMonitor` values of its chart; other
    series are unchanged."""
    match = SERIES.fullmatch(series)
    assert match, series
    name, recorded = match[1], dict(LABEL.findall(match[2] or ""))
    own = OWN.get(re.sub(r"_(bucket|count|sum)$", "", name) if name not in OWN else name)
    if own is None:
        assert not name.startswith(("kong_", "ingress_controller_")), f"labels of {name} are not known"
        return series
    assert not monitor.keys() - {"enabled", "trustCRDsExist", "honorLabels"}, "not played here"
    # The pod is a label of the target: a case may distinguish pods by it.
    target = {**TARGET, "pod": recorded.pop("pod", TARGET["pod"])}
    labels = {key: value for key, value in {**own, **recorded}.items() if value}
    for key, value in target.items():
        if key in labels and not monitor.get("honorLabels"):
            labels[f"exported_{key}"] = labels.pop(key)
        labels.setdefault(key, value)
    inside = ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{inside}}}"


def scraped(cases: str, monitor: Mapping[str, Any]) -> str:
    """Cases of promtool whose series have the labels of scraped ones."""
    return re.sub(r"(?<=series: ')[^']*(?=')", lambda series: stored(series[0], monitor), cases)
