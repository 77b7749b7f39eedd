"""Tests of request limits and hosts of a system in Kong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Variant
from support.charts import DIGEST, pods, values
from support.rendering import Objects, rendered
from support.web_acl import group, rules

from modules.edge.names import host_violations
from modules.edge.spec import Edge
from modules.spec import Environment
from modules.systems.spec import System
from tierra.github.workflows import workflows
from tierra.report.releases import SYSTEM, paths
from tierra.validation.errors import SpecError
from tierra.validation.model import Violation

Variants = Callable[..., Variant]
SLOW = {"framework": "go", "timeout_seconds": 200, "upload_mb": 10, "rate_limit": 60}


def chart(tiers: Variant, folder: Path, name: str) -> Objects:
    return rendered("systems/chart", {**values(tiers["systems"], name), "image": DIGEST}, folder)


def kong(tiers: Variant) -> dict[str, Any]:
    release = tiers["gateway"].all("helm_release")["kong"]
    parsed: dict[str, Any] = yaml.safe_load(release["values"][0])
    return parsed


def test_limits_of_a_system_are_on_its_service(variant: Variants, tmp_path: Path) -> None:
    objects = chart(variant(systems={"shop": SLOW}), tmp_path, "shop")
    assert objects["Service/shop"]["metadata"]["annotations"] == {
        "konghq.com/connect-timeout": "60000",
        "konghq.com/read-timeout": "200000",
        "konghq.com/write-timeout": "200000",
        "konghq.com/plugins": "upload,rate",
    }
    upload, rate = objects["KongPlugin/upload"], objects["KongPlugin/rate"]
    assert (upload["plugin"], upload["config"]["allowed_payload_size"]) == ("request-size-limiting", 10)
    assert (rate["plugin"], rate["config"]["minute"]) == ("rate-limiting", 60)


def test_a_system_without_keys_has_the_defaults(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems={"shop": {"framework": "go"}})
    objects = chart(tiers, tmp_path, "shop")
    assert "annotations" not in objects["Service/shop"]["metadata"]
    assert not [each for each in objects if each.startswith("KongPlugin/")]
    assert pods(objects)["Deployment/shop"]["terminationGracePeriodSeconds"] == 60
    assert tiers["edge"].all("aws_lb")["main"]["idle_timeout"] == 60
    assert tiers["edge"].all("aws_lb_target_group")["gateway"]["deregistration_delay"] == "30"
    assert kong(tiers)["env"]["nginx_proxy_keepalive_timeout"] == "75s"
    assert "nginx_proxy_proxy_next_upstream" not in kong(tiers)["env"]
    assert kong(tiers)["terminationGracePeriodSeconds"] == 60


def test_all_timeouts_cover_the_slowest_system(variant: Variants, tmp_path: Path) -> None:
    """Kong times out before the load balancer, and no component stops while a request may be in progress."""
    tiers = variant(systems={"shop": SLOW, "cart": {"framework": "go", "timeout_seconds": 5}})
    idle = tiers["edge"].all("aws_lb")["main"]["idle_timeout"]
    assert idle > 200
    settings = kong(tiers)
    assert int(settings["env"]["nginx_proxy_keepalive_timeout"].removesuffix("s")) > idle
    assert settings["env"]["nginx_proxy_proxy_next_upstream"] == "error"
    assert settings["lifecycle"]["preStop"]["exec"]["command"] == [
        "kong",
        "quit",
        "--wait=20",
        "--timeout=200",
    ]
    assert settings["terminationGracePeriodSeconds"] > 220
    assert tiers["edge"].all("aws_lb_target_group")["gateway"]["deregistration_delay"] == "200"
    shop, cart = (pods(chart(tiers, tmp_path, each))[f"Deployment/{each}"] for each in ("shop", "cart"))
    pause = shop["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert shop["terminationGracePeriodSeconds"] >= pause + 200
    assert cart["terminationGracePeriodSeconds"] == 60
    quick = chart(tiers, tmp_path, "cart")["Service/cart"]["metadata"]["annotations"]
    assert set(quick.values()) == {"5000"}


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"timeout_seconds": 301}, "300"),
        ({"upload_mb": 51}, "raise gateway.upload_mb"),
        ({"upload_mb": 40, "scratch_mb": 30}, "lower systems.shop.upload_mb"),
        ({"shape": "internal", "rate_limit": 60}, "rate_limit requires shape: public"),
        ({"shape": "worker", "timeout_seconds": 10}, "timeout_seconds requires shape: public"),
    ],
)
def test_invalid_limits_are_refused(
    keys: dict[str, Any], says: str, environment: Callable[..., Environment]
) -> None:
    with pytest.raises(SpecError) as refused:
        environment(systems={"shop": {"framework": "go", **keys}})
    assert says in str(refused.value)
    assert len(refused.value.problems) == 1


def test_small_bodies_need_little_disk(environment: Callable[..., Environment]) -> None:
    assert environment(systems={"shop": {"framework": "go", "upload_mb": 10, "scratch_mb": 16}})


HOSTED = {
    "orders": {
        "framework": "fastapi",
        "hosts": ["orders.example.com", "*.orders.example.com"],
        "metrics": {},
    },
    "admin": {"framework": "django", "hosts": ["orders.example.com", "www.example.com"], "path": "/admin"},
    "shop": {"framework": "django"},
}
NAMED = {"aliases": ["www.example.com"]}


def routes(objects: Objects, name: str) -> list[tuple[str, str]]:
    return [
        (rule.get("host", ""), path["path"])
        for rule in objects[f"Ingress/{name}"]["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]


def test_a_system_has_its_hosts_and_others_those_of_the_edge_tier(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems=HOSTED, edge=NAMED, compute={"nodes": {"max": 12}})
    orders, admin, shop = (chart(tiers, tmp_path, name) for name in HOSTED)
    assert routes(orders, "orders") == [("orders.example.com", "/"), ("*.orders.example.com", "/")]
    assert routes(orders, "orders-metrics") == [
        ("orders.example.com", "/metrics"),
        ("*.orders.example.com", "/metrics"),
    ]
    assert routes(admin, "admin") == [("orders.example.com", "/admin"), ("www.example.com", "/admin")]
    assert routes(shop, "shop") == [("app.example.com", "/shop"), ("www.example.com", "/shop")]
    [container] = pods(orders)["Deployment/orders"]["containers"]
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert (given["PUBLIC_HOST"], given["PUBLIC_URL"]) == ("orders.example.com", "https://orders.example.com")
    headers = container["readinessProbe"]["httpGet"]["httpHeaders"]
    assert {"name": "Host", "value": "orders.example.com"} in headers


def test_without_hosts_every_name_serves_every_system(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems={"shop": {"framework": "go"}}, edge=NAMED)
    assert routes(chart(tiers, tmp_path, "shop"), "shop") == [("", "/shop")]


def test_hosts_have_records_a_certificate_and_a_rule(variant: Variants) -> None:
    edge = variant(systems=HOSTED, edge=NAMED, compute={"nodes": {"max": 12}})["edge"]
    names = ["app.example.com", "www.example.com", "orders.example.com", "*.orders.example.com"]
    assert edge.all("aws_acm_certificate")["main"]["subject_alternative_names"] == names
    records = edge.all("aws_route53_record")
    names_with_records = {each["name"] for name, each in records.items() if name.startswith("address_")}
    assert names_with_records == set(names)
    assert {"proof_orders_example_com", "caa_orders_example_com"} <= set(records)
    assert '0 issuewild "amazon.com"' in records["caa_orders_example_com"]["records"]
    rules = {
        name: each["condition"][0]["host_header"]["values"]
        for name, each in edge.all("aws_lb_listener_rule").items()
    }
    assert rules == {"gateway": names[:2], "gateway_orders": names[2:], "gateway_admin": [names[2]]}


def test_hosts_covered_by_a_wildcard_need_no_records(variant: Variants) -> None:
    """The record, certificate and rule of the wildcard cover them."""
    systems = {"orders": {"framework": "go", "hosts": ["orders.app.example.com"]}}
    star = {"aliases": ["*.app.example.com"]}
    with_hosts, without = (
        variant(systems=each, edge=star)["edge"] for each in (systems, {"orders": {"framework": "go"}})
    )
    for kind in ("aws_acm_certificate", "aws_lb_listener_rule", "aws_route53_record"):
        assert with_hosts.all(kind) == without.all(kind)


def test_hsts_of_a_zone_as_host_does_not_cover_subdomains(variant: Variants) -> None:
    edge = variant(systems={"site": {"framework": "go", "hosts": ["example.com"]}})["edge"]
    header = "routing_http_response_strict_transport_security_header_value"
    assert "includeSubDomains" not in edge.all("aws_lb_listener")["https"][header]


def test_challenges_exempt_an_api_at_its_hosts_only(variant: Variants) -> None:
    edge = variant(systems=HOSTED, edge=NAMED, compute={"nodes": {"max": 12}})["edge"]
    [config] = group(rules(edge)["anti_ddos"])["managed_rule_group_configs"]
    side = config["aws_managed_rules_anti_ddos_rule_set"]["client_side_action_config"]["challenge"]
    listed = [each["regex_string"] for each in side["exempt_uri_regular_expression"]]

    def exempt(address: str) -> bool:
        return any(re.search(each, address) for each in listed)

    for address in ("orders.example.com", "orders.example.com/7", "a.orders.example.com/7"):
        assert exempt(address), address
    for address in ("app.example.com/shop", "app.example.com/orders.example.com", "ordersxexample.com/7"):
        assert not exempt(address), address
    assert exempt("www.example.com/admin/readyz")
    assert exempt("app.example.com/shop/readyz")


def test_deployments_check_the_host_of_a_system(environment: Callable[..., Environment]) -> None:
    wide = {"compute": {"nodes": {"max": 12}}}
    files = workflows(environment(systems=HOSTED, delivery={"repository": "acme/platform"}, **wide))
    [text] = [text for path, text in files.items() if path.endswith("/orders.trial.yml")]
    assert "https://orders.example.com/readyz" in text


def test_the_report_lists_removed_hosts() -> None:
    def release(**values: Any) -> dict[str, Any]:
        return {"chart": SYSTEM, "values": [json.dumps({"path": "/shop", **values})]}

    assert paths(release()) == {"/shop"}
    assert paths(release(names=["app.example.com"])) == {"/shop"}
    assert paths(release(hosts=["orders.example.com"])) == {"orders.example.com/shop"}


@pytest.mark.parametrize(
    ("systems", "says"),
    [
        ({"shop": {"hosts": ["shop.example.org"]}}, "must be in the zone example.com"),
        ({"shop": {"hosts": ["*.example.com"]}}, "put one such as www.example.com before it"),
        ({"shop": {"hosts": ["a.example.com", "a.example.com"]}}, "each name must be given once"),
        ({"shop": {"shape": "internal", "hosts": ["a.example.com"]}}, "hosts requires shape: public"),
        (
            {"shop": {"hosts": ["a.example.com"]}, "cart": {"hosts": ["b.example.com", "a.example.com"]}},
            "/ at a.example.com is the path of cart",
        ),
        (
            {"shop": {}, "cart": {"hosts": ["app.example.com"], "path": "/shop"}},
            "/shop at app.example.com is the path of cart",
        ),
        (
            {
                "shop": {"hosts": ["a.example.com"], "metrics": {}},
                "cart": {"hosts": ["a.example.com"], "path": "/metrics/cart"},
            },
            "below the metrics of shop",
        ),
        (
            {name: {"hosts": [f"{name}{n}.example.com" for n in range(5)]} for name in ("shop", "cart")},
            "at most 10 names",
        ),
    ],
)
def test_invalid_hosts_are_refused(
    systems: dict[str, dict[str, Any]], says: str, environment: Callable[..., Environment]
) -> None:
    with pytest.raises(SpecError) as refused:
        environment(systems={name: {"framework": "go", **each} for name, each in systems.items()})
    assert says in str(refused.value)
    assert len(refused.value.problems) == 1


GIVEN = {"certificate": "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"}


def problems_with_hosts(count: int, host: str) -> list[Violation]:
    """The problems of a spec with this number of systems, each with its own host."""
    edge = Edge.model_validate({**GIVEN, "dns": "off"})
    systems = {
        f"s{each}": System.model_validate({"framework": "go", "hosts": [host.format(each)]})
        for each in range(count)
    }
    return list(host_violations(edge, systems))


def test_a_load_balancer_has_rules_for_99_systems() -> None:
    """An existing wildcard certificate may cover all names, but each system needs a rule."""
    assert not problems_with_hosts(99, "s{}.example.com")
    (problem,) = problems_with_hosts(100, "s{}.example.com")
    assert "at most 99 systems must have names" in problem.rule
    assert problem.remedy == "add *.example.com to edge.aliases, which covers 100 of them"


def test_a_given_certificate_has_no_more_than_a_hundred_names() -> None:
    assert not problems_with_hosts(99, "www.s{}.example.org")  # and app.example.com
    assert ["domains" in each.rule for each in problems_with_hosts(100, "www.s{}.example.org")] == [
        True,
        False,
    ]
