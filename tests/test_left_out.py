"""Tests of optional parts: without them no tier generates or reads anything of them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Variant

from modules.observability.databases import ROWS, only
from modules.overhead import Overhead
from modules.spec import Environment
from tierra.patterns import helm
from tierra.report.transitions import refused_plan
from tierra.run import order

Make = Callable[..., Variant]
EVERY = ("postgres", "redis", "documentdb")
SPECS: dict[str, dict[str, Any]] = {
    "postgres": {"data": {"postgres": "off"}},
    "redis": {"data": {"redis": "off"}},
    "documentdb": {"data": {"documentdb": False}},
    "waf": {"edge": {"waf": "off"}},
    "all": {"data": dict.fromkeys(EVERY, "off"), "edge": {"waf": "off"}},
}
# Name patterns and types of the resources of each.
OF = {
    "postgres": r"aws_db_|\.(postgres|replica_\d)|/rds/",
    "redis": r"aws_elasticache_|\.redis",
    "documentdb": r"aws_docdb_|\.documentdb|/docdb/",
    "waf": r"aws_wafv2_|\.waf",
}


def references(variant: Variant) -> dict[str, set[tuple[str, str]]]:
    """The outputs of other tiers that each tier reads."""
    reading = re.compile(r"data\.terraform_remote_state\.(\w+)\.outputs\.(\w+)")
    return {tier: set(reading.findall(json.dumps(root.body))) for tier, root in variant.items()}


@pytest.mark.parametrize("name", SPECS)
def test_a_database_that_is_off_is_neither_generated_nor_read(name: str, variant: Make) -> None:
    tiers = variant(**SPECS[name])
    for tier, root in tiers.items():
        for gone in OF if name == "all" else (name,):
            named = [f"{kind}.{address}" for kind, address, _ in root.each()]
            assert not [each for each in named if re.search(OF[gone], each)], tier
            assert not [each for each in root.body.get("output", {}) if each.startswith(gone)], tier
    for tier, reads in references(tiers).items():
        for producer, output in reads:
            assert output in tiers[producer].body["output"], (tier, producer, output)
        states = tiers[tier].body.get("data", {}).get("terraform_remote_state", {})
        assert set(states) == {producer for producer, _ in reads}, "remote states without a reader"


def test_without_databases_the_key_of_secrets_remains(variant: Make) -> None:
    tiers = variant(**SPECS["all"])
    assert set(tiers["data"].all("aws_kms_key")) == {"secrets"}
    assert set(tiers["data"].body["output"]) == {"asked", "secrets_key_arn", "protection"}
    assert "databases" not in tiers["systems"].all("helm_release")
    assert "cloudwatch_exporter" not in tiers["observability"].all("helm_release")
    assert "data" not in tiers["observability"].all("aws_cloudwatch_dashboard")
    assert not [each for each in tiers["observability"].all("aws_cloudwatch_metric_alarm") if "waf" in each]


def test_default_systems_only_need_existing_databases(environment: Callable[..., Environment]) -> None:
    assert [each.needs for each in environment(data={"documentdb": "off"}).systems.values()] == [
        ("postgres", "redis", "files"),
        ("postgres", "redis"),
        ("redis",),
    ]


def test_pods_get_no_variables_permissions_or_access_for_what_is_off(variant: Make) -> None:
    systems = variant(data={"documentdb": "off"})["systems"]
    text = json.dumps(systems.body)
    assert "DOCUMENTDB" not in text
    assert "27017" not in text
    masters = json.loads(systems["helm_release.databases"]["values"][0])["masters"]
    assert set(masters) == {"postgres"}
    redis = variant(data={"redis": "off"})["systems"]
    assert "elasticache:Connect" not in json.dumps(redis.body)
    assert "REDIS_" not in json.dumps(redis.body)


@pytest.mark.parametrize("left", [EVERY[:2], EVERY[1:], EVERY[2:], ()])
def test_the_platform_chart_monitors_existing_databases(left: tuple[str, ...]) -> None:
    files = only(helm.texts("observability/platform"), left)
    groups = {each["name"]: each["rules"] for each in yaml.safe_load(files["rules.yaml"])["groups"]}
    assert set(groups) & set(EVERY) == set(left)
    missing = [each for each in groups["observability"] if each.get("alert") == "CloudWatchMetricsMissing"]
    assert [each["expr"].partition("_")[2].partition("_")[0] for each in missing] == (
        [{"postgres": "rds", "redis": "elasticache", "documentdb": "docdb"}[left[0]]] if left else []
    )
    panels = json.loads(files["dashboard.json"])["panels"]
    rows = [each for each in panels if each["type"] == "row"]
    assert {each["title"] for each in rows} & set(ROWS.values()) == {ROWS[each] for each in left}
    for above, row in itertools.pairwise(rows):
        within = [
            each["gridPos"]
            for each in panels
            if above["gridPos"]["y"] <= each["gridPos"]["y"] < row["gridPos"]["y"]
        ]
        assert max(each["y"] + each["h"] for each in within) == row["gridPos"]["y"]


def test_with_every_database_the_platform_chart_is_unchanged() -> None:
    files = helm.texts("observability/platform")
    assert only(files, EVERY) == files
    folder = ROOT / "templates/observability/platform"
    assert files["rules.yaml"] == Path(folder, "rules.yaml").read_text()


def plan(before: bool | None, after: bool, kind: str = "aws_elasticache_replication_group") -> dict[str, Any]:
    was = {"replication_group_id": "it", "identifier": "it"}
    change = {"actions": ["delete"], "before": was, "after": None, "after_unknown": {}}
    return {
        "resource_changes": [
            {"address": f"{kind}.it", "type": kind, "name": "it", "mode": "managed", "change": change}
        ],
        "output_changes": {"protection": {"actions": ["no-op"], "before": before, "after": after}},
    }


@pytest.mark.parametrize(
    ("before", "after", "refused"), [(True, True, True), (True, False, True), (False, False, False)]
)
def test_protection_refuses_to_remove_a_database(before: bool, after: bool, refused: bool) -> None:
    refusals = refused_plan(plan(before, after), {}, "data")
    assert bool(refusals) == refused
    assert all("protection: false" in each.message and each.critical for each in refusals)
    assert not refused_plan(plan(before, after, "aws_iam_role"), {}, "data")


def test_references_to_a_subnet_group_are_found_by_its_name() -> None:
    change = {"before": {"id": "acme-it", "name": "acme-it", "arn": "arn:aws:rds:us-east-1:1:subgrp:acme-it"}}
    assert '"acme-it"' in order.names("aws_docdb_subnet_group", change)
    assert '"acme-it"' not in order.names("aws_docdb_cluster", change)


UNWATCHED = {"observability": {"monitoring": False}, "compute": {"scaling": "pods"}}
WATCHES = r"(?i)grafana|alertmanager|heartbeat|alerts_silent|prometheus(?!-operator-crds|_crds|-community)"


def test_without_monitoring_only_the_collector_is_installed(variant: Make) -> None:
    root = variant(**UNWATCHED)["observability"]
    assert set(root.all("helm_release")) == {"platform", "collector"}
    assert set(root.all("aws_iam_role")) == {"collector"}
    assert set(root.all("aws_sns_topic")) == {"page", "ticket"}
    assert not root.all("aws_secretsmanager_secret")
    alarms = root.all("aws_cloudwatch_metric_alarm")
    assert "edge_slow" in alarms
    assert "postgres_cpu" in alarms or [each for each in alarms if each.startswith("postgres")]
    named = [f"{kind}.{name}" for kind, name, _ in root.each()]
    assert not [each for each in named if re.search(WATCHES, each)]
    assert set(root.all("aws_cloudwatch_dashboard")) > {"observability", "edge"}
    board = root["aws_cloudwatch_dashboard.observability"]["dashboard_body"]
    assert "Heartbeats" not in board
    assert '"type":"alarm"' not in board


def test_without_monitoring_no_release_has_a_service_monitor(variant: Make) -> None:
    tiers = variant(**UNWATCHED)
    gateway = tiers["gateway"].all("helm_release")
    assert {"cluster_autoscaler", "kong", "external_secrets", "load_balancer_controller"} < set(gateway)
    for name in ("cluster_autoscaler", "kong", "external_secrets", "load_balancer_controller"):
        assert yaml.safe_load(gateway[name]["values"][0])["serviceMonitor"]["enabled"] is False, name
    collector = yaml.safe_load(tiers["observability"]["helm_release.collector"]["values"][0])
    assert collector["podMonitor"]["enabled"] is False
    # Helm cannot upgrade a release whose last manifest uses a deleted custom resource definition.
    assert "prometheus_crds" in gateway
    watched = variant(compute={"scaling": "pods"})["gateway"].all("helm_release")
    assert yaml.safe_load(watched["kong"]["values"][0])["serviceMonitor"]["enabled"] is True


def test_without_monitoring_labelled_namespaces_collect_metrics(variant: Make) -> None:
    systems = {"shop": {"framework": "go", "metrics": {}}}
    tiers = variant(**UNWATCHED, systems=systems)
    (cluster,) = tiers["gateway"]["helm_release.cluster"]["values"]
    (namespace,) = tiers["systems"]["helm_release.shop_namespace"]["values"]
    for text in (cluster, namespace):
        assert json.loads(text)["metricsFrom"] == {"label": "metrics-collector", "value": "true"}
    (shop,) = tiers["systems"]["helm_release.shop"]["values"]
    assert json.loads(shop)["monitored"] is False
    assert json.loads(shop)["metrics"]["path"] == "/metrics", "requests from outside must still get no answer"
    (shop,) = variant(systems=systems)["systems"]["helm_release.shop"]["values"]
    assert "monitored" not in json.loads(shop)


def test_without_grafana_prometheus_keeps_its_alerts(variant: Make) -> None:
    root = variant(observability={"grafana": False}, systems={"shop": {"framework": "go"}})["observability"]
    assert {"prometheus", "cloudwatch_exporter", "system_shop"} < set(root.all("helm_release"))
    assert "grafana" not in root.all("helm_release")
    assert not root.all("aws_secretsmanager_secret")
    assert "grafana" not in root.all("aws_iam_role")
    (platform,) = root["helm_release.platform"]["values"]
    assert set(json.loads(platform)) == {"namespace", "words"}
    (shop,) = root["helm_release.system_shop"]["values"]
    assert json.loads(shop)["dashboard"] is False


def test_without_monitoring_nodes_have_more_room(environment: Callable[..., Environment]) -> None:
    def asked(**observability: bool) -> tuple[set[str], set[str]]:
        overhead = Overhead(environment(observability=observability).observability)
        services = overhead.services("pods", 2)
        return {each.name for each in overhead.agents}, {each.name for each in services}

    every, services = asked()
    left, few = asked(monitoring=False)
    assert every - left == {"node-exporter"}
    assert services - few == {
        *("prometheus", "prometheus-operator", "alertmanager", "kube-state-metrics"),
        *("cloudwatch-exporter", "grafana"),
    }
    assert "metrics-server" in few, "autoscaling needs it"
    assert asked(grafana=False) == (every, services - {"grafana"})


def test_the_documented_requests_of_the_platform_are_current(environment: Callable[..., Environment]) -> None:
    page = (ROOT / "docs/spec.md").read_text(encoding="utf-8")
    for monitoring in (True, False):
        spec = environment(observability={"monitoring": monitoring})
        pods = Overhead(spec.observability).services(spec.compute.scaling, spec.gateway.replicas)
        cpu, memory = (
            sum(each.count * each.cpu for each in pods),
            sum(each.count * each.memory for each in pods),
        )
        assert f"{cpu}m and {memory}Mi in {sum(each.count for each in pods)} pods" in page
