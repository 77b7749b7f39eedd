"""The applied sandbox with plans that make most of it smaller, for tests of reports and of the diagram."""

from __future__ import annotations

import re
from pathlib import Path

from support.project import Copy, applied, succeeded
from support.sharing import once

EDITS = {
    "zones: [a, b, c]": "zones: [a, b]",
    "class: db.t4g.medium, storage_gb": "class: db.t4g.large, multi_az: false, replicas: 1, storage_gb",
    "node_type: cache.t4g.small": "node_type: cache.t4g.small, nodes: 1",
    "class: db.t4g.medium, backup_days": "class: db.t4g.medium, instances: 2, backup_days",
    "instance_type: t3.medium, min: 3": "instance_type: t4g.medium, min: 2",
}
MORE = """
edge:
  waf: {rules: {sqli: "off", common: count}, allowed_addresses: [128.0.0.0/1]}
systems:
  sistema-1: {framework: django, replicas: 2, needs: [postgres, redis, files], path: /one}
"""


def shrunk() -> Path:
    return once("shrunk", _plan)


def _plan(folder: Path) -> None:
    project = Copy(folder, applied())
    for old, new in EDITS.items():
        project.edit(old, new)
    spec = project.folder / "environments" / "sandbox.yaml"
    spec.write_text(re.sub(r"\nsystems:.*?\n\n", "\n", spec.read_text(), flags=re.DOTALL) + MORE)
    succeeded(project.make("plan"))
