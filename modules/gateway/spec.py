"""What `gateway:` may say: how many pods of Kong there are, and what each lets through and tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, model_validator

from modules.section import Finding, Section, check

# One pod alone could not be moved to another node without an outage (and Kong's chart refuses the budget).
FEWEST = 2
MOST_REPLICAS = 50


class Gateway(Section):
    """Kong, which every request passes on its way from the load balancer to a system."""

    replicas: int = Field(
        default=FEWEST, ge=FEWEST, le=MOST_REPLICAS, description="Pods of Kong that always run."
    )
    max_replicas: int = Field(
        default=0,
        ge=FEWEST,
        le=2 * MOST_REPLICAS,
        json_schema_extra={"default": "twice replicas"},
        description="Pods of Kong that run under load, at most. The nodes at their most must hold them.",
    )
    rate_limit: int = Field(
        default=600,
        ge=0,
        le=1_000_000,
        description="Requests a minute that each pod of Kong takes from one address before it answers 429;"
        " 0 is no limit. Pods count each for itself, so that an address gets through up to this times the"
        " pods. What may come at all, edge.waf.rate says.",
    )
    trace_percent: int = Field(
        default=5, ge=0, le=100, description="Requests of a hundred that are traced from Kong on."
    )

    @model_validator(mode="before")
    @classmethod
    def most_is_twice_the_least(cls, data: Any) -> Any:
        """Load may double the pods, where nothing else is said."""
        if not isinstance(data, dict):
            return data
        replicas = data.get("replicas", FEWEST)
        legal = type(replicas) is int and FEWEST <= replicas <= MOST_REPLICAS
        return {"max_replicas": 2 * replicas if legal else 2 * FEWEST, **data}

    @check("replicas", "max_replicas")
    def most_is_not_less(self) -> Iterator[Finding]:
        """Load adds pods."""
        if self.max_replicas < self.replicas:
            rule = f"max_replicas ({self.max_replicas}) is at least replicas ({self.replicas})"
            yield Finding(("max_replicas",), rule, f"raise it to {self.replicas} or more, or lower replicas")
