"""Tests of combinations of keys of a spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import Variant

from modules.spec import Environment
from tierra.validation.errors import Problem, SpecError

Environments = Callable[..., Environment]
Variants = Callable[..., Variant]
GO = {"framework": "go"}
KEYS = {"mobile": "create"}
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"


def refusal(environment: Environments, **spec: Any) -> Problem:
    """The only problem of a spec."""
    with pytest.raises(SpecError) as refused:
        environment(**spec)
    [problem] = refused.value.problems
    assert problem.remedy
    return problem


@pytest.mark.parametrize(
    ("shop", "cart", "path"),
    [
        ({"path": "/", "auth": {"keys": KEYS, "open": ["/cart"]}}, {}, "systems.shop.auth.open[0]"),
        ({"path": "/", "auth": {"keys": KEYS}}, {"path": "/livez/x"}, "systems.shop.health.live"),
        (
            {"hosts": ["a.example.com"], "auth": {"keys": KEYS, "open": ["/cart"]}},
            {"hosts": ["b.example.com", "a.example.com"], "path": "/cart/x"},
            "systems.shop.auth.open[0]",
        ),
        ({"metrics": {}, "auth": {"keys": KEYS, "open": ["/metrics"]}}, {}, "systems.shop.auth.open[0]"),
        (
            {"metrics": {"path": "/admin/metrics"}, "auth": {"keys": KEYS, "open": ["/admin"]}},
            {},
            "systems.shop.auth.open[0]",
        ),
    ],
)
def test_open_paths_that_cover_other_systems_are_refused(
    environment: Environments, shop: dict[str, Any], cart: dict[str, Any], path: str
) -> None:
    assert refusal(environment, systems={"shop": {**GO, **shop}, "cart": {**GO, **cart}}).path == path


@pytest.mark.parametrize(
    ("shop", "cart"),
    [
        ({"hosts": ["shop.example.com"], "auth": {"keys": KEYS, "open": ["/cart"]}}, {}),
        ({"path": "/", "auth": {"keys": KEYS}}, {"hosts": ["cart.example.com"], "path": "/livez"}),
        ({"metrics": {"port": 9000}, "auth": {"keys": KEYS, "open": ["/metrics"]}}, {}),
        ({"path": "/", "health": {"live": "/"}, "auth": {"keys": KEYS}}, {}),
    ],
)
def test_open_paths_on_other_hosts_and_ports_do_not_conflict(
    environment: Environments, shop: dict[str, Any], cart: dict[str, Any]
) -> None:
    assert environment(systems={"shop": {**GO, **shop}, "cart": {**GO, **cart}})


@pytest.mark.parametrize(
    ("hosts", "says"),
    [
        (["shop.example.com"], "max-age=31536000; includeSubDomains"),
        (["example.net"], "max-age=31536000"),
        (["shop.example.com", "*.shop.example.net"], "max-age=31536000"),
    ],
)
def test_hsts_of_hosts_in_unknown_zones_excludes_subdomains(
    variant: Variants, hosts: list[str], says: str
) -> None:
    edge = {"dns": "off", "certificate": CERTIFICATE}
    tier = variant(edge=edge, systems={"shop": {**GO, "hosts": hosts}, "cart": GO})["edge"]
    key = "routing_http_response_strict_transport_security_header_value"
    assert tier["aws_lb_listener.https"][key] == says


def test_an_existing_certificate_may_have_more_names_than_one_of_acm(environment: Environments) -> None:
    systems = {name: {**GO, "hosts": [f"{name}{n}.example.com" for n in range(5)]} for name in ("aa", "bb")}
    assert refusal(environment, systems=systems).path == "systems"
    assert environment(systems=systems, edge={"certificate": CERTIFICATE})


@pytest.mark.parametrize(
    ("keys", "path", "shown"),
    [
        ({"hosts": [f"n{n}.example.com" for n in range(6)]}, "hosts", "6 of them"),
        ({"auth": {"keys": KEYS, "open": [f"/p{n}" for n in range(21)]}}, "auth.open", "21 of them"),
        ({"auth": {"keys": {f"c{n}": "create" for n in range(51)}}}, "auth.keys", "51 of them"),
    ],
)
def test_too_many_values_are_refused_with_their_number(
    environment: Environments, keys: dict[str, Any], path: str, shown: str
) -> None:
    problem = refusal(environment, systems={"shop": {**GO, **keys}})
    assert (problem.path, problem.value) == (f"systems.shop.{path}", shown)
    assert "at most" in problem.rule


def test_every_taint_fits_into_a_tag_for_the_autoscaler(environment: Environments) -> None:
    taints = [{"key": "workload"}, {"key": "workload", "effect": "NoExecute"}]
    groups = {"spot": {"taints": taints}}
    problem = refusal(environment, compute={"groups": groups}, systems={"shop": {**GO, "nodes": "spot"}})
    assert problem.path == "compute.groups.spot.taints[1]"


def test_cpu_scaling_covers_each_zone_of_a_group(environment: Environments) -> None:
    group = {"min": 1, "max": 3, "instance_type": "t3.large"}
    spec = {"systems": {"shop": {**GO, "nodes": "spot"}}}
    problem = refusal(environment, compute={"scaling": "cpu", "groups": {"spot": group}}, **spec)
    assert (problem.path, problem.value) == ("compute.groups.spot.min", "1")
    environment(compute={"scaling": "cpu", "groups": {"spot": {**group, "zones": ["b"]}}}, **spec)
    environment(compute={"groups": {"spot": group}}, **spec)


def test_a_system_named_deploy_or_push_is_moved_without_conflicts(variant: Variants) -> None:
    tier = variant(systems={"deploy": {**GO, "formerly": "push"}})["delivery"]
    moves = {each["from"]: each["to"] for each in tier.body["moved"]}
    assert moves["aws_iam_role.push_push"] == "aws_iam_role.push_deploy"
    assert moves["aws_iam_role.deploy_push"] == "aws_iam_role.deploy_deploy"
    assert not set(moves) & set(moves.values())


def test_clients_with_colliding_addresses_are_refused(environment: Environments) -> None:
    systems = {"a1--b": {**GO, "auth": {"keys": {"c": "create"}}}, "a1": {**GO, "auth": {"keys": {}}}}
    systems["a1"]["auth"] = {"keys": {"b--c": "create"}}
    assert refusal(environment, systems=systems).remedy == "write b-c"
