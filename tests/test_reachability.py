"""Tests of allowed and forbidden connections, computed by tests/support/reachability.py from generated rules.

A failing row of POSSIBLE is an outage, one of IMPOSSIBLE a security hole. To
allow or forbid a connection, move its row to the other table, with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Root, Variant
from support.reachability import Place, Platform
from support.rendering import Objects, rendered, sample

from modules.loader import load
from modules.spec import Environment
from tierra.validation.namespaces import GATEWAY, GRAFANA, OBSERVABILITY, SECRETS, SYSTEM

# from, to, port, why
POSSIBLE = [
    # Users
    ("internet", "load balancer", 80, "browsers, which are sent on to 443"),
    ("internet", "load balancer", 443, "users and API clients"),
    ("load balancer", "kong", 8000, "requests"),
    ("load balancer", "kong", 8100, "health checks of targets"),
    ("kong", "shop", 8000, "requests to a system"),
    ("kong", "blog", 8080, "requests to a system"),
    # Systems and what they need
    ("shop", "postgres", 5432, "shop needs postgres"),
    ("shop", "redis", 6379, "shop needs redis"),
    ("shop worker", "redis", 6379, "workers take tasks from the broker"),
    ("blog", "documentdb", 27017, "blog needs documentdb"),
    ("shop", "dns", 53, "names"),
    ("shop", "endpoint", 443, "AWS services through private endpoints"),
    ("shop", "internet", 443, "AWS services and partners"),
    # Inside of the platform
    ("node", "node", 10250, "nodes among themselves"),
    ("node", "control plane", 443, "kubelets"),
    ("node", "endpoint", 443, "images, logs, Systems Manager"),
    ("node", "internet", 443, "registries, and AWS services without an endpoint"),
    ("kong", "control plane", 443, "Kong's controller watches Ingresses"),
    ("node", "volume", 2049, "the node mounts volumes for its pods"),
    ("control plane", "node", 10250, "logs, exec and metrics of kubelets"),
    ("control plane", "kong", 9443, "Ingresses are looked at before they are stored"),
    ("control plane", "load balancer controller", 9443, "its admission webhook"),
    ("control plane", "metrics server", 10251, "kubectl top, and autoscalers"),
    ("secrets operator", "endpoint", 443, "secrets of systems"),
    ("secrets operator", "control plane", 443, "it writes Secrets"),
    # Monitoring
    ("prometheus", "shop", 8000, "metrics of a system that has them"),
    ("prometheus", "kong", 8100, "metrics of the gateway"),
    ("prometheus", "grafana", 3000, "metrics of Grafana"),
    ("grafana", "prometheus", 9090, "dashboards"),
    ("shop", "collector", 4317, "traces"),
    ("collector", "endpoint", 443, "traces and metrics to AWS"),
    # Other networks
    ("shop", "partner", 5432, "egress of shop, over a route of network.routes"),
    # Operators
    ("runner", "control plane", 443, "plans, applies and deployments; kubectl from a bastion"),
    ("runner", "endpoint", 443, "STS and all of AWS, for private DNS leads there"),
    ("runner", "internet", 443, "GitHub, packages, providers, and the load balancer as users see it"),
    ("vpn", "control plane", 443, "operators beyond the VPC: network.admin_cidrs"),
    ("vpn", "endpoint", 443, "the same, when the VPN resolves names in the VPC"),
]
IMPOSSIBLE = [
    # From the internet
    ("internet", "load balancer", 8000, "the gateway is reached through 443 alone"),
    ("internet", "public address", 22, "no remote administration"),
    ("internet", "public address", 3389, "no remote administration"),
    ("internet", "kong", 8000, "not past the firewall of the load balancer"),
    ("internet", "node", 443, "nodes have no way in"),
    ("internet", "control plane", 443, "the interfaces in the VPC are private"),
    ("internet", "postgres", 5432, "databases have no way in"),
    ("internet", "runner", 443, "nothing calls a runner"),
    # Around the gateway
    ("load balancer", "shop", 8000, "past Kong"),
    ("load balancer", "postgres", 5432, "the load balancer speaks to Kong alone"),
    ("load balancer", "control plane", 443, "the load balancer speaks to Kong alone"),
    ("kong", "postgres", 5432, "Kong keeps nothing"),
    ("kong", "redis", 6379, "Kong keeps nothing"),
    # Between systems
    ("shop", "blog", 8080, "systems call each other through the gateway"),
    ("shop", "documentdb", 27017, "shop does not need documentdb"),
    ("blog", "postgres", 5432, "blog does not need postgres"),
    ("blog", "redis", 6379, "blog does not need redis"),
    ("shop", "prometheus", 9090, "systems do not read the platform's metrics"),
    ("shop", "grafana", 3000, "systems do not read dashboards"),
    ("shop", "kong", 9443, "systems do not ask the admission webhook"),
    ("shop", "internet", 25, "TLS alone leaves"),
    ("prometheus", "blog", 8080, "blog has no metrics"),
    # Other networks
    ("shop", "partner", 5433, "egress names other ports"),
    ("blog", "partner", 5432, "blog names no egress"),
    ("shop", "office", 5432, "egress names other ranges"),
    ("postgres", "partner", 443, "database subnets have no route there"),
    ("partner", "node", 443, "a network that a route leads to has no way in"),
    ("partner", "control plane", 443, "it is not in admin_cidrs"),
    # Databases and volumes
    ("shop", "volume", 2049, "the node mounts it; the pod itself sees files"),
    ("blog", "volume", 2049, "a volume of another system"),
    ("load balancer", "volume", 2049, "nodes alone mount"),
    ("runner", "volume", 2049, "nodes alone mount"),
    ("volume", "node", 443, "a volume makes no calls"),
    ("postgres", "internet", 443, "a database makes no calls"),
    ("postgres", "node", 443, "a database makes no calls"),
    ("redis", "postgres", 5432, "a database makes no calls"),
    # Operators
    ("runner", "postgres", 5432, "administration of databases goes through pods or Systems Manager"),
    ("runner", "redis", 6379, "the same"),
    ("runner", "documentdb", 27017, "the same"),
    ("runner", "node", 22, "sessions go through Systems Manager"),
    ("runner", "node", 10250, "kubelets answer the control plane"),
    ("runner", "internet", 22, "TLS alone leaves"),
    ("vpn", "postgres", 5432, "a VPN reaches the API and the endpoints alone"),
    ("vpn", "node", 443, "a VPN reaches the API and the endpoints alone"),
    ("vpn", "runner", 443, "nothing calls a runner"),
    ("office", "control plane", 443, "a reserved range that is not in admin_cidrs"),
    ("control plane", "postgres", 5432, "the API speaks to nodes alone"),
]

SPEC: dict[str, Any] = {
    "project": "acme",
    "region": "us-east-1",
    "network": {
        "endpoints": "all",
        "reserved": ["10.8.0.0/16", "10.9.0.0/16"],
        "admin_cidrs": ["10.8.0.0/22"],
        "routes": [{"to": "10.12.0.0/16", "via": "tgw-0123456789abcdef0"}],
    },
    "systems": {
        "shop": {
            "framework": "django",
            "needs": ["postgres", "redis"],
            "workers": 1,
            "metrics": {},
            "volumes": {"media": {"path": "/srv/media"}},
            "egress": [{"port": 5432, "cidrs": ["10.12.7.0/24"]}],
        },
        "blog": {"framework": "go", "needs": ["documentdb"]},
    },
}


@pytest.fixture(scope="module", params=[None, "100.64.0.0/16"], ids=["private subnets", "own range"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Pods have addresses of the private subnets, or of a range of their own."""
    file = tmp_path_factory.mktemp("reach") / "trial.yaml"
    spec = {**SPEC, "network": {**SPEC["network"], **({"pods": request.param} if request.param else {})}}
    file.write_text(yaml.safe_dump(spec), encoding="utf-8")
    return load(file)


