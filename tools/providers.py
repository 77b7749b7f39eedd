"""The lock file of the providers: made in one place for all tiers, and put beside each root module.

    python -m tools.providers gather OUT FOLDER    a root module in FOLDER that requires what all tiers do
    python -m tools.providers place LOCK OUT       the part of LOCK that each tier requires, as terraform's
                                                   own lock file beside its configuration

terraform takes a lock file as it is (-lockfile=readonly) only if it names the providers of the module and no
others.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from rehearsal.files import write

LOCKED = ".terraform.lock.hcl"
REGISTRY = "registry.terraform.io"
BLOCK = re.compile(r'^provider "(?P<address>[^"]+)" \{\n.*?^\}\n', re.M | re.S)


def main() -> int:
    verb, first, second = sys.argv[1:]
    if verb == "gather":
        gather(Path(first), Path(second))
    else:
        place(Path(first), Path(second))
    return 0


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


if __name__ == "__main__":
    sys.exit(main())
