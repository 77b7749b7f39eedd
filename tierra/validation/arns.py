"""ARNs as values of a spec."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from tierra.validation.model import rule_error


def arn_pattern(service: str, resource: str, partition: str = "aws[a-z-]*") -> str:
    """What the ARNs of a service match, for resources of a region and an account."""
    return rf"arn:{partition}:{service}:[a-z0-9-]+:[0-9]{{12}}:{resource}"


@dataclass(frozen=True)
class Arn:
    """Annotates text that must match a pattern in full: with this rule and remedy in a spec, by the pattern
    alone in the schema of editors."""

    pattern: str
    rule: str
    remedy: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern}$"}

    def _checked(self, arn: str) -> str:
        if re.fullmatch(self.pattern, arn):
            return arn
        raise rule_error(self.rule, self.remedy)