@pytest.fixture(scope="module")
def platform(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    folder = tmp_path_factory.mktemp("out")
    roots = Variant(environment, folder)
    return Platform(roots["network"], tuple(charts(roots, folder)))


def charts(roots: Variant, folder: Path) -> Iterator[Objects]:
    """The project's own charts that have network policies and namespaces."""
    releases = [
        ("gateway", "cluster", "gateway/cluster"),
        ("observability", "platform", "observability/platform"),
        *(("systems", f"{name}_namespace", "systems/namespace") for name in roots.environment.systems),
    ]
    for tier, release, chart in releases:
        (text,) = roots[tier][f"helm_release.{release}"]["values"]
        given = sample(text)
        if "gatewayNamespace" in given:
            given["gatewayNamespace"] = GATEWAY  # a reference to another tier
        yield rendered(chart, given, folder)


@pytest.fixture(scope="module")
def places(environment: Environment) -> dict[str, Place]:
    """The places in the tables. Every pod is in a private subnet and has the security group of its node."""
    layout = environment.network.layout
    public, private, database = (layout.public["a"], layout.private["a"], layout.database["a"])
    pods = layout.pods.get("a", private)

    def pod(number: int, namespace: str, **labels: str) -> Place:
        labels = {f"app.kubernetes.io/{key}": value for key, value in labels.items()}
        return Place(pods[number], "private", "node", namespace, labels)

    return {
        "internet": Place(IPv4Address("203.0.113.7")),
        "vpn": Place(IPv4Address("10.8.1.7")),
        "office": Place(IPv4Address("10.9.1.7")),
        "partner": Place(IPv4Address("10.12.7.7")),
        "load balancer": Place(public[10], "public", "load_balancer"),
        # Without a security group, so that only the access list can refuse.
        "public address": Place(public[11], "public"),
        "node": Place(private[10], "private", "node"),
        "control plane": Place(private[11], "private", "control_plane"),
        "endpoint": Place(private[12], "private", "endpoint"),
        "runner": Place(private[13], "private", "runner"),
        "postgres": Place(database[10], "database", "postgres"),
        "redis": Place(database[11], "database", "redis"),
        "documentdb": Place(database[12], "database", "documentdb"),
        "volume": Place(database[13], "database", "volumes"),
        "kong": pod(20, GATEWAY, instance="kong", component="app"),
        "shop": pod(21, "shop", name="shop", component="web"),
        "shop worker": pod(22, "shop", name="shop", component="worker"),
        "blog": pod(23, "blog", name="blog", component="web"),
        "prometheus": pod(24, OBSERVABILITY, name="prometheus"),
        "collector": pod(25, OBSERVABILITY, name="opentelemetry-collector"),
        "grafana": pod(26, GRAFANA, name="grafana"),
        "secrets operator": pod(27, SECRETS, name="external-secrets"),
        "load balancer controller": pod(28, SYSTEM, name="aws-load-balancer-controller"),
        "metrics server": pod(29, SYSTEM, name="metrics-server"),
        "dns": Place(pods[30], "private", "node", SYSTEM, {"k8s-app": "kube-dns"}),
    }


@pytest.mark.parametrize(("source", "target", "port", "why"), POSSIBLE)
def test_required_connections_are_possible(
    platform: Platform, places: dict[str, Place], source: str, target: str, port: int, why: str
) -> None:
    refusal = platform.refusal(places[source], places[target], port)
    assert not refusal, f"{source} does not reach {target} at {port} ({why}): {refusal}"


@pytest.mark.parametrize(("source", "target", "port", "why"), IMPOSSIBLE)
def test_forbidden_connections_are_not_possible(
    platform: Platform, places: dict[str, Place], source: str, target: str, port: int, why: str
) -> None:
    refusal = platform.refusal(places[source], places[target], port)
    assert refusal, f"{source} reaches {target} at {port} ({why})"


@pytest.mark.parametrize(
    "wall", ["aws_network_acl_rule.private_in_answers", "aws_network_acl_rule.public_in_vpc"]
)
def test_a_reply_dropped_by_a_network_acl_is_found(
    platform: Platform, places: dict[str, Place], wall: str
) -> None:
    kind, name = wall.split(".")
    body = {**platform.network.body, "resource": {**platform.network.body["resource"]}}
    body["resource"][kind] = {key: rule for key, rule in platform.network.all(kind).items() if key != name}
    # A separate rule admits the upper half of the reply ports.
    body["resource"][kind].pop("private_in_answers_above", None)
    holed = Platform(Root(body, platform.network.environment), platform.charts)
    assert "access list" in holed.refusal(places["node"], places["internet"], 443)


def test_every_security_group_is_in_a_table(platform: Platform, places: dict[str, Place]) -> None:
    listed = {places[name].group for line in (*POSSIBLE, *IMPOSSIBLE) for name in line[:2]}
    assert set(platform.network.all("aws_security_group")) <= listed
