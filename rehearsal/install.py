"""Puts the rehearsal providers where terraform finds them: `python -m rehearsal.install`.

Below `.rehearsal/` of the project:

    catalog.sqlite     every type of the providers
    mirror/            a filesystem mirror with a provider executable each
    terraform.rc       the CLI configuration that points terraform at the mirror
    python             the interpreter that the executables start
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from rehearsal.catalog import build, catalog_path
from tierra.bindings import providers
from tierra.bindings.terraform import REGISTRIES
from tierra.files import write

ROOT = Path(__file__).resolve().parents[1]
# OpenTofu uses its own registry for the same providers.
HOSTS = [f"{host}/hashicorp" for host in REGISTRIES.values()]
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

# The text is the same on every machine, so terraform's lock file is too: what differs (the path of Python) is
# in a file beside it.
EXECUTABLE = """#!/bin/sh
# Tierra's rehearsal provider: answers terraform as hashicorp/{name} {version} without a cloud.
here=$(CDPATH= cd -P "${{0%/*}}" && pwd -P)
home=${{here%/mirror/*}}
read -r python <"$home/python" || [ "$python" ]
trap '' INT  # terraform decides what an interrupt means
export PYTHONPATH="${{home%/*}}" PYTHONNOUSERSITE=1 PYTHONSAFEPATH=1
exec "$python" -ISB "${{home%/*}}/rehearsal/attach.py" {name}
"""
CONFIGURATION = """# Written by python -m rehearsal.install: hashicorp/aws and hashicorp/helm are rehearsed.
disable_checkpoint = true
provider_installation {{
  filesystem_mirror {{
    path    = "{mirror}"
    include = [{providers}]
  }}
  direct {{
    exclude = [{providers}]
  }}
}}
"""


def main() -> None:
    home = catalog_path().parent
    home.mkdir(exist_ok=True)
    for name in providers.PACKAGES:
        for host in HOSTS:
            executable(home / "mirror" / host, name, providers.version(name))
    build(catalog_path())
    write(home / "python", sys.executable)
    named = ", ".join(f'"{host}/{name}"' for host in HOSTS for name in providers.PACKAGES)
    write(home / "terraform.rc", CONFIGURATION.format(mirror=home / "mirror", providers=named))


def executable(folder: Path, name: str, version: str) -> Path:
    """Write the executable that terraform starts as the provider `name` of that version, below the folder of
    a registry in the mirror."""
    folder = folder / name / version / target()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"terraform-provider-{name}_v{version}"
    write(file, EXECUTABLE.format(name=name, version=version))
    file.chmod(0o755)
    return file


def target() -> str:
    """This machine as terraform names it, such as linux_amd64."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{MACHINES.get(machine, machine)}"


if __name__ == "__main__":
    main()
