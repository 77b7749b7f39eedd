"""Tests of public images: every one in the charts is pulled through the ECR cache if it is on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from conftest import Root, Variant

from tierra.patterns.images import REGISTRIES

Variants = Callable[..., Variant]
ACCOUNT = "123456789012"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:ecr-pullthroughcache"
OWN = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/acme-trial-cache"
REFERENCE = re.compile(r"(?<!\$)\$\{[^}]*\}")
# By release, the images of the running pods, with the keys from which the chart takes them.
PLACES = {
    "gateway.cluster_autoscaler": {"image.repository"},
    "gateway.external_secrets": {
        "image.repository",
        "webhook.image.repository",
        "certController.image.repository",
    },
    "gateway.kong": {"image.repository", "ingressController.image.repository"},
    "gateway.load_balancer_controller": {"image.repository"},
    "observability.cloudwatch_exporter": {"image.registry"},
    "observability.collector": {"image.repository"},
    "observability.grafana": {"image.registry", "sidecar.image.registry"},
    "observability.prometheus": {
        "alertmanager.alertmanagerSpec.image.registry",
        "kube-state-metrics.image.registry",
        "prometheus-node-exporter.image.registry",
        "prometheus.prometheusSpec.image.registry",
        "prometheusOperator.image.registry",
        "prometheusOperator.prometheusConfigReloader.image.registry",
    },
    # The job that creates its database users.
    "systems.shop_namespace": {"registry"},
}
# Releases without pods.
EMPTY = {"gateway.prometheus_crds"}


def named(values: dict[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    """Keys and values of image registries and repositories in the values of a chart."""
    for key, value in values.items():
        path = f"{at}.{key}" if at else key
        if isinstance(value, dict):
            yield from named(value, path)
        elif key in ("registry", "repository"):
            yield path, value


def images(tiers: Variant) -> dict[str, dict[str, str]]:
    """The registry, or the image name with it, by release and key."""
    return {
        f"{tier}.{name}": dict(named(yaml.safe_load(REFERENCE.sub("it", release["values"][0]))))
        for tier in ("gateway", "observability", "systems")
        for name, release in tiers[tier].all("helm_release").items()
        if "values" in release
    }


@pytest.fixture
def cached(variant: Variants) -> Variant:
    cache = {"docker_hub": f"{SECRET}/hub-AbCdEf", "github": f"{SECRET}/github-AbCdEf"}
    return variant(
        compute={"image_cache": {"enabled": True, **cache}},
        systems={"shop": {"framework": "go", "needs": ["postgres"]}},
    )


def test_every_image_of_a_published_chart_is_pulled_through_the_cache(cached: Variant) -> None:
    by_release = images(cached)
    assert {name: set(places) for name, places in by_release.items() if places} == PLACES
    for places in by_release.values():
        assert all(image.startswith(f"{OWN}/") for image in places.values()), places
    published = {
        f"{tier}.{name}"
        for tier in ("gateway", "observability")
        for name, release in cached[tier].all("helm_release").items()
        if "repository" in release
    }
    assert published - EMPTY <= PLACES.keys()


def test_without_a_cache_images_come_from_their_registry(variant: Variants) -> None:
    tiers = variant(systems={"shop": {"framework": "go", "needs": ["postgres"]}})
    for places in images(tiers).values():
        assert all(image.split("/")[0] in REGISTRIES for image in places.values()), places
    assert not tiers["compute"].all("aws_ecr_pull_through_cache_rule")
    assert "node_image_cache" not in tiers["compute"].all("aws_iam_role_policy")


def test_registries_that_need_an_account_are_cached_only_with_one(variant: Variants) -> None:
    tiers = variant(compute={"image_cache": {"enabled": True}})
    rules = tiers["compute"].all("aws_ecr_pull_through_cache_rule")
    assert rules.keys() == {"public_ecr_aws", "quay_io", "registry_k8s_io"}
    assert not any("credential_arn" in rule for rule in rules.values())
    by_release = images(tiers)
    assert by_release["gateway.kong"]["image.repository"] == "docker.io/library/kong"
    assert by_release["observability.collector"]["image.repository"].startswith("ghcr.io/")


def test_nodes_may_only_fill_the_cache(cached: Variant) -> None:
    compute: Root = cached["compute"]
    rules = compute.all("aws_ecr_pull_through_cache_rule")
    assert rules["docker_io"]["upstream_registry_url"] == "registry-1.docker.io"
    assert rules["docker_io"]["credential_arn"] == f"{SECRET}/hub-AbCdEf"
    statement = compute.statements("aws_iam_role_policy.node_image_cache")["FillTheImageCache"]
    assert set(statement["Action"]) == {"ecr:BatchImportUpstreamImage", "ecr:CreateRepository"}
    assert set(statement["Resource"]) == {
        f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{rule['ecr_repository_prefix']}/*"
        for rule in rules.values()
    }
    for group in compute.all("aws_eks_node_group").values():
        assert "aws_iam_role_policy.node_image_cache" in group["depends_on"]


def test_environments_of_an_account_have_separate_caches(variant: Variants) -> None:
    """Prefixes are different and short enough for names of any length."""
    stems = [("a" * 16, "production"), ("a" * 16, "production2")]
    prefixes = [
        rule["ecr_repository_prefix"]
        for project, environment in stems
        for rule in variant(
            project=project, environment=environment, compute={"image_cache": {"enabled": True}}
        )["compute"]
        .all("aws_ecr_pull_through_cache_rule")
        .values()
    ]
    assert len(set(prefixes)) == len(prefixes)
    assert all(re.fullmatch(r"(?=.{2,30}$)[a-z0-9]+([._/-][a-z0-9]+)*", each) for each in prefixes)
