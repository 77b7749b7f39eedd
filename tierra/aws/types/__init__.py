"""What Tierra knows of each type of resource: one entry a type, which reports, runs and the rehearsal read.

What needs code to say stands with that code: what becomes of data by the arguments of a resource
(`tierra/report/holdings.py`), prices (`tierra/report/costs/`), the picture (`tierra/diagram/`), and how AWS
and its provider answer (`rehearsal/`).
"""

from __future__ import annotations

from collections.abc import Mapping

from tierra.aws.types import compute, data, edge, network, rights, storage, watching
from tierra.aws.types.entry import Type

FAMILIES = (compute, data, network, edge, storage, rights, watching)
TYPES: Mapping[str, Type] = {name: entry for family in FAMILIES for name, entry in family.TYPES.items()}
_NOTHING = Type()


def known(terraform_type: str) -> Type:
    """The entry of a type; one that says nothing where there is none."""
    return TYPES.get(terraform_type, _NOTHING)
