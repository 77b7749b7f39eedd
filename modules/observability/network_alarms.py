"""Alarms of the NAT gateways, one by one."""

from __future__ import annotations

from collections.abc import Iterator

from modules.network.outputs import NetworkOutputs
from modules.observability.alarm import Alarm
from modules.observability.metric import Metric

# Above this share of its packets a gateway drops more than networks do anyway. AWS recommends 0.01 % (VPC
# user guide, "Monitor NAT gateways with CloudWatch").
DROPPED_PERCENT = 0.01


def nat(gateway: str, metric: str) -> Metric:
    """A metric of a NAT gateway, summed over five minutes."""
    return Metric("AWS/NATGateway", metric, {"NatGatewayId": gateway}, "Sum", 300)


def network_alarms(network: NetworkOutputs) -> Iterator[Alarm]:
    """Each zone's way out has ports and loses no packets. A quiet gateway reports nothing."""
    for zone, gateway in network.nat_gateway_ids.items():
        yield Alarm(
            name=f"nat_ports_{zone}",
            says=f"The NAT gateway of zone {zone} refuses connections: no port is left to some destination.",
            runbook="nat-gateway-out-of-ports",
            severity="page",
            metrics=nat(gateway, "ErrorPortAllocation"),
            above=0,
            of=(2, 3),
            missing="notBreaching",
        )
        yield Alarm(
            name=f"nat_drops_{zone}",
            says=f"The NAT gateway of zone {zone} drops packets.",
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
