"""What Tierra knows about each type of resource: one entry per type, read by reports, runs and the rehearsal.

Knowledge that needs code is with that code: what happens to data by the arguments of a resource
(`tierra/report/holdings.py`), prices (`tierra/report/costs/`), the picture (`tierra/diagram/`), and the
behaviour of AWS and its provider (`rehearsal/`).
"""

from __future__ import annotations

from collections.abc import Mapping

from tierra.aws.types import compute, data, edge, network, rights, storage, watching
from tierra.aws.types.entry import Type

FAMILIES = (compute, data, network, edge, storage, rights, watching)
TYPES: Mapping[str, Type] = {name: entry for family in FAMILIES for name, entry in family.TYPES.items()}
_NOTHING = Type()


def known(terraform_type: str) -> Type:
    """The entry of a type; an empty one if there is none."""
    return TYPES.get(terraform_type, _NOTHING)
