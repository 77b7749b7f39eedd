"""The provider process: `python -m rehearsal aws` (or helm), which terraform starts in the root module."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.needed import NAMES, configured_once
from tierra.bindings.terraform import REGISTRIES

if TYPE_CHECKING:
    from rehearsal.provider import Provider


def main() -> int:
    from rehearsal.handshake import serve

    try:
        provider = _provider(sys.argv[1])
    except ValueError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return serve(provider)


def provide_running(answer: Callable[[bytes], object]) -> int:
    """Serves all providers of the root module in the current folder until SIGTERM, after an answer with the
    value of TF_REATTACH_PROVIDERS; without an answer if one process cannot be all of them.
    Source: docs/plugin-protocol and internal/command/meta_providers.go of hashicorp/terraform.
    """
    from rehearsal.handshake import serve_running

    if not configured_once(Path.cwd()):
        return 1

    def announce(addresses: dict[str, str]) -> None:
        value = {
            f"{registry}/hashicorp/{name}": {
                "Protocol": "grpc",
                "ProtocolVersion": 6,
                "Pid": os.getpid(),
                "Test": True,  # terraform does not end it
                "Addr": {"Network": "unix", "String": address},
            }
            for name, address in addresses.items()
            for registry in REGISTRIES.values()
        }
        answer(json.dumps(value).encode() + b"\n")

    return serve_running({name: _provider(name) for name in NAMES}, announce)


def _provider(name: str) -> Provider:
    from rehearsal.catalog import Catalog, catalog_path
    from rehearsal.cloud import Cloud
    from rehearsal.provider import Provider

    memory = os.environ.get("REHEARSAL_CLOUD")
    return Provider(name, Catalog(catalog_path()), Cloud(Path(memory) if memory else None), Path.cwd())


if __name__ == "__main__":
    sys.exit(main())
