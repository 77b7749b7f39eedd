"""Helm releases: the contents of their charts, and the meaning of their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tierra.plans.structures import Masked, holds, parsed

RELEASE = "helm_release"
SYSTEM = "./charts/chart"  # the chart of an application, below templates/systems
# Charts without a pod. A test holds those below templates/ against their files; prometheus-operator-crds has
# custom resource definitions alone (prometheus-community/helm-charts, charts/prometheus-operator-crds).
PODLESS = frozenset(
    {
        "./charts/cluster",
        "./charts/databases",
        "./charts/namespace",
        "./charts/own-namespace",
        "./charts/platform",
        "./charts/system",
        "prometheus-operator-crds",
    }
)
# Those of them with namespaces: Kubernetes deletes a namespace with everything in it.
NAMESPACES = frozenset(
    f"./charts/{chart}" for chart in ("cluster", "databases", "namespace", "own-namespace", "platform")
)
VOLUMES = ("volumeClaimTemplate", "volumeClaimTemplates", "persistentVolumeClaim")


def runs_pods(values: Mapping[str, Any]) -> bool:
    """Whether a release has pods; true for an unknown chart."""
    return values.get("chart") not in PODLESS


def keeps_volumes(values: Mapping[str, Any]) -> bool:
    """Whether its pods may have asked for volumes: those of Tierra's own charts never do, others if the
    values name volumes, or cannot be read."""
    if str(values.get("chart", "")).startswith("./charts/") or not runs_pods(values):
        return False
    parsed_values = release_values(values)
    return not parsed_values or _asks(parsed_values)


def release_values(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The merged values of a release, later documents over earlier ones; None if a text is sensitive, unknown
    or not a document."""
    texts = values.get("values") or []
    if not isinstance(texts, list):
        return None
    result: dict[str, Any] = {}
    for text in texts:
        document = None if holds(text, Masked) else parsed(text)
        if not isinstance(document, dict):
            return None
        result |= document
    return result


def replicas(values: Mapping[str, Any]) -> int | None:
    """The number of pods that always run, if the values have it."""
    parsed_values = release_values(values) or {}
    for path in (("autoscaling", "minReplicas"), ("replicas", "min"), ("replicaCount",)):
        if path[0] == "autoscaling" and not _at(parsed_values, ("autoscaling", "enabled")):
            continue
        count = _at(parsed_values, path)
        if isinstance(count, int) and not isinstance(count, bool):
            return count
    return None


def paths(values: Mapping[str, Any]) -> set[str]:
    """Paths, with hosts if they are given, that the gateway routes to a release."""
    parsed_values = release_values(values) or {}
    result = set()
    if values.get("chart") == SYSTEM and isinstance(parsed_values.get("path"), str):
        result = {f"{host}{parsed_values['path']}" for host in parsed_values.get("hosts") or [""]}
    for rule in _rules(parsed_values):
        host = rule.get("host") or ""
        listed = _at(rule, ("http", "paths")) or []
        result |= {f"{host}{path_.get('path') or '/'}" for path_ in listed if isinstance(path_, dict)}
    return result


def asks_for_credentials(values: Mapping[str, Any]) -> bool:
    """Whether the gateway requires authentication."""
    return values.get("chart") == SYSTEM and bool(_at(release_values(values) or {}, ("requests", "auth")))


def image(values: Mapping[str, Any]) -> str:
    """The image of a system; empty before its first delivery."""
    image_ = (release_values(values) or {}).get("image")
    return image_ if values.get("chart") == SYSTEM and isinstance(image_, str) and image_ != "none" else ""


def _rules(parsed_values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Rules of Ingresses in additional objects of a chart."""
    for object_ in parsed_values.get("extraObjects") or []:
        if isinstance(object_, dict) and object_.get("kind") == "Ingress":
            yield from (rule for rule in _at(object_, ("spec", "rules")) or [] if isinstance(rule, dict))


def _at(node: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _asks(node: Any) -> bool:
    if isinstance(node, dict):
        switched = isinstance(node.get("persistence"), dict) and node["persistence"].get("enabled") is True
        return switched or any(node.get(name) for name in VOLUMES) or any(map(_asks, node.values()))
    return isinstance(node, list) and any(map(_asks, node))
