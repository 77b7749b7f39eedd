"""Keys of `compute.endpoint:`: access to the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from modules.network.ranges import PRIVATE, Range
from modules.network.zones_spec import Letter
from tierra.validation.model import Model, Violation, repeated, rule

MOST_RANGES = 40  # maximum number of ranges for the public endpoint (quotas of EKS)


class Endpoint(Model):
    """Access to the Kubernetes API. Nodes and the security group of runners always have access."""

    public_cidrs: Annotated[tuple[Range, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": MOST_RANGES},
        description="Public ranges that may reach the API from the internet, such as those of an office"
        " or of runners. None by default: the API can then be reached only from the VPC, and"
        " from network.admin_cidrs over a VPN or a peering, but not from runners of GitHub.",
        examples=[["203.0.113.0/24"]],
    )
    zones: Annotated[tuple[Letter, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": 4, "uniqueItems": True},
        description="Zones in which the control plane connects to the VPC, two or more of network.zones;"
        " all of them when left out. EKS keeps the zones that a cluster was created with:"
        " before you add a zone to network.zones, list the present zones here.",
        examples=[["a", "b"]],
    )

    @rule("zones")
    def zones_are_distinct(self) -> Iterator[Violation]:
        """The control plane requires at least two different zones."""
        for index in repeated(self.zones):
            yield Violation(("zones", index), "each zone must be named once", "remove the second one")
        if len(self.zones) == 1:
            yield Violation(
                ("zones",), "there must be at least two zones", "name another zone, or remove the line"
            )

    @rule("public_cidrs")
    def ranges_are_narrow_and_public(self) -> Iterator[Violation]:
        """Ranges must be public, and not the whole internet."""
        for index, cidr in enumerate(self.public_cidrs):
            path = ("public_cidrs", index)
            if cidr.prefixlen < 8:
                rule = "the API must not be open to the whole internet: a range must be /8 or narrower"
                yield Violation(
                    path, rule, "write the ranges of your offices and runners, or remove the line"
                )
            elif any(cidr.overlaps(private) for private in PRIVATE):
                rule = "a range must be public: these are the ranges that come from the internet"
                yield Violation(path, rule, "move it to network.admin_cidrs, which admits private ranges")
        for index in repeated(map(str, self.public_cidrs)):
            yield Violation(("public_cidrs", index), "each range must be named once", "remove the second one")
        if len(self.public_cidrs) > MOST_RANGES:
            rule = f"there must be at most {MOST_RANGES} ranges"
            yield Violation(
                ("public_cidrs",), rule, "join neighbouring ranges", f"{len(self.public_cidrs)} ranges"
            )
