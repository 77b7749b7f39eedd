"""The HCL twin says what the JSON says: real terraform plans both, and the plans are equal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import ENVIRONMENTS, ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rehearsing import Project, installed, terraform_command

from modules.architecture import order
from rehearsal.catalog import Catalog, catalog_path, read_facts
from rehearsal.override import NAME, rehearsed, save
from review.blocks import HclError, Schemas
from review.hcl import GENERATED, Twin
from review.hcl import save as save_twin
from review.layout import FILES, WHOLE, file_of

STATE = "terraform.tfstate"
INITIALIZED = {
    "terraform": {
        "required_providers": {name: {"source": name} for name in ("aws", "helm")},
        "backend": {"local": {"path": STATE}},
    }
}
COMPARED = ("resource_changes", "output_changes", "resource_drift")


@cache
def schemas() -> Schemas:
    installed()
    return Schemas(Catalog(catalog_path()))


def twin(configuration: dict[str, Any], tier: str = "trial") -> dict[str, str]:
    """The files of a twin; what is read from a file keeps its numbers as they are written, here too."""
    from review.values import read

    return Twin(read(json.dumps(configuration)), schemas(), tier, "environments/trial.yaml").files()


def documents() -> dict[str, list[str]]:
    return {name: facts.documents for name, facts in read_facts().items()}


def essence(plan: dict[str, Any]) -> dict[str, Any]:
    """What a plan will do. Arguments that AWS compares as JSON are read as JSON: the order of keys in them
    means nothing; all other texts are themselves."""
    for change in plan.get("resource_changes", []):
        for side in ("before", "after"):
            for name in documents().get(change["type"], []):
                values = change["change"][side]
                if values and isinstance(values.get(name), str):
                    values[name] = json.loads(values[name])
    found = {name: plan.get(name) for name in COMPARED}
    root = plan["configuration"]["root_module"]
    found["waits"] = {each["address"]: sorted(each.get("depends_on", [])) for each in root["resources"]}
    found["outputs"] = {
        name: {key: of for key, of in output.items() if key != "expression"}
        for name, output in root.get("outputs", {}).items()
    }
    return found


class Pair:
    """A root module as JSON or as HCL, in one folder: the same state, account and providers."""

    def __init__(self, folder: Path, cloud: Path) -> None:
        shutil.copytree(initialized(), folder, symlinks=True, dirs_exist_ok=True)
        self.project = Project(folder, command=terraform_command())
        self.project.cloud = cloud
        self.folder = folder
        (folder / "main.tf").unlink()

    def hold(self, files: dict[str, str]) -> None:
        """These files and no others of a root module; the override and the state stay."""
        for old in [*self.folder.glob("*.tf"), self.folder / GENERATED]:
            old.unlink(missing_ok=True)
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def plan(self, files: dict[str, str], *options: str) -> dict[str, Any]:
        self.hold(files)
        self.project.run("plan", "-out=plan", *options)
        plan: dict[str, Any] = json.loads(self.project.run("show", "-json", "plan"))
        return plan

    def equal(self, configuration: dict[str, Any]) -> dict[str, Any]:
        """The plan of a configuration, which must be the plan of its twin; the twin is formatted."""
        as_json = self.plan({GENERATED: json.dumps(configuration)})
        files = twin(configuration)
        as_hcl = self.plan(files)
        assert essence(as_hcl) == essence(as_json)
        formatted(self.folder)
        return as_hcl


@cache
def initialized() -> Path:
    """A folder in which terraform was initialized with both providers and a local state."""
    folder = Path(shutil.os.environ.get("PYTEST_HCL", "")) if False else _fresh()
    (folder / GENERATED).write_text(json.dumps(INITIALIZED))
    project = Project(folder, command=terraform_command())
    project.run("init")
    (folder / GENERATED).unlink()
    return folder


def formatted(folder: Path) -> None:
    run = subprocess.run(
        [*terraform_command(), "fmt", "-check", "-diff", "-recursive", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[:3000] + run.stderr[:3000]
