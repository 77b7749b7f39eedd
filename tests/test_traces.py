"""Tests of optional traces and dashboards."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import yaml
from conftest import ROOT, Root

from modules.architecture import TIERS
from tierra.patterns.traces import without

Variant = Callable[..., dict[str, Root]]
CHARTS = ("systems/namespace", "gateway/cluster", "observability/platform", "observability/system")


@pytest.fixture
def untraced(variant: Variant) -> dict[str, Root]:
    return variant(
        observability={"trace_percent": 0},
        network={"endpoints": "all"},
        systems={"shop": {"framework": "go"}},
    )


def test_without_traces_no_resource_is_about_them(untraced: dict[str, Root]) -> None:
    for tier in set(TIERS) - {"delivery", "state"}:  # its policies are equal in all environments
        text = json.dumps(untraced[tier].body).replace("otlp: {enabled: false}", "")
        traces = re.findall(
            r"xray|X-Ray|OTEL_TRACES_\w+|OTEL_EXPORTER_\w+|otlp:|awsproxy|traces_endpoint", text
        )
        assert not traces, f"{tier}: {set(traces)}"


def test_without_traces_systems_disable_their_sdk(untraced: dict[str, Root]) -> None:
    values = json.loads(untraced["systems"]["helm_release.shop"]["values"][0])
    given = {name: value for name, value in values["environment"].items() if name.startswith("OTEL_")}
    assert given == {"OTEL_SERVICE_NAME": "shop", "OTEL_SDK_DISABLED": "true"}


def test_without_traces_the_collector_collects_logs(untraced: dict[str, Root]) -> None:
    root = untraced["observability"]
    values = yaml.safe_load(root["helm_release.collector"]["values"][0])
    config = values["alternateConfig"]
    assert set(config["service"]["pipelines"]) == {"logs"}
    assert config["service"]["extensions"] == ["health_check", "file_storage"]
    assert set(config["receivers"]) == {"file_log"}
    assert set(config["exporters"]) == {"awscloudwatchlogs"}
    assert list(root.statements("aws_iam_role_policy.collector")) == ["WriteLogsOfPods"]


def test_without_traces_charts_only_lose_that_part() -> None:
    lost: dict[str, int] = {}
    for chart in CHARTS:
        folder = ROOT / "templates" / chart
        files = {
            str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()
        }
        for name, text in without(files).items():
            assert not re.search(r"\b(4317|4318|xray|TracesLost)\b|_spans", text), (chart, name)
            if name == "dashboard.json":
                lost[f"{chart}/{name}"] = len(_panels(files[name])) - len(_panels(text))
            elif text != files[name]:
                lost[f"{chart}/{name}"] = len(files[name].splitlines()) - len(text.splitlines())
    assert lost == {
        "systems/namespace/templates/network-policies.yaml": 8,
        "gateway/cluster/templates/network-policies.yaml": 7,
        "observability/platform/templates/network_policy.yaml": 20,
        "observability/platform/rules.yaml": 8,
        "observability/platform/dashboard.json": 0,
        "observability/system/dashboard.json": 1,
    }


def _panels(text: str) -> list[object]:
    panels: list[object] = json.loads(text)["panels"]
    return panels


def test_cloudwatch_dashboards_are_optional(variant: Variant) -> None:
    root = variant(observability={"dashboards": False})["observability"]
    assert not root.all("aws_cloudwatch_dashboard")
    assert root.all("aws_cloudwatch_metric_alarm")
    assert "grafana" in root.all("helm_release")
