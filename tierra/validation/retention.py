"""How long CloudWatch Logs can keep a log group."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.validation.model import rule_error

# The values CloudWatch Logs accepts for the retention of a log group (botocore: logs, shape Days).
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def _retention(days: int) -> int:
    if days in RETENTION_DAYS:
        return days
    longer = next((legal for legal in RETENTION_DAYS if legal > days), RETENTION_DAYS[-1])
    rule = f"days must be one of {', '.join(map(str, RETENTION_DAYS))}, which CloudWatch Logs accepts"
    raise rule_error(rule, f"write {longer}")


RetentionDays = Annotated[
    int, AfterValidator(_retention), WithJsonSchema({"type": "integer", "enum": list(RETENTION_DAYS)})
]
