"""Opens the maintenance windows of the simulated account: waiting changes take effect.

`python -m rehearsal.window .rehearsal/<env>/cloud.sqlite`
"""

from __future__ import annotations

import sys
from pathlib import Path

from rehearsal.cloud import Cloud
from rehearsal.engines import open_window


def main() -> int:
    path = Path(sys.argv[1])
    if not path.exists():
        sys.stderr.write(f"window: there is no account {path}: rehearse an apply first\n")
        return 1
    changed = open_window(Cloud(path))
    sys.stdout.write("".join(f"window: {line}\n" for line in changed) or "window: nothing waits\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
