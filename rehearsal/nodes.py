"""Changes the desired size of a node group of the simulated account, as autoscaling or `aws eks
update-nodegroup-config` does in a real one: terraform plans only the minimum and the maximum.

`python -m rehearsal.nodes .rehearsal/<env>/cloud.sqlite GROUP NUMBER`
"""

from __future__ import annotations

import sys
from pathlib import Path

from rehearsal.cloud import Cloud

TYPE = "aws_eks_node_group"


def want(cloud: Cloud, group: str, number: int) -> bool:
    """Sets the desired size of a group; the minimum or the maximum is moved if necessary. False when
    there is no such group."""
    for state in cloud.all(TYPE):
        if state.get("node_group_name") == group:
            scaling = dict(state["scaling_config"][0])
            scaling["min_size"] = min(scaling["min_size"], number)
            scaling["max_size"] = max(scaling["max_size"], number)
            state["scaling_config"] = [{**scaling, "desired_size": number}]
            cloud.put(TYPE, f"{state.get('region') or 'global'}/{state['id']}", state)
            return True
    return False


def main() -> int:
    path, group, number = sys.argv[1:]
    if not number.isdecimal() or not Path(path).exists() or not want(Cloud(Path(path)), group, int(number)):
        sys.stderr.write(f"nodes: {path} has no node group {group}, or {number} is no number of nodes\n")
        return 1
    sys.stdout.write(f"nodes: {group} wants {number}; make plan again\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
