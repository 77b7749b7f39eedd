"""What the charts of the project become in a cluster: real helm renders them, with the values that terraform
passes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from conftest import ROOT, Root

HELM = ROOT / ".venv" / "bin" / "helm"
DIGEST = "sha256:" + "0123456789abcdef" * 4
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-production/it@{DIGEST}"

# What references will be, by the end of their names.
SAMPLES = {
    "insecure_value": IMAGE,
    "ingress_class": "kong",
    "namespace": "gateway",
    "arn": "arn:aws:iam::123456789012:it",
    "port": "6379",
    "endpoint": "host.example.com",
    "id": "group",
    "name": "it",
    "username": "platform",
    "database": "platform",
}
# Kinds that Kubernetes does not know by itself; their keys are checked by tests/test_systems_charts.py.
CUSTOM = {"SecretStore", "ExternalSecret", "Password", "ServiceMonitor", "KongPlugin"}

Manifests = dict[tuple[str, str], dict[str, Any]]


def filled(text: str, **samples: str) -> str:
    """Text of a generated file as terraform hands it on: references are values, escapes are undone."""

    def value(reference: re.Match[str]) -> str:
        path = [part for part in reference[1].split(".") if not part.startswith("replica_")]
        known = {**SAMPLES, **samples}
        return next(
            known[name] for name in (path[-1], *_ends(path[-1])) if name in known
        )  # StopIteration: say in SAMPLES what it will be

    done = re.sub(r"(?<!\$)\$\{([a-z_.0-9]+)\}", value, text)
    return done.replace("$${", "${").replace("%%{", "%{")


def _ends(name: str) -> Iterator[str]:
    parts = name.split("_")
    for start in range(1, len(parts)):
        yield "_".join(parts[start:])
        yield parts[start].rstrip("s")


def values_of(systems: Root, address: str, **samples: str) -> dict[str, Any]:
    """The values of a release."""
    release = systems["helm_release." + address]
    (text,) = release["values"]
    values: dict[str, Any] = yaml.safe_load(filled(text, **samples))
    return values


def helm(*arguments: str, values: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    """Runs helm with values on its standard input."""
    text = yaml.safe_dump(dict(values))
    return subprocess.run(
        [str(HELM), *arguments, "--values", "-"], input=text, capture_output=True, text=True, check=False
    )


def render(
    chart: Path, values: Mapping[str, Any], *, release: str, namespace: str, kubernetes: str
) -> Manifests:
    """Every manifest by kind and name. helm must be content with the values, and find nothing to say about
    the chart."""
    version = f"{kubernetes}.0"
    linted = helm("lint", "--strict", "--kube-version", version, str(chart), values=values)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    made = helm(
        "template", release, str(chart), "--namespace", namespace, "--kube-version", version, values=values
    )
    assert made.returncode == 0, made.stderr
    found: Manifests = {}
    for manifest in yaml.safe_load_all(made.stdout):
        hook = "helm.sh/hook" in manifest["metadata"].get("annotations", {})
        key = (manifest["kind"], manifest["metadata"]["name"] + (" (hook)" if hook else ""))
        assert key not in found, f"two of {key}"
        found[key] = manifest
    return found


def check(manifests: Manifests, kubernetes: str) -> None:
    """Every manifest is one that this version of Kubernetes accepts, without a key it does not know."""
    for (kind, name), manifest in manifests.items():
        if kind not in CUSTOM:
            try:
                kubernetes_validate.validate(manifest, kubernetes, strict=True)
            except kubernetes_validate.ValidationError as error:
                raise AssertionError(f"{kind} {name}: {error}") from error


def pods(manifests: Manifests) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod that the manifests make, by the kind and name of what makes it."""
    for (kind, name), manifest in manifests.items():
        spec = manifest.get("spec", {})
        if kind == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec:
            yield f"{kind} {name}", spec["template"]["spec"]


@cache
def charts() -> dict[str, Path]:
    """The charts of systems, by name."""
    return {name: ROOT / "templates" / "systems" / name for name in ("namespace", "chart")}
