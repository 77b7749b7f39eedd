"""The simulated AWS account and region, as configured in the provider block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.protocol import UNKNOWN, Object

EXAMPLE_ACCOUNT = "123456789012"
EXAMPLE_REGION = "us-east-1"
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
DNS_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


@dataclass(frozen=True)
class Account:
    """The account and region of all resources, and the tags that all of them get.

    An account that is not remembered (no REHEARSAL_CLOUD), as in forecasts, gives other ids than one that is,
    so that an id made up for a forecast can be recognized anywhere.
    """

    id: str = EXAMPLE_ACCOUNT
    region: str = EXAMPLE_REGION
    default_tags: dict[str, Any] = field(default_factory=dict)
    remembered: bool = True

    @classmethod
    def configured(cls, config: Object, environment: Mapping[str, str]) -> Account:
        """The account of a provider block; unknown values count as not given."""
        accounts = config.get("allowed_account_ids")
        known = accounts if isinstance(accounts, list) else []
        region = config.get("region")
        tags: dict[str, Any] = {}
        blocks = config.get("default_tags")
        for block in blocks if isinstance(blocks, list) else []:
            given = block.get("tags") if isinstance(block, dict) else None
            tags.update(given if isinstance(given, dict) else {})
        return cls(
            id=known[0] if known and known[0] is not UNKNOWN else EXAMPLE_ACCOUNT,
            region=region if isinstance(region, str) else environment.get("AWS_REGION") or EXAMPLE_REGION,
            default_tags=tags,
            remembered=bool(environment.get("REHEARSAL_CLOUD")),
        )

    @property
    def partition(self) -> str:
        return next((name for prefix, name in PARTITIONS.items() if self.region.startswith(prefix)), "aws")

    @property
    def dns_suffix(self) -> str:
        return DNS_SUFFIXES.get(self.partition, "amazonaws.com")
