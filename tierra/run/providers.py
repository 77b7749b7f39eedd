"""The lock file of the providers: made in one place for all tiers, and put beside each root module.

terraform takes a lock file as it is (-lockfile=readonly) only if it names the providers of the module and no
others.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

from tierra.run.terraform import Terraform
from tierra.run.workspace import Workspace, write

LOCKED = ".terraform.lock.hcl"
REGISTRY = "registry.terraform.io"
BLOCK = re.compile(r'^provider "(?P<address>[^"]+)" \{\n.*?^\}\n', re.M | re.S)


PLATFORMS = "linux_amd64 linux_arm64 darwin_amd64 darwin_arm64"


def lock(workspace: Workspace) -> None:
    """Writes environments/providers.lock.hcl, on a machine that reaches the registry. Raises Failed."""
    folder = workspace.out / "lock"
    shutil.rmtree(folder, ignore_errors=True)
    gather(workspace.out, folder)
    terraform = Terraform(workspace.tier(workspace.order[0]), "lock", folder)
    variables = workspace.variables
    options = [f"-platform={name}" for name in (variables.get("PLATFORMS") or PLATFORMS).split()]
    if mirror := variables.get("MIRROR"):
        options.append(f"-fs-mirror={Path(mirror).absolute()}")
    print(shlex.join(terraform.command("providers", "lock", *options)), flush=True)
    terraform.run(["providers", "lock", *options], folder / "lock.log", doing="terraform providers lock")
    shutil.copyfile(folder / LOCKED, Path("environments", "providers.lock.hcl"))
    print("lock: environments/providers.lock.hcl is written; from now on plans take these providers only")


def gather(out: Path, folder: Path) -> None:
    """Writes `main.tf.json`. Tiers of one environment agree on versions: they come from the same bindings."""
    required: dict[str, Any] = {}
    for module in sorted(out.glob("stacks/*/cdk.tf.json")):
        required |= json.loads(module.read_text())["terraform"]["required_providers"]
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {"terraform": {"required_providers": dict(sorted(required.items()))}}
    write(folder / "main.tf.json", json.dumps(configuration, indent=2) + "\n")


def place(lock: Path, out: Path) -> None:
    """Writes the lock file of every tier. A provider that the lock lacks is missing there, and terraform says
    so."""
    blocks = {found["address"]: found[0] for found in BLOCK.finditer(lock.read_text())}
    for module in sorted(out.glob("stacks/*/cdk.tf.json")):
        required = json.loads(module.read_text())["terraform"]["required_providers"]
        addresses = sorted(_address(provider["source"]) for provider in required.values())
        text = "\n".join(blocks[address] for address in addresses if address in blocks)
        write(module.parent / LOCKED, text)


def _address(source: str) -> str:
    """The full address of a provider: `aws` is registry.terraform.io/hashicorp/aws."""
    parts = source.split("/")
    return "/".join([*(REGISTRY, "hashicorp")[: 3 - len(parts)], *parts])
