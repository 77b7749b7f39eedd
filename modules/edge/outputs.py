"""Outputs of the edge for other tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from modules.edge.names import all_hosts
from tierra.terraform.outputs import Outputs, keyed_by, where

NAMES = keyed_by(lambda environment: all_hosts(environment.edge, environment.systems))
FIREWALL = where(lambda environment: environment.edge.waf is not None)


@dataclass(frozen=True)
class EdgeOutputs(Outputs, tier="edge"):
    """The way in. The gateway puts its pods into the target group; nothing else is left to a controller."""

    load_balancer_arn: Annotated[str, "ARN of the load balancer"]
    load_balancer_arn_suffix: Annotated[str, "The load balancer as metrics name it"]
    load_balancer_dns_name: Annotated[str, "The load balancer's own DNS name"]
    target_group_arn: Annotated[str, "ARN of the target group of the gateway"]
    target_group_arn_suffix: Annotated[str, "The target group as metrics name it"]
    certificate_arn: Annotated[str, "ARN of the certificate, once it is issued"]
    web_acl_arn: Annotated[str, "ARN of the web ACL", FIREWALL]
    web_acl_name: Annotated[str, "The web ACL as metrics name it", FIREWALL]
    dns_records: Annotated[
        dict[str, str],
        "Where each name must lead, by a CNAME or alias record of your own",
        NAMES,
        where(lambda environment: not environment.edge.records),
    ]
    domain: Annotated[str, "The name that users type"]
    waf_log_group_name: Annotated[str, "Log group of blocked and counted requests", FIREWALL]
