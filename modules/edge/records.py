"""DNS records of the load balancer.

Only A records: an AAAA record requires a load balancer and subnets with IPv6, which the network does not
have.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.route53_record import Route53Record, Route53RecordAlias

from modules.edge.domains import slug
from modules.edge.names import all_hosts
from modules.edge.zone import Zones
from tierra.terraform.stack import Stack


def records(stack: Stack, zones: Zones, load_balancer: Lb) -> None:
    """`aws_route53_record.address_<name>` for each host name: an alias of the load balancer."""
    for host in all_hosts(stack.environment.edge, stack.environment.systems):
        stack.add(
            Route53Record,
            f"address_{slug(host)}",
            provider=zones.of(host).provider,
            zone_id=zones.of(host).id,
            name=host,
            type="A",
            alias=Route53RecordAlias(
                name=load_balancer.dns_name,
                zone_id=load_balancer.zone_id,
                evaluate_target_health=True,
            ),
        )
