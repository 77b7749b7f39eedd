"""Address ranges so wide that they count as the internet."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import Any

WIDEST, WIDEST_6 = 8, 16


def wide(value: Any) -> bool:
    """Whether a range lets in so many that it is no restriction: public, and a /8 or wider, in IPv6 a /16."""
    try:
        network = ip_network(value, strict=False)
    except (TypeError, ValueError):
        return False
    most = WIDEST if isinstance(network, IPv4Network) else WIDEST_6
    return network.prefixlen <= most and not (network.prefixlen and network.is_private)
