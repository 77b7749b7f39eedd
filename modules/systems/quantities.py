"""Amounts of CPU and memory in the notation of Kubernetes, stored as whole numbers."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from tierra.validation.model import rule_error

MOST_CPU = 64_000  # millicores; the maximum of ordinary nodes
MOST_MEMORY = 512 * 1024  # MiB

# Unit of a memory amount -> bytes.
_BYTES = {
    **{unit: 1024**power for power, unit in enumerate(("Ki", "Mi", "Gi"), start=1)},
    **{unit: 1000**power for power, unit in enumerate(("k", "M", "G"), start=1)},
}
_CPU_RULE = "processor time must be a number of cores, or of thousandths with an m"
_MEMORY_RULE = "memory must be a whole number with a unit: Mi or Gi"


def _millicores(value: Any) -> Any:
    """`250m`, `"0.25"` and `0.25` are 250. Other types are left to the type check."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    match = re.fullmatch(r"([0-9]{1,6})m|([0-9]{1,3}(?:\.[0-9]{1,3})?)", str(value).strip())
    if not match:
        raise rule_error(_CPU_RULE, "write it like 250m, which is a quarter of a core")
    amount = int(match[1]) if match[1] else int(Fraction(match[2]) * 1000)
    if not 1 <= amount <= MOST_CPU:
        raise rule_error(f"{_CPU_RULE}, from 1m to {MOST_CPU // 1000}", "write it like 250m")
    return amount


def _mebibytes(value: Any) -> Any:
    """`512Mi` is 512 and `1Gi` is 1024; decimal units are rounded up."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    text = str(value).strip()
    match = re.fullmatch(r"([0-9]{1,9})(Ki|Mi|Gi|k|M|G)", text)
    if not match:
        guess = re.match(r"([0-9]{1,6})\s*([MmGg])?", text)
        raise rule_error(
            _MEMORY_RULE, f"write {guess[1]}{(guess[2] or 'M').upper()}i" if guess else "write 512Mi"
        )
    amount = -(-int(match[1]) * _BYTES[match[2]] // _BYTES["Mi"])
    if not 1 <= amount <= MOST_MEMORY:
        raise rule_error(f"{_MEMORY_RULE}, from 1Mi to {MOST_MEMORY // 1024}Gi", "write it like 512Mi")
    return amount


Cpu = Annotated[
    Annotated[int, Field(ge=1, le=MOST_CPU)],
    BeforeValidator(_millicores),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": "^[0-9]+(m|\\.[0-9]+)?$"}, {"type": "number"}],
            "examples": ["250m"],
        }
    ),
]
Memory = Annotated[
    Annotated[int, Field(ge=1, le=MOST_MEMORY)],
    BeforeValidator(_mebibytes),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+(Ki|Mi|Gi|k|M|G)$", "examples": ["512Mi"]}),
]
