"""The provider process: `python -m rehearsal aws` (or helm), which terraform starts in the root module."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> int:
    from rehearsal.catalog import Catalog, catalog_path
    from rehearsal.cloud import Cloud
    from rehearsal.handshake import serve
    from rehearsal.provider import Provider

    name = sys.argv[1]
    memory = os.environ.get("REHEARSAL_CLOUD")
    try:
        cloud = Cloud(Path(memory) if memory else None)
        provider = Provider(name, Catalog(catalog_path()), cloud, Path.cwd())
    except ValueError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return serve(provider)


if __name__ == "__main__":
    sys.exit(main())
