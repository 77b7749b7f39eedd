"""Sections that a spec may turn off: `documentdb: off`."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator, GetJsonSchemaHandler
from pydantic_core import CoreSchema

OFF = "off"


def is_off(value: Any) -> bool:
    """Whether a value is `off`, or false, which YAML 1.1 makes of it."""
    return value is False or value == OFF


def may_be_off(value: Any) -> Any:
    """None for `off`; an empty value means the defaults."""
    if value is None:
        return {}
    return None if is_off(value) else value


class _Written:
    """The schema for editors: the section, `off`, or nothing below the key."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        section, nothing = handler(core)["anyOf"]
        return {"anyOf": [section, {"const": OFF, "type": "string"}, nothing]}


# For `Annotated[Section | None, *MAY_BE_OFF]`; None for `off`.
MAY_BE_OFF = (BeforeValidator(may_be_off), _Written())
