"""One environment on this machine: its facts, the options of make, and every path of a tier's folder.

cdktf.out/<env>/
    environment.json     facts of the environment and the graph of its tiers, from synthesis
    stacks/<tier>/       the root module of a tier, and the files of a run beside it: see Tier
    forecast/<tier>/     the same root module on the embedded provider, with a copy of its state
    report.*, drift.*    what was found
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tierra.files import write
from tierra.plans import own

__all__ = [
    "GENERATED",
    "OVERRIDE",
    "VERSIONS",
    "Failed",
    "Tier",
    "Workspace",
    "private",
    "read_json",
    "write",
]

ROOT = Path(__file__).resolve().parents[2]
GENERATED = "cdk.tf.json"
VERSIONS = "versions.tf"  # of terraform itself; also generated
OVERRIDE = "rehearsal_override.tf.json"
CARRIED = ("charts", *own.FOLDERS)
AWS, REHEARSAL = "aws", "rehearsal"


class Failed(Exception):
    """A run that cannot continue. The text is complete: the problem and the remedy."""


@dataclass(frozen=True)
class Workspace:
    """An environment, the folder of its output, and the variables that make passes."""

    environment: str
    out: Path
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def _variable(self, name: str, default: str = "") -> str:
        return self.variables.get(name) or default

    @cached_property
    def facts(self) -> dict[str, Any]:
        """`target`, `account`, `region`, `zones`, `plan_hours`; `tiers` has the needs of each, producers
        first."""
        facts: dict[str, Any] = read_json(self.out / "environment.json")
        return facts

    @property
    def order(self) -> list[str]:
        """The names of all tiers, producers first."""
        return list(self.facts["tiers"])

    @cached_property
    def selected(self) -> list[str]:
        """The tiers in TIER, producers first; all of them without TIER."""
        named = self._variable("TIER").split()
        return [tier for tier in self.order if not named or tier in named]

    def tier(self, name: str) -> Tier:
        return Tier(self, name)

    def tiers(self, names: Iterable[str] | None = None) -> list[Tier]:
        """The named tiers, or the selected ones."""
        return [Tier(self, name) for name in (self.selected if names is None else names)]

    @property
    def target(self) -> str:
        """`aws`, or `rehearsal` if the spec or REHEARSE selects it."""
        asked = self._variable("REHEARSE") in ("yes", REHEARSAL)
        return REHEARSAL if asked else str(self.facts["target"])

    @property
    def rehearsed(self) -> bool:
        return self.target == REHEARSAL

    @property
    def states(self) -> Path:
        """The folder of the states and of the simulated account of a rehearsal."""
        return Path(self._variable("STATES", f".rehearsal/{self.environment}"))

    @property
    def forecasts(self) -> Path:
        return self.out / "forecast"

    @property
    def spec(self) -> Path:
        return Path("environments", f"{self.environment}.yaml")

    @property
    def reviewed(self) -> Path:
        """The report that an apply uses."""
        return Path(self._variable("REPORT", str(self.out / "report.json")))

    @property
    def shown(self) -> Path:
        """The effects of the plans of each tier in the report, which the user approves."""
        return self.out / "shown.json"

    @property
    def terraform(self) -> str:
        local = ROOT / ".venv" / "bin" / "terraform"
        return self._variable("TERRAFORM", ".venv/bin/terraform" if local.exists() else "terraform")

    @property
    def lock(self) -> str:
        """The lock to remove."""
        return self._variable("LOCK")

    @property
    def lock_timeout(self) -> str:
        return self._variable("LOCK_TIMEOUT", "60s")

    @property
    def locked_providers(self) -> Path | None:
        """The lock file of the providers, on AWS and if there is one."""
        file = Path("environments", "providers.lock.hcl")
        return file if not self.rehearsed and file.exists() else None

    @property
    def approval(self) -> str:
        """The answer given in advance: `yes`, or the name of the environment for a destroy."""
        return self._variable("APPROVE")

    @property
    def detailed(self) -> bool:
        return self._variable("DETAILED") == "yes"

    @property
    def verbose(self) -> bool:
        return self._variable("VERBOSE") == "yes"

    @property
    def unprotected(self) -> bool:
        """Whether a dress rehearsal removes deletion protection."""
        return self._variable("OVERRIDE") == "--unprotected"

    def command(self, goal: str, tiers: Iterable[str] = ()) -> str:
        """The command of the user: `make plan ENV=dev TIER="network data"`."""
        words = ["make", goal, f"ENV={self.environment}"]
        if named := list(tiers):
            words.append(f"TIER={named[0]}" if len(named) == 1 else f'TIER="{" ".join(named)}"')
        if self._variable("REHEARSE") == "yes":
            words.append("REHEARSE=yes")
        if " TERRAFORM=" in self._variable("MAKEFLAGS"):  # given to make, and not by the shell
            words.append(f"TERRAFORM={self.terraform}")
        return " ".join(words)


@dataclass(frozen=True)
class Tier:
    """A tier of an environment, and every file of its folder."""

    workspace: Workspace
    name: str

    @property
    def selected(self) -> bool:
        return self.name in self.workspace.selected

    @property
    def needs(self) -> list[Tier]:
        return [Tier(self.workspace, name) for name in self.workspace.facts["tiers"][self.name]]

    @property
    def reads(self) -> list[Tier]:
        """The tiers whose states the configuration reads: perhaps not all that it needs."""
        states = self.configured().get("data", {}).get("terraform_remote_state", {})
        return [Tier(self.workspace, name) for name in states]

    @property
    def consumers(self) -> list[Tier]:
        """The tiers that read outputs of this one."""
        graph = self.workspace.facts["tiers"]
        return [Tier(self.workspace, name) for name, needs in graph.items() if self.name in needs]

    @property
    def folder(self) -> Path:
        """The root module: terraform's working directory."""
        return self.workspace.out / "stacks" / self.name

    @property
    def configuration(self) -> Path:
        return self.folder / GENERATED

    @property
    def override(self) -> Path:
        """The override that terraform merges over the configuration in a rehearsal."""
        return self.folder / OVERRIDE

    @property
    def plan(self) -> Path:
        """The saved plan."""
        return self.folder / "plan.tfplan"

    @property
    def plan_json(self) -> Path:
        """The plan as `terraform show -json` prints it, or that of a forecast."""
        return self.folder / "plan.json"

    @property
    def planned_configuration(self) -> Path:
        """The configuration that was planned."""
        return self.folder / "plan.config"

    @property
    def own(self) -> Path:
        """The declarations of own Terraform of the tier, if there is any (modules/own/terraform.py)."""
        return self.folder / own.INDEX

    @property
    def planned_own(self) -> Path:
        """The same for the planned configuration."""
        return self.folder / own.PLANNED

    @property
    def plan_log(self) -> Path:
        return self.folder / "plan.log"

    @property
    def seal(self) -> Path:
        """Checksums of the plan and of its inputs: a plan without them was not finished."""
        return self.folder / "plan.seal"

    @property
    def forecast(self) -> Path:
        """Marks plan.json as a forecast."""
        return self.folder / "forecast"

    @property
    def applied(self) -> Path:
        """The seal of the last applied plan, until the tier is planned again."""
        return self.folder / "applied"

    @property
    def applied_json(self) -> Path:
        """The last applied plan, as `terraform show -json` prints it."""
        return self.folder / "applied.json"

    @property
    def apply_log(self) -> Path:
        return self.folder / "apply.log"

    @property
    def journal(self) -> Path:
        """The output of an apply while it runs, and afterwards if it failed."""
        return self.folder / "journal"

    @property
    def errored(self) -> Path:
        """The state that terraform could not store in the backend."""
        return self.folder / "errored.tfstate"

    @property
    def outputs(self) -> Path:
        """The outputs in the state when it was last read."""
        return self.folder / "outputs.json"

    @property
    def state_json(self) -> Path:
        """The state as `terraform show -json` prints it."""
        return self.folder / "state.json"

    @property
    def drift_json(self) -> Path:
        """A refresh-only plan."""
        return self.folder / "drift.plan.json"

    @property
    def waiting_json(self) -> Path:
        """A plan of the configuration on the present state."""
        return self.folder / "waiting.plan.json"

    @property
    def held_back(self) -> Path:
        """Resources that an apply did not remove yet, because other tiers still used them; see order.py."""
        return self.folder / "held"

    @property
    def held_override(self) -> Path:
        """Makes outputs refer to resources while a plan leaves some of those out."""
        return self.folder / "held_override.tf.json"

    @property
    def waits(self) -> Path:
        """Changes that a plan ignores because they wait for a maintenance window; see waits.py."""
        return self.folder / "plan.waits"

    @property
    def waits_override(self) -> Path:
        """The override that makes a plan ignore waiting changes."""
        return self.folder / "waits_override.tf.json"

    @property
    def imports(self) -> Path:
        """Import blocks that `make import` wrote."""
        return self.folder / "import.tf.json"

    @property
    def carried(self) -> list[Path]:
        """The subfolders of the root module."""
        return [path for name in CARRIED if (path := self.folder / name).exists()]

    @property
    def own_files(self) -> list[Path]:
        """Own Terraform, as it was copied into the root module."""
        return sorted(path for pattern in own.FILES for path in self.folder.glob(pattern))

    @property
    def scratch(self) -> Path:
        """The root module on the embedded provider."""
        return self.workspace.forecasts / self.name

    @property
    def scratch_state(self) -> Path:
        """The future state of the tier, as far as other tiers need it; made by the last plan."""
        return self.scratch / "scratch.tfstate"

    @property
    def local_state(self) -> Path:
        """The state of a rehearsal."""
        return self.workspace.states / f"{self.name}.tfstate"

    def configured(self) -> dict[str, Any]:
        """The generated configuration, merged with own Terraform."""
        return own.merged(read_json(self.configuration), own.declared(self.own))

    def keep_configuration(self) -> None:
        """Keeps a copy of the configuration that is going to be planned."""
        shutil.copyfile(self.configuration, self.planned_configuration)
        self.planned_own.unlink(missing_ok=True)
        if self.own.exists():
            shutil.copyfile(self.own, self.planned_own)

    def kept_configuration(self) -> dict[str, Any]:
        """The planned configuration; empty if nothing was planned."""
        if not self.planned_configuration.exists():
            return {}
        return own.merged(read_json(self.planned_configuration), own.declared(self.planned_own))

    def forget_plan(self) -> None:
        """Removes the plan and its files."""
        for left in self.folder.glob("plan.*"):
            left.unlink()
        for left in (self.forecast, self.held_override, self.waits_override):
            left.unlink(missing_ok=True)


def read_json(file: Path) -> Any:
    """The content of a JSON file of the output. Raises Failed if it is incomplete."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Failed(
            f"{file.as_posix()}: the file is damaged: {error}\n  remedy: make clean, then make plan"
        ) from None


def private(file: Path, text: str) -> None:
    """Writes a file that may contain secrets atomically; only its owner can read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as to:
        to.write(text)
    os.replace(beside, file)
