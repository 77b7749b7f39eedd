"""Resource amounts in the notation of Kubernetes: 250m, 1.5, 512Mi, 1e3.

Source: kubernetes/apimachinery, pkg/api/resource/quantity.go, the grammar at the type Quantity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rehearsal.charts.manifests import mapping

SOURCE = "Kubernetes, pkg/apis/core/validation/validation.go, ValidateResourceRequirements"
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d+)?")
_SUFFIXES = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def quantity(value: Any) -> Decimal | None:
    """The amount; None for an invalid one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if not match:
        return None
    amount, suffix = Decimal(match[1]), match[2] or ""
    if suffix.endswith("i"):
        return amount * Decimal(1024 ** (1 + "KMGTPE".index(suffix[0])))
    if suffix in _SUFFIXES:
        return amount.scaleb(_SUFFIXES[suffix])
    exponent = int(suffix[1:]) if suffix else 0
    return amount.scaleb(exponent)


def requirements(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """What Kubernetes refuses in `resources` of a container: each path and the problem there."""
    given = mapping(value)
    for side in ("limits", "requests"):
        for name, text in mapping(given.get(side)).items():
            amount = quantity(text)
            if text is None or (isinstance(text, str) and "{{" in text):
                continue
            if amount is None:
                yield f"{path}.{side}.{name}", f"must be a quantity such as 250m or 512Mi, got {text!r}"
            elif amount < 0:
                yield f"{path}.{side}.{name}", f"must be greater than or equal to 0, got {text}"
    limits = mapping(given.get("limits"))
    for name, text in mapping(given.get("requests")).items():
        requested, most = quantity(text), quantity(limits.get(name))
        if requested is not None and most is not None and requested > most:
            message = f"must be less than or equal to the {name} limit of {limits[name]}, got {text}"
            yield f"{path}.requests.{name}", message
