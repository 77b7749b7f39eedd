"""Runs real terraform with the rehearsal provider."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal.catalog import catalog_path
from tierra.run.terraform import attached

ROOT = Path(__file__).resolve().parents[2]
PROVIDERS = 'provider "aws" {}\nprovider "helm" {}\n'


def terraform_command() -> list[str]:
    local = ROOT / ".venv/bin/terraform"
    return [str(local) if local.exists() else "terraform"]


def empty_charts(folder: Path, configuration: str) -> None:
    """Empty charts for those that a configuration names by path, because helm requires them to exist."""
    for name in re.findall(r'"\./charts/([a-z-]+)"', configuration):
        chart = folder / "charts" / name / "Chart.yaml"
        chart.parent.mkdir(parents=True, exist_ok=True)
        if not chart.exists():
            chart.write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")


def terraform(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The result of a command of terraform in `folder`, attached to the embedded provider where possible."""
    verb = next(word for word in command[1:] if not word.startswith("-"))
    with attached(verb, folder, settings() | variables) as (environment, descriptors):
        return subprocess.run(
            command, env=environment, pass_fds=descriptors, capture_output=True, text=True, check=False
        )


class Project:
    """A root module in a temporary folder, with a separate account."""

    def __init__(self, folder: Path, configuration: str = "", command: list[str] | None = None) -> None:
        self.folder = folder
        self.command = command or terraform_command()
        self.cloud = folder / "cloud.sqlite"
        self.exists = "*"  # tests refer to objects that they do not create
        if command is None:
            shutil.copytree(_initialized(), folder, symlinks=True, dirs_exist_ok=True)
        self.write(configuration)

    def write(self, configuration: str) -> None:
        (self.folder / "main.tf").write_text(configuration)
        empty_charts(self.folder, configuration)

    def run(self, *arguments: str, code: int | None = 0, **environment: str) -> str:
        """The output of terraform; its exit code must be `code`, if given."""
        ended = terraform(
            [*self.command, f"-chdir={self.folder}", arguments[0], *_options(arguments[0]), *arguments[1:]],
            self.folder,
            **{"REHEARSAL_CLOUD": str(self.cloud), "REHEARSAL_EXISTS": self.exists, **environment},
        )
        assert code in (None, ended.returncode), ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def apply(self, configuration: str | None = None, code: int | None = 0, **environment: str) -> str:
        if configuration is not None:
            self.write(configuration)
        return self.run("apply", "-auto-approve", code=code, **environment)

    def plan(self, configuration: str | None = None) -> dict[str, Any]:
        """The plan as terraform's JSON."""
        if configuration is not None:
            self.write(configuration)
        self.run("plan", "-out=plan")
        plan: dict[str, Any] = json.loads(self.run("show", "-json", "plan"))
        return plan

    def actions(self, configuration: str | None = None) -> dict[str, str]:
        """The actions of a plan, by address; unchanged resources are left out."""
        if configuration is not None:
            self.write(configuration)
        lines = [json.loads(line) for line in self.run("plan", "-json").splitlines() if line.startswith("{")]
        changes = [line["change"] for line in lines if line["type"] == "planned_change"]
        return {change["resource"]["addr"]: change["action"] for change in changes}

    def state(self) -> dict[str, dict[str, Any]]:
        """The values of every resource in the state, by address."""
        values = {}
        for resource in self._state_file()["resources"]:
            for instance in resource["instances"] if resource["mode"] == "managed" else []:
                index = f"[{instance['index_key']}]" if "index_key" in instance else ""
                values[f"{resource['type']}.{resource['name']}{index}"] = instance["attributes"]
        return values

    def outputs(self) -> dict[str, Any]:
        return {name: each["value"] for name, each in self._state_file()["outputs"].items()}

    def _state_file(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.folder / "terraform.tfstate").read_text())
        return state

    def unchanged(self) -> bool:
        """Whether a plan is empty; terraform's exit code 2 means that it is not."""
        self.run("plan", "-detailed-exitcode")
        return True


def _options(verb: str) -> list[str]:
    if verb in ("plan", "apply", "destroy", "import"):
        return ["-input=false", "-no-color"]
    return ["-no-color"] if verb in ("init", "validate") else []


def settings() -> dict[str, str]:
    """The environment variables with which terraform finds the embedded provider."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_", "REHEARSAL_"))
    }
    return {**inherited, "TF_CLI_CONFIG_FILE": str(installed()), "TF_IN_AUTOMATION": "1", "GOGC": "400"}


@cache
def installed() -> Path:
    """terraform's CLI configuration for the rehearsal, rebuilt if its sources are newer."""
    configuration = catalog_path().parent / "terraform.rc"
    sources = [
        *ROOT.glob("rehearsal/facts/*.yaml"),
        *ROOT.glob("rehearsal/rules/*"),
        *ROOT.glob("tierra/bindings/providers*"),
        *ROOT.glob("rehearsal/tables*"),
        ROOT / "tierra/bindings/schema.py",
        ROOT / "rehearsal/catalog.py",
    ]
    newest = max(source.stat().st_mtime for source in sources)
    current = catalog_path().exists() and catalog_path().stat().st_mtime > newest
    python = catalog_path().parent / "python"
    if not (current and configuration.exists() and python.read_text() == sys.executable):
        # In a separate process: this one may have the lean bindings first on its path.
        subprocess.run([sys.executable, "-m", "rehearsal.install"], cwd=ROOT, check=True)
    return configuration


@cache
def _initialized() -> Path:
    """A folder in which `terraform init` was run once, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="tierra-init-"))
    project = Project(folder, PROVIDERS, terraform_command())
    project.run("init")
    (folder / "main.tf").unlink()
    return folder
