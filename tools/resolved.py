"""`python -m tools.resolved environments/ENV.yaml` prints a spec merged with what it extends, as one YAML
file."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from modules.loader import load
from tierra.validation.errors import SpecError
from tierra.validation.extends import resolved
from tierra.validation.upgrades import LATEST


def main() -> int:
    path = Path(sys.argv[1])
    try:
        load(path)
        keys = {key: value for key, value in resolved(path)[0].data.items() if key != "extends"}
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    spec = {"version": LATEST, **keys}
    print(yaml.safe_dump(spec, sort_keys=False, allow_unicode=True), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
