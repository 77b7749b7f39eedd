"""Tests of releases and the project's own charts, with real helm and schemas of Kubernetes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Root
from support.reading import documents as documents_of
from support.rendering import HELM, accepted
from support.samples import SAMPLES

from tierra.patterns import helm
from tierra.terraform.templating import TEMPLATES

CHARTS = sorted(path.parent.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.glob("*/*/Chart.yaml"))


def run(*arguments: str, code: int = 0) -> str:
    ended = subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@pytest.fixture
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(SAMPLES[request.param]))
    return path


@pytest.mark.parametrize(("chart", "sample"), [(each, each) for each in CHARTS], indirect=["sample"])
def test_helm_and_kubernetes_accept_own_charts(chart: str, sample: Path) -> None:
    run("lint", "--strict", str(TEMPLATES / chart), "-f", str(sample))
    rendered = run("template", "it", str(TEMPLATES / chart), "-f", str(sample))
    documents = list(documents_of(rendered))
    assert documents
    for document in documents:
        accepted(document)


# Values without optional parts: observability.monitoring and grafana are off.
FEWER: dict[str, tuple[str, set[str], dict[str, Any]]] = {
    "platform: no monitoring": ("observability/platform", {"grafana", "secret", "words"}, {}),
    "platform: no Grafana": ("observability/platform", {"grafana", "secret"}, {}),
    "system: no Grafana": ("observability/system", set(), {"dashboard": False}),
    "system: not collected": (
        "systems/chart",
        set(),
        {"metrics": {"path": "/metrics", "port": 8000}, "monitored": False},
    ),
    "namespace: collected by others": (
        "systems/namespace",
        set(),
        {"metricsPort": 8000, "metricsFrom": {"label": "metrics-collector", "value": "true"}},
    ),
    "cluster: collected by others": (
        "gateway/cluster",
        set(),
        {"metricsFrom": {"label": "metrics-collector", "value": "true"}},
    ),
}


@pytest.mark.parametrize("name", FEWER)
def test_own_charts_omit_parts_that_are_off(name: str, tmp_path: Path) -> None:
    chart, without, given = FEWER[name]
    sample = {key: value for key, value in SAMPLES[chart].items() if key not in without}
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({**sample, **given}))
    run("lint", "--strict", str(TEMPLATES / chart), "-f", str(values))
    rendered = run("template", "it", str(TEMPLATES / chart), "-f", str(values))
    documents = list(documents_of(rendered))
    kinds = {each["kind"] for each in documents}
    for document in documents:
        accepted(document)
    if "grafana" in without:
        assert "grafana" not in rendered
        assert not kinds & {"ExternalSecret", "ConfigMap", "Role"}
        assert ("PrometheusRule" in kinds) == ("words" not in without)
    elif "dashboard" in given:
        assert kinds == {"PrometheusRule"}
    elif "monitored" in given:
        assert "ServiceMonitor" not in kinds
        assert "shop-metrics" in {each["metadata"]["name"] for each in documents if each["kind"] == "Ingress"}
    else:
        policies = [each for each in documents if each["kind"] == "NetworkPolicy"]
        selected = [
            peer["namespaceSelector"]["matchLabels"]
            for policy in policies
            for rule in policy["spec"].get("ingress", [])
            for peer in rule.get("from", [])
            if "namespaceSelector" in peer
        ]
        assert {"metrics-collector": "true"} in selected
        assert {"kubernetes.io/metadata.name": "observability"} not in selected


def test_helm_refuses_misspelt_values_of_own_charts(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({**SAMPLES["gateway/cluster"], "storageClas": {}}))
    answer = run("template", "it", str(TEMPLATES / "gateway/cluster"), "-f", str(values), code=1)
    assert "storageClas" in answer


def test_a_root_module_contains_the_charts_that_it_releases(
    roots: dict[str, Root], folders: dict[str, Path]
) -> None:
    environment = roots["gateway"].environment.environment
    for tier, root in roots.items():
        module = folders[environment] / "stacks" / tier
        own = {each["chart"] for each in root.all("helm_release").values() if "repository" not in each}
        assert {f"./{path.parent.relative_to(module)}" for path in module.rglob("Chart.yaml")} == own
        for release in root.all("helm_release").values():
            if "repository" not in release:
                manifest = yaml.safe_load((module / release["chart"] / "Chart.yaml").read_text())
                assert manifest["version"] == release["version"]


def chart(folder: Path, text: str) -> str:
    (folder / "it/templates").mkdir(parents=True, exist_ok=True)
    (folder / "it/Chart.yaml").write_text("apiVersion: v2\nname: it\nversion: 1.2.3\n")
    (folder / "it/templates/map.yaml").write_text(text)
    return "it"


def test_a_changed_template_changes_the_chart_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helm, "TEMPLATES", tmp_path)
    versions = []
    for text in ("a: 1\n", "a: 2\n", "a: 1\n"):
        helm.texts.cache_clear()
        versions.append(helm.version(helm.texts(chart(tmp_path, text))))
    helm.texts.cache_clear()
    assert versions[0] == versions[2] != versions[1]
    assert all(version.startswith("1.2.3+") for version in versions)


def test_dollars_and_braces_of_a_chart_reach_helm_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helm, "TEMPLATES", tmp_path)
    helm.texts.cache_clear()
    text = 'a: "{{ .Values.x }} ${HOME} $var ${{ github.sha }} {{`{{ $labels.pod }}`}} %{it}"\n'
    assert helm.own_chart(helm.texts(chart(tmp_path, text)))["templates/map.yaml"] == text
    helm.texts.cache_clear()
