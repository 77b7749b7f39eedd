"""The lock file of the providers: written once for all tiers, and copied beside each root module.

Terraform and OpenTofu have different registries, with different builds of the same providers: the file
contains blocks of both, and each program gets its own. Both accept a lock file unchanged (-lockfile=readonly)
only if it names the providers of the module and no others.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

from tierra.bindings.terraform import REGISTRIES
from tierra.run import program
from tierra.run.terraform import LOCK, Terraform
from tierra.run.workspace import Failed, Workspace, write

BLOCK = re.compile(r'^provider "(?P<address>[^"]+)" \{\n.*?^\}\n', re.M | re.S)


HEADER = (
    "# Written by make lock: the providers that plans use, from the registries of Terraform and OpenTofu.\n\n"
)
PLATFORMS = "linux_amd64 linux_arm64 darwin_amd64 darwin_arm64"


def lock(workspace: Workspace) -> None:
    """Writes environments/providers.lock.hcl, on a machine that reaches the registry; blocks of the other
    registry stay. Raises Failed."""
    ours = program.of(workspace)
    folder = workspace.out / "lock"
    shutil.rmtree(folder, ignore_errors=True)
    gather(workspace.out, folder)
    terraform = Terraform(workspace.tier(workspace.order[0]), "lock", folder)
    variables = workspace.variables
    options = [f"-platform={name}" for name in (variables.get("PLATFORMS") or PLATFORMS).split()]
    if mirror := variables.get("MIRROR"):
        options.append(f"-fs-mirror={Path(mirror).absolute()}")
    print(shlex.join(terraform.command("providers", "lock", *options)), flush=True)
    terraform.run(
        ["providers", "lock", "-no-color", *options],
        folder / "lock.log",
        doing=f"{ours.command} providers lock",
    )
    file = Path("environments", "providers.lock.hcl")
    locked = blocks(folder / LOCK)
    others = {
        address: block
        for address, block in blocks(file).items()
        if not address.startswith(f"{ours.registry}/")
    }
    write(file, HEADER + "\n".join(block for _, block in sorted({**others, **locked}.items())))
    print(f"lock: {file} is written; from now on plans of {ours.name} use these providers only")
    for address, block in sorted(others.items()):
        mine = locked.get(address.replace(address.split("/")[0], ours.registry, 1), "")
        if mine and version(mine) != version(block):
            source = next(name for name, host in REGISTRIES.items() if address.startswith(f"{host}/"))
            print(
                f"lock: {address} stays {version(block)}, and this is {version(mine)}:"
                f" make lock with {source}"
            )


def blocks(file: Path) -> dict[str, str]:
    """The blocks of a lock file by the full address of their provider; none if there is no file."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return {match["address"]: match[0] for match in BLOCK.finditer(text)}


def version(block: str) -> str:
    match = re.search(r'^\s*version\s*=\s*"([^"]+)"', block, re.M)
    return match[1] if match else ""


def gather(out: Path, folder: Path) -> None:
    """Writes `main.tf.json`. Tiers of one environment agree on versions: they come from the same bindings."""
    required: dict[str, Any] = {}
    for module in sorted(out.glob("stacks/*/cdk.tf.json")):
        required |= json.loads(module.read_text())["terraform"]["required_providers"]
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {"terraform": {"required_providers": dict(sorted(required.items()))}}
    write(folder / "main.tf.json", json.dumps(configuration, indent=2) + "\n")


def write_to_tiers(lock: Path, workspace: Workspace) -> None:
    """Writes the lock file of every tier. A provider that the lock lacks is missing there, and terraform
    reports it. Raises Failed if the lock has none of the program's registry."""
    ours, out = program.of(workspace), workspace.out
    locked = blocks(lock)
    if not any(address.startswith(f"{ours.registry}/") for address in locked):
        raise Failed(
            f"{workspace.environment}: {lock} has no providers of {ours.registry},"
            f" where {ours.name} gets its own\n"
            f"  remedy: make lock ENV={workspace.environment} TERRAFORM={workspace.terraform},"
            " and commit the file"
        )
    for module in sorted(out.glob("stacks/*/cdk.tf.json")):
        required = json.loads(module.read_text())["terraform"]["required_providers"]
        addresses = sorted(_address(provider["source"], ours.registry) for provider in required.values())
        text = "\n".join(locked[address] for address in addresses if address in locked)
        write(module.parent / LOCK, text)


def _address(source: str, registry: str) -> str:
    """The full address of a provider: `aws` is hashicorp/aws of the program's registry."""
    parts = source.split("/")
    return "/".join([*(registry, "hashicorp")[: 3 - len(parts)], *parts])
