"""Alarms of each NAT gateway."""

from __future__ import annotations

from collections.abc import Iterator

from modules.network.outputs import NetworkOutputs
from modules.observability.alarm import Alarm
from modules.observability.metric import Metric

# The share of dropped packets above which AWS recommends to investigate (VPC user guide, "Monitor NAT
# gateways with CloudWatch").
DROPPED_PERCENT = 0.01


def nat(gateway: str, metric: str) -> Metric:
    """A metric of a NAT gateway, summed over five minutes."""
    return Metric("AWS/NATGateway", metric, {"NatGatewayId": gateway}, "Sum", 300)


def network_alarms(network: NetworkOutputs) -> Iterator[Alarm]:
    """Exhausted ports and dropped packets. An idle gateway reports no values."""
    for zone, gateway in network.nat_gateway_ids.items():
        yield Alarm(
            name=f"nat_ports_{zone}",
            description=f"The NAT gateway of zone {zone} has no free port for a destination.",
            runbook="nat-gateway-out-of-ports",
            severity="page",
            metrics=nat(gateway, "ErrorPortAllocation"),
            above=0,
            of=(2, 3),
            missing="notBreaching",
        )
        yield Alarm(
            name=f"nat_drops_{zone}",
            description=f"The NAT gateway of zone {zone} drops packets.",
            runbook="nat-gateway-drops-packets",
            severity="ticket",
            metrics={
                "dropped": nat(gateway, "PacketsDropCount"),
                "inside": nat(gateway, "PacketsInFromSource"),
                "outside": nat(gateway, "PacketsInFromDestination"),
            },
            expression="100 * dropped / (inside + outside)",
            above=DROPPED_PERCENT,
            of=(3, 3),
            missing="notBreaching",
        )
