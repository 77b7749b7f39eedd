"""Keys of `gateway:`: the pods of Kong, and limits for clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, model_validator

from tierra.validation.model import Model, Violation, rule

MOST_REPLICAS = 50


class Gateway(Model):
    """Kong: the one way from the load balancer to the systems."""

    replicas: int = Field(
        default=2,
        ge=2,
        le=MOST_REPLICAS,
        description="Minimum number of Kong pods. At least two, so that losing a node causes no outage.",
    )
    max_replicas: int = Field(
        default=0,
        ge=2,
        le=2 * MOST_REPLICAS,
        json_schema_extra={"default": "twice replicas"},
        description="Maximum number of Kong pods. The maximum number of nodes must have room for them.",
    )
    rate_limit: int = Field(
        default=600,
        ge=10,
        le=1_000_000,
        description="Requests per minute that one address may send to one pod of Kong; further requests"
        " get 429. Each pod counts separately, so several pods together allow more."
        " edge.waf.rate counts all requests together.",
    )
    upload_mb: int = Field(
        default=50,
        ge=1,
        le=5120,
        description="Largest body of a request, in MiB; a larger one gets 413. Larger files go to S3, by a"
        " presigned request.",
    )
    uploads: int = Field(
        default=40,
        ge=2,
        le=1000,
        description="Number of request bodies of that size that a pod of Kong may receive at the same"
        " time. Kong stores them on the disk of its node and requests upload_mb times this"
        " number there.",
    )

    @property
    def upload_room(self) -> int:
        """MiB of node disk that a Kong pod requests."""
        return self.upload_mb * self.uploads

    @model_validator(mode="before")
    @classmethod
    def most_follows_least(cls, data: Any) -> Any:
        """Left out, max_replicas is twice replicas."""
        if not isinstance(data, dict):
            return data
        replicas = data.get("replicas", 2)
        legal = type(replicas) is int and 2 <= replicas <= MOST_REPLICAS
        return {"max_replicas": 2 * replicas if legal else 4, **data}

    @rule("replicas", "max_replicas")
    def most_is_not_less(self) -> Iterator[Violation]:
        """max_replicas must be at least replicas."""
        if self.max_replicas < self.replicas:
            rule = f"max_replicas ({self.max_replicas}) must be at least replicas ({self.replicas})"
            yield Violation(
                ("max_replicas",), rule, f"raise it to {self.replicas} or more, or lower replicas"
            )
