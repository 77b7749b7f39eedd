"""Settings of a system from the generated Terraform: its release as real helm renders it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
HELM = ROOT / ".venv/bin/helm"
REFERENCE = re.compile(r"(?<!\$)\$\{([^}]*)\}")

Values = dict[str, Any]
Objects = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Container:
    """`command` is empty where the image's own runs; `probes` are those of Kubernetes, by kind."""

    command: list[str]
    env: dict[str, str]
    files: dict[str, str]
    probes: dict[str, Any]


@dataclass(frozen=True)
class Release:
    """Containers by component: web, worker, beat, migrate."""

    system: str
    values: Values
    objects: Objects
    containers: dict[str, Container]
    password: str


def values_of(stacks: Path, address: str, known: Callable[[str], str]) -> tuple[Path, Values]:
    """Chart and values of helm_release.<address>. `known` gives the value of a Terraform reference."""
    body = json.loads((stacks / "systems/cdk.tf.json").read_text(encoding="utf-8"))
    release = body["resource"]["helm_release"][address]
    text = REFERENCE.sub(lambda match: known(match[1]), release["values"][0])
    return stacks / "systems" / release["chart"], json.loads(text.replace("$${", "${").replace("%%{", "%{"))


def render(chart: Path, values: Values, scratch: Path) -> Objects:
    file = scratch / "values.json"
    file.write_text(json.dumps(values))
    rendering = subprocess.run(
        [HELM, "template", "it", chart, "-f", file], capture_output=True, text=True, check=False
    )
    if rendering.returncode:
        raise RuntimeError(f"helm renders {chart.name}: {rendering.stderr}")
    documents = [each for each in yaml.safe_load_all(rendering.stdout) if each]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in documents}


def released(
    stacks: Path,
    system: str,
    known: Callable[[str], str],
    secret: Callable[[str], str],
    authority: str,
    scratch: Path,
) -> Release:
    """`secret` reads the value of a secret by its ARN, as the External Secrets operator does."""
    address = system.replace("-", "_")
    chart, values = values_of(stacks, f"{address}_namespace", known)
    objects = render(chart, {**values, "authorities": authority}, scratch)
    chart, values = values_of(stacks, address, known)
    objects |= render(chart, values, scratch)
    secrets = _secrets(objects, system, secret)
    pods = {
        "web": objects[f"Deployment/{system}"]["spec"]["template"]["spec"],
        "migrate": objects.get(f"CronJob/{system}-migrate", {}),
        "worker": objects.get(f"Deployment/{system}-worker", {}),
        "beat": objects.get(f"Deployment/{system}-beat", {}),
    }
    for helper in ("worker", "beat"):
        if pods[helper]:
            pods[helper] = pods[helper]["spec"]["template"]["spec"]
    if pods["migrate"]:
        pods["migrate"] = pods["migrate"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    containers = {name: _container(pod, objects, secrets) for name, pod in pods.items() if pod}
    password = next(iter(secrets.values()), "")
    return Release(system, values, objects, containers, password)


def _secrets(objects: Objects, system: str, secret: Callable[[str], str]) -> dict[tuple[str, str], str]:
    """Values of the Secrets in the namespace of the system, by name and key."""
    return {
        (each["spec"]["target"]["name"], data["secretKey"]): secret(data["remoteRef"]["key"])
        for each in objects.values()
        if each["kind"] == "ExternalSecret" and each["metadata"]["namespace"] == system
        for data in each["spec"]["data"]
    }


def _container(pod: Values, objects: Objects, secrets: Mapping[tuple[str, str], str]) -> Container:
    (container,) = pod["containers"]
    env = {}
    for each in container.get("env", ()):
        reference = each.get("valueFrom", {}).get("secretKeyRef")
        env[each["name"]] = secrets[reference["name"], reference["key"]] if reference else each["value"]
    maps = {each["name"]: each.get("configMap", {}).get("name") for each in pod["volumes"]}
    files = {
        f"{mount['mountPath']}/{name}": text
        for mount in container["volumeMounts"]
        if maps[mount["name"]]
        for name, text in objects[f"ConfigMap/{maps[mount['name']]}"]["data"].items()
    }
    probes = {kind: container[kind] for kind in ("livenessProbe", "readinessProbe") if kind in container}
    return Container(container.get("command", []), env, files, probes)
