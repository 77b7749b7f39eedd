"""Instance classes and node types in a spec: only those that AWS offers, with a suggestion for others."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from pydantic import WithJsonSchema

from tierra.validation.messages import choices
from tierra.validation.model import rule_error


def sold_by(service: str, sold: Callable[[], frozenset[str]], example: str) -> Callable[[str], str]:
    """A validator for the name of a class; `sold` is only called if a spec names one."""
    prefix = example.partition(".")[0]

    def validate(name: str) -> str:
        if name in sold():
            return name
        corrected = name.lower() if name.lower().startswith(f"{prefix}.") else f"{prefix}.{name.lower()}"
        family = corrected.rpartition(".")[0]
        sizes = sorted(candidate for candidate in sold() if candidate.rpartition(".")[0] == family)
        if corrected in sold():
            raise rule_error(f"a class of {service} must be written like {example}", f"write {corrected}")
        if sizes:
            raise rule_error(
                f"the size must be one that {service} has of {family}", f"write {_some(corrected, sizes)}"
            )
        raise rule_error(
            f"the class must be one that {service} offers", f"write {_some(corrected, sorted(sold()))}"
        )

    return validate


def written_like(example: str) -> WithJsonSchema:
    """JSON schema for editors: the pattern of a class, not the list, which is long and grows."""
    pattern = rf"^{example.partition('.')[0]}\.[a-z0-9]+\.[a-z0-9]+$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


def _some(name: str, sold: list[str]) -> str:
    close = difflib.get_close_matches(name, sold, n=3, cutoff=0.5) or sold[:3]
    return choices(close)
