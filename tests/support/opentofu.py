"""A program that behaves as OpenTofu and runs Terraform: OpenTofu is in no package registry for tests
(docs/decisions/0009-opentofu.md).
"""

from __future__ import annotations

import shutil
from pathlib import Path

VERSION = "1.11.1"
# opentofu/opentofu, internal/command/views/version.go: no `terraform_outdated`, and "OpenTofu" in the text.
# In lock files, plans and states, providers without a host are from the registry of OpenTofu.
PROGRAM = """#!/bin/sh
case "$*" in
version) printf 'OpenTofu v{version}\\non linux_amd64\\n'; exit ;;
"version -json")
  echo '{{"terraform_version": "{version}", "platform": "linux_amd64", "provider_selections": {{}}}}'
  exit ;;
esac
echo "$*" >>{calls}
locked=${{1#-chdir=}}/.terraform.lock.hcl
rename() {{ [ ! -f "$locked" ] || sed -i "s|$1/hashicorp|$2/hashicorp|" "$locked"; }}
rename registry.opentofu.org registry.terraform.io
if [ "$2 $3" = "show -json" ]; then
  {terraform} "$@" >{calls}.shown; code=$?
  sed "s|registry.terraform.io/hashicorp|registry.opentofu.org/hashicorp|g" {calls}.shown
else
  {terraform} "$@"; code=$?
fi
rename registry.terraform.io registry.opentofu.org
exit $code
"""


def tofu(folder: Path, version: str = VERSION) -> Path:
    """The program `tofu` in a folder; it writes its calls into the file `calls` beside it."""
    folder.mkdir(exist_ok=True)
    file = folder / "tofu"
    text = PROGRAM.format(
        version=version, calls=folder / "calls", terraform=shutil.which("terraform") or "terraform"
    )
    file.write_text(text)
    file.chmod(0o755)
    return file
