"""Service level objectives of every system: how many requests succeed, and how many are fast."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from tierra.validation.model import Model, rule_error

# The limits of Kong's latency histogram (kong/plugins/prometheus/exporter.lua of 3.9,
# UPSTREAM_LATENCY_BUCKETS); objectives at other limits could only be estimated.
MILLISECONDS = (25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10000, 30000, 60000)


def _counted(milliseconds: int) -> int:
    if milliseconds not in MILLISECONDS:
        nearest = min(MILLISECONDS, key=lambda bucket: abs(bucket - milliseconds))
        rule = f"must be one of {', '.join(map(str, MILLISECONDS))}, the milliseconds that Kong counts"
        raise rule_error(rule, f"write {nearest}")
    return milliseconds


Milliseconds = Annotated[
    int,
    AfterValidator(_counted),
    WithJsonSchema({"type": "integer", "enum": list(MILLISECONDS)}),
]


class Objectives(Model):
    """The objectives of each system, over a month. Alerts fire by the burn rate of their error budgets."""

    availability: float = Field(
        default=99.9,
        ge=90,
        le=99.99,
        description="Percent of requests that are not answered with 5xx.",
    )
    latency_ms: Milliseconds = Field(
        default=1000,
        description="Milliseconds within which requests must be answered; one of the limits that Kong"
        " measures.",
    )
    fast: float = Field(
        default=99.0,
        ge=50,
        le=99.9,
        description="Percent of requests that are answered within latency_ms.",
    )
