"""Deployments of systems with the generated workflows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, read_roots

from modules.architecture import TIERS, synthesize
from modules.loader import load
from modules.spec import Environment
from support import reading
from support.actions import Runner
from support.charts import SHOP, values
from support.rendering import rendered
from tierra.github.workflows import workflows

BIN = ROOT / ".venv" / "bin"


REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-trial/shop"


OLD, NEW = (f"{REPOSITORY}@sha256:{digit * 64}" for digit in "12")


SPEC: dict[str, Any] = {
    "project": "acme",
    "region": "us-east-1",
    "account": "123456789012",
    "target": "aws",
    "edge": {"zone": "example.com", "domain": "app.example.com"},
    "delivery": {"repository": "acme/platform", "runner": ["self-hosted", "codebuild-acme"]},
    "systems": {"shop": {"framework": "go"}, "site": {"framework": "go", "repository": "acme@1/site@2"}},
}


def jobs(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = reading.parsed(text)["jobs"]
    return parsed


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, dict[str, Any]]:
    """An environment with one system, and its workloads by kind and name before any image."""
    folder = tmp_path_factory.mktemp("shop")
    spec = folder / "trial.yaml"
    spec.write_text(yaml.safe_dump({"project": "acme", "region": "us-east-1", "systems": {"shop": SHOP}}))
    environment = load(spec)
    synthesize(environment, folder / "out", {"systems": TIERS["systems"]})
    root = read_roots(folder / "out", environment)["systems"]
    objects = rendered("systems/chart", {**values(root, "shop"), "image": "none"}, folder)
    kinds = {"Deployment": "deployment", "CronJob": "cronjob"}
    return environment, {
        f"{kinds[each['kind']]}/{each['metadata']['name']}": each
        for each in objects.values()
        if each["kind"] in kinds
    }


def pods(thing: dict[str, Any]) -> dict[str, Any]:
    spec = thing["spec"]["jobTemplate"]["spec"] if thing["kind"] == "CronJob" else thing["spec"]
    (app,) = spec["template"]["spec"]["containers"]
    return app


class Deployment(Runner):
    """A run of the deploy job of the shop."""

    def deploy(self, **options: Any) -> str:
        return str(self.run(self.job, **options)["job"]["outcome"])

    def runs(self) -> dict[str, tuple[int | None, str]]:
        """Replicas and image of each workload."""
        return {
            name: (thing["spec"].get("replicas"), pods(thing)["image"])
            for name, thing in self.world["cluster"].items()
            if not name.startswith("job/")
        }

    job: dict[str, Any]


@pytest.fixture
def deployment(
    shop: tuple[Environment, dict[str, Any]], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    """A first deployment: there are no pods and no image."""
    environment, cluster = shop
    shown = tmp_path_factory.getbasetemp() / "shown"
    shown.mkdir(exist_ok=True)
    world = {
        "kubectl": str(BIN / "kubectl"),
        "shown": str(shown),
        "cluster": json.loads(json.dumps(cluster)),
        "reachable": True,
        "records": True,
        "migrations": {},
        "broken": [],
        "ill": [],
        "answers": [],
        "parameters": {},
    }
    runner = Deployment(tmp_path / "runner", world, {"needs.image.outputs.digest": NEW.partition("@")[2]})
    text = workflows(environment)["acme/platform/.github/workflows/shop.trial.yml"]
    runner.job = jobs(text)["deploy"]
    for step in runner.job["steps"]:
        if "TRIES" in step.get("env", {}):
            step["env"]["TRIES"] = "5"
    return runner


@pytest.fixture
def running(deployment: Deployment) -> Deployment:
    """A later deployment: the old image runs, and the autoscaler has added a pod."""
    cluster = deployment.world["cluster"]
    for name, thing in cluster.items():
        pods(thing)["image"] = OLD
        if name.startswith("deployment/"):
            thing["spec"]["replicas"] = {"deployment/shop": 3, "deployment/shop-worker": 2}.get(name, 1)
    deployment.change(cluster=cluster, parameters={"/acme/trial/systems/shop/image": OLD})
    return deployment


BEFORE_ANY = {
    "deployment/shop": (0, "none"),
    "deployment/shop-worker": (0, "none"),
    "deployment/shop-beat": (0, "none"),
    "cronjob/shop-migrate": (None, "none"),
}


def all_of(image: str) -> dict[str, tuple[int | None, str]]:
    replicas = {"deployment/shop": 3, "deployment/shop-worker": 2, "deployment/shop-beat": 1}
    return {name: (replicas.get(name), image) for name in BEFORE_ANY}


@pytest.fixture
def image(shop: tuple[Environment, dict[str, Any]], tmp_path: Path) -> tuple[Runner, dict[str, Any]]:
    text = workflows(shop[0])["acme/platform/.github/workflows/shop.trial.yml"]
    digest = "sha256:" + "2" * 64
    says = {"steps.build.outputs.digest": digest}
    return Runner(tmp_path / "runner", {"registry": {}, "digest": digest}, says), jobs(text)["image"]
