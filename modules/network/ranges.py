"""Address ranges: their format in a spec, and ranges that a VPC cannot have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from tierra.validation.messages import NOTHING
from tierra.validation.model import rule_error

# RFC 1918.
PRIVATE = (IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))

# RFC 6598: shared address space, which many companies do not route, so each VPC may use it for its pods.
SHARED = IPv4Network("100.64.0.0/10")

# Docker's default bridge, which some AWS services also use on their hosts: replies to such addresses are lost
# there.
CONTAINER_BRIDGE = IPv4Network("172.17.0.0/16")

# Service addresses of Kubernetes in every environment; they exist only inside the cluster.
SERVICES = IPv4Network("172.20.0.0/16")

_RULE = "an address range must be an IPv4 network in CIDR form"


def parse_range(value: Any) -> Any:
    """Text such as `10.20.0.0/16` as a network. Other types are left to the type check."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"[0-9.]+/[0-9]{1,2}", value):
        raise rule_error(_RULE, _remedy(value))
    address, size = value.split("/")
    try:
        IPv4Address(address)
    except AddressValueError:
        raise rule_error(
            _RULE, "write four numbers from 0 to 255 before the slash, such as 10.20.0.0/16"
        ) from None
    if int(size) > 32:
        raise rule_error(_RULE, "write a number from 0 to 32 after the slash, such as 10.20.0.0/16")
    network = IPv4Network(value, strict=False)
    if str(network.network_address) != address:
        raise rule_error(
            f"a /{size} range must start at its first address, not at a host inside it", f"write {network}"
        )
    return network


def _remedy(value: str) -> str:
    if value.strip().lower() in NOTHING:
        return "remove it"
    if ":" in value:
        return "write an IPv4 range, such as 10.20.0.0/16; IPv6 is not supported"
    try:
        network = ip_network(value.strip(), strict=False)
        if "/" in value:
            return f"write {network}"
        size = 16 if network.network_address == ip_network(f"{value.strip()}/16", strict=False)[0] else 32
        return f"add its size: {network.network_address}/{size}"
    except ValueError:
        return "write four numbers, a slash and the size, such as 10.20.0.0/16"


def free_range(size: int, taken: Iterable[IPv4Network]) -> IPv4Network | str:
    """A private range of this size that overlaps none of those taken, to be offered as a remedy."""
    size, taken = min(max(size, 16), 24), (CONTAINER_BRIDGE, SERVICES, *taken)
    start = 20  # the range of the default; other networks usually take lower ones
    starts = [f"10.{second}.0.0" for second in (*range(start, 256), *range(start))]
    starts += [*(f"172.{second}.0.0" for second in range(16, 32)), "192.168.0.0"]
    for candidate in (IPv4Network(f"{first}/{size}") for first in starts):
        if not any(candidate.overlaps(block) for block in taken):
            return candidate
    return "a range outside all reserved ones"


Range = Annotated[
    IPv4Network,
    BeforeValidator(parse_range),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$",
            "examples": ["10.20.0.0/16"],
        }
    ),
]
