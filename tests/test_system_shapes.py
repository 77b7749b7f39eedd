"""Tests of connections and shapes of systems: public, internal and worker systems, egress and jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Variant
from support.charts import DIGEST, pods, values
from support.rendering import Objects, rendered

from modules.spec import Environment
from tierra.github.workflows import workflows
from tierra.validation.errors import SpecError

Variants = Callable[..., Variant]
SYSTEMS: dict[str, dict[str, Any]] = {
    "shop": {"framework": "django", "calls": ["stock"]},
    "stock": {"framework": "java", "shape": "internal", "metrics": {}},
    "mailer": {
        "framework": "container",
        "shape": "worker",
        "calls": ["stock"],
        "egress": [{"port": 587}, {"port": 5671, "cidrs": ["203.0.113.0/24"]}],
        "jobs": {"nightly": {"schedule": "30 2 * * 1-5", "command": ["python", "nightly.py"]}},
    },
}
WIDE = {"compute": {"nodes": {"max": 12}}}


def chart(tiers: Variant, folder: Path, name: str, image: str = DIGEST) -> Objects:
    return rendered("systems/chart", {**values(tiers["systems"], name), "image": image}, folder)


def policies(tiers: Variant, folder: Path, name: str) -> dict[str, Any]:
    objects = rendered("systems/namespace", values(tiers["systems"], f"{name}_namespace"), folder)
    return {
        each["metadata"]["name"]: each["spec"] for each in objects.values() if each["kind"] == "NetworkPolicy"
    }


def namespaces(peers: list[dict[str, Any]]) -> list[str]:
    return [
        each["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for each in peers
        if "namespaceSelector" in each
    ]


def test_each_shape_has_only_its_resources(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems=SYSTEMS, **WIDE)
    shop, stock, mailer = (chart(tiers, tmp_path, name) for name in SYSTEMS)
    assert {"Service/shop", "Ingress/shop"} <= set(shop)
    assert "Service/stock" in stock
    assert "ServiceMonitor/stock" in stock
    assert not {each for each in stock if each.startswith(("Ingress/", "KongPlugin/"))}
    assert not {each for each in mailer if each.startswith(("Service/", "Ingress/"))}
    [container] = pods(mailer)["Deployment/mailer"]["containers"]
    assert not {"ports", "startupProbe", "livenessProbe", "readinessProbe", "lifecycle"} & set(container)
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert given["SYSTEM_STOCK_URL"] == "http://stock.stock.svc.cluster.local"
    assert not {"PORT", "BASE_PATH", "PUBLIC_URL"} & set(given)
    [container] = pods(shop)["Deployment/shop"]["containers"]
    assert "SYSTEM_STOCK_URL" in {each["name"] for each in container["env"]}


def test_network_policies_allow_calls_on_both_sides(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems=SYSTEMS, **WIDE)
    asked = policies(tiers, tmp_path, "stock")["requests"]["ingress"]
    assert namespaces(asked[0]["from"]) == ["mailer", "shop"]
    assert asked[0]["ports"] == [{"protocol": "TCP", "port": 8080}]
    out = policies(tiers, tmp_path, "shop")["ways-out"]["egress"]
    assert [each["ports"] for each in out if namespaces(each["to"]) == ["stock"]] == [
        [{"protocol": "TCP", "port": 8080}]
    ]
    assert len(namespaces(policies(tiers, tmp_path, "shop")["requests"]["ingress"][0]["from"])) == 1
    assert "requests" not in policies(tiers, tmp_path, "mailer")


def test_egress_is_open_on_nodes_and_for_that_system_only(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems=SYSTEMS, **WIDE)
    rules = tiers["network"].all("aws_vpc_security_group_egress_rule")
    assert {name for name in rules if name.startswith("node_to_") and name.endswith(("_587", "_5671"))} == {
        "node_to_world_587",
        "node_to_203_0_113_0_24_5671",
    }
    assert rules["node_to_203_0_113_0_24_5671"]["cidr_ipv4"] == "203.0.113.0/24"

    def ports(name: str) -> set[int]:
        out = policies(tiers, tmp_path, name)["ways-out"]["egress"]
        return {port["port"] for each in out for port in each["ports"]}

    assert {587, 5671} <= ports("mailer")
    assert not {587, 5671} & ports("shop")


def test_jobs_are_scheduled_once_there_is_an_image(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems=SYSTEMS, **WIDE)
    job = chart(tiers, tmp_path, "mailer")["CronJob/mailer-nightly"]["spec"]
    assert (job["schedule"], job["suspend"], job["concurrencyPolicy"]) == ("30 2 * * 1-5", False, "Forbid")
    assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 3600
    [container] = job["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert (container["command"], container["image"]) == (["python", "nightly.py"], DIGEST)
    assert chart(tiers, tmp_path, "mailer", "none")["CronJob/mailer-nightly"]["spec"]["suspend"] is True


def test_systems_without_requests_have_no_request_alerts(variant: Variants, tmp_path: Path) -> None:
    root = variant(systems=SYSTEMS, **WIDE)["observability"]
    for name, requests in (("shop", True), ("stock", False), ("mailer", False)):
        objects = rendered("observability/system", values(root, f"system_{name}"), tmp_path, "observability")
        groups = {each["name"] for each in objects[f"PrometheusRule/system-{name}"]["spec"]["groups"]}
        assert (f"{name}.requests" in groups) is requests
        assert f"{name}.pods" in groups
        board = objects[f"ConfigMap/system-{name}-dashboard"]["data"][f"system-{name}.json"]
        titles = {each["title"] for each in json.loads(board)["panels"]}
        assert ("Duration" in titles) is requests
        assert {"Pods", "Memory", "Alerts"} <= titles


def test_waf_exemptions_are_for_existing_paths(variant: Variants) -> None:
    rules = json.dumps(variant(systems=SYSTEMS, **WIDE)["edge"].all("aws_wafv2_web_acl"))
    assert "shop" in rules
    assert "stock" not in rules


def test_deployments_update_jobs_and_check_public_systems_only(
    environment: Callable[..., Environment],
) -> None:
    files = workflows(environment(systems=SYSTEMS, delivery={"repository": "acme/platform"}, **WIDE))
    steps = {
        name: {
            each.get("id"): each.get("env", {}) for each in yaml.safe_load(text)["jobs"]["deploy"]["steps"]
        }
        for path, text in files.items()
        for name in SYSTEMS
        if path.endswith(f"/{name}.trial.yml")
    }
    assert {name for name, each in steps.items() if "check-health" in each} == {"shop"}
    assert steps["mailer"]["remember"]["JOBS"] == steps["mailer"]["roll-out"]["JOBS"] == "mailer-nightly"
    assert "JOBS" not in steps["shop"]["remember"]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"shape": "internal", "path": "/x"}, "path requires shape: public"),
        ({"shape": "worker", "port": 8080}, "it must have no port"),
        ({"shape": "worker", "health": {"live": "/x"}}, "it must have no health"),
        ({"shape": "worker", "metrics": {"port": 9100}}, "it must have no metrics"),
        ({"calls": ["shop"]}, "must not name the system itself"),
        ({"calls": ["nothing"]}, "choose from: queue"),
        ({"calls": ["queue"]}, "systems that answer requests, and queue is a worker"),
        ({"egress": [{"port": 443}]}, "must not be 443"),
        ({"egress": [{"port": 25}, {"port": 25}]}, "each port must be named once"),
        ({"egress": [{"port": 25, "cidrs": ["10.20.0.0/24"]}]}, "must not overlap the network"),
        ({"egress": [{"port": 25, "cidrs": ["203.0.113.1/24"]}]}, "write 203.0.113.0/24"),
        ({"egress": [{"port": port} for port in range(1000, 1011)]}, "at most 10 ports and ranges"),
        ({"jobs": {"migrate": {"schedule": "0 1 * * *", "command": ["a"]}}}, "must not be that of the job"),
        (
            {"jobs": {"a": {"schedule": "0 25 * * *", "command": ["a"]}}},
            "a schedule must have five numeric fields",
        ),
        (
            {"jobs": {"a": {"schedule": "@daily", "command": ["a"]}}},
            "a schedule must have five numeric fields",
        ),
        ({"jobs": {"a": {"schedule": "0 1 * * *", "command": []}}}, "a command is required"),
    ],
)
def test_invalid_shapes_are_refused(
    keys: dict[str, Any], says: str, environment: Callable[..., Environment]
) -> None:
    queue = {"framework": "go", "shape": "worker"}
    with pytest.raises(SpecError) as refused:
        environment(systems={"shop": {"framework": "go", **keys}, "queue": queue})
    assert says in str(refused.value)
    assert len(refused.value.problems) == 1
