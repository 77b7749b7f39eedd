"""Letters of availability zones: the values of `network.zones`, and keys of subnets."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from tierra.validation.model import rule_error

LETTERS = "abcdef"
ALONE = "write only the letter: [a, b, c]"


def _letter(value: Any) -> Any:
    if not isinstance(value, str) or value in tuple(LETTERS):
        return value
    match = re.fullmatch(r"(?:[a-z]{2,4}(?:-[a-z]+)+-\d)?([a-f])", value.strip().lower())
    remedy = f"write {match[1]}" if match else ALONE if len(value) > 1 else "write a letter from a to f"
    raise rule_error("a zone must be the last letter of its name, from a to f", remedy)


Letter = Annotated[str, BeforeValidator(_letter), WithJsonSchema({"type": "string", "enum": list(LETTERS)})]
