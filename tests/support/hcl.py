"""Plans a root module as JSON and as HCL, for tests that compare the two."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal.catalog import Catalog, catalog_path, read_facts
from support.rehearsing import Project, empty_charts, installed, terraform_command
from tierra.hcl.__main__ import GENERATED, Hcl
from tierra.hcl.__main__ import formatted as fmt
from tierra.hcl.blocks import Schemas
from tierra.hcl.values import parse
from tierra.run.override import NAME, rehearsed, save

STATE = "terraform.tfstate"
PROVIDERS = {name: {"source": name} for name in ("aws", "helm")}
COMPARED = ("resource_changes", "output_changes", "resource_drift", "checks")


@cache
def schemas() -> Schemas:
    installed()
    return Schemas(Catalog(catalog_path()))


@cache
def documents() -> dict[str, list[str]]:
    return {name: facts.documents for name, facts in read_facts().items()}


def hcl_files(configuration: Mapping[str, Any], sources: Mapping[str, str] | None = None) -> dict[str, str]:
    """The HCL files of a configuration."""
    files = Hcl(
        parse(json.dumps(configuration)), sources or {}, schemas(), "trial", "environments/trial.yaml"
    ).files()
    (command,) = terraform_command()
    return fmt(command, {"trial": files})["trial"]


def text(configuration: Mapping[str, Any]) -> str:
    """The HCL of a configuration in one text, without comments."""
    lines = "\n".join(hcl_files(configuration).values()).splitlines()
    return "\n".join(line for line in lines if not line.startswith("#")).strip() + "\n"


def contents(module: Path) -> dict[str, str]:
    """The files of a root module by their path in it."""
    return {
        path.relative_to(module).as_posix(): path.read_text(encoding="utf-8")
        for path in module.rglob("*")
        if path.is_file()
    }


class Pair:
    """A root module as JSON or as HCL in one folder: the same state, account and providers."""

    def __init__(self, folder: Path, cloud: Path | None = None) -> None:
        shutil.copytree(_initialized(), folder, symlinks=True, dirs_exist_ok=True)
        self.folder = folder
        self.project = Project(folder, command=terraform_command())
        self.project.cloud = cloud or folder / "cloud.sqlite"
        self.hold({})

    def hold(self, files: Mapping[str, str]) -> None:
        """Replaces the files of the root module by these; override and state stay."""
        for old in [*self.folder.glob("*.tf"), self.folder / GENERATED]:
            old.unlink(missing_ok=True)
        for name, content in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(content, encoding="utf-8")
            empty_charts(self.folder, content)

    def plan(self, files: Mapping[str, str]) -> dict[str, Any]:
        self.hold(files)
        self.project.run("plan", "-out=plan")
        plan: dict[str, Any] = json.loads(self.project.run("show", "-json", "plan"))
        return plan

    def equal(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """The plan of a configuration, which is the plan of its HCL, whose files are formatted."""
        as_json = self.plan({GENERATED: json.dumps(configuration)})
        as_hcl = self.plan(hcl_files(configuration))
        check_format(self.folder)
        assert essence(as_hcl) == essence(as_json)
        return as_hcl

    def values(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """The planned outputs of the HCL."""
        changes = self.plan(hcl_files(configuration))["output_changes"]
        return {name: change["after"] for name, change in changes.items()}


@cache
def _initialized() -> Path:
    """A folder in which terraform was initialized, with both providers and a local state, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="tierra-hcl-"))
    (folder / GENERATED).write_text(json.dumps({"terraform": {"required_providers": PROVIDERS}}))
    save(folder / NAME, rehearsed(folder, folder / STATE, {}))
    Project(folder, command=terraform_command()).run("init")
    return folder


def check_format(folder: Path) -> None:
    run = subprocess.run(
        [*terraform_command(), "fmt", "-check", "-diff", "-recursive", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[:3000] + run.stderr[:3000]


def essence(plan: dict[str, Any]) -> dict[str, Any]:
    """The changes of a plan, the references of each argument, and the dependencies.

    Arguments that AWS compares as JSON are read as JSON, for the order of keys means nothing there; all other
    texts must be the same to the letter. References tell values apart that are not known before the apply.
    """
    for change in plan.get("resource_changes", []):
        for side in (change["change"]["before"], change["change"]["after"]):
            for name in documents().get(change["type"], []):
                if side and isinstance(side.get(name), str):
                    side[name] = json.loads(side[name])
    root = plan["configuration"]["root_module"]
    return {
        **{name: plan.get(name) for name in COMPARED},
        "resources": {each["address"]: _configured(each) for each in root.get("resources", [])},
        "outputs": {name: _configured(output) for name, output in root.get("outputs", {}).items()},
        "providers": {
            name: _configured(provider)
            for name, provider in plan["configuration"].get("provider_config", {}).items()
        },
    }


def _configured(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the configuration, its expressions as the references in them. The constants among them are in
    the plan, as values."""
    inner = ("expressions", "expression", "count_expression", "for_each_expression")
    plain = {key: of for key, of in part.items() if key not in inner}
    plain["depends_on"] = sorted(part.get("depends_on", []))
    return {**plain, "references": {key: list(_references(part[key], "")) for key in inner if key in part}}


def _references(expressions: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(expressions, list):
        for number, each in enumerate(expressions):
            yield from _references(each, f"{path}.{number}")
    elif "references" in expressions:
        yield path, sorted(set(expressions["references"]))
    elif "constant_value" not in expressions:
        for name, each in sorted(expressions.items()):
            yield from _references(each, f"{path}.{name}")
