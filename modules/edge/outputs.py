"""Outputs of the edge tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from modules.edge.names import all_hosts
from tierra.terraform.outputs import Outputs, keyed_by, where

NAMES = keyed_by(lambda environment: all_hosts(environment.edge, environment.systems))
FIREWALL = where(lambda environment: environment.edge.waf is not None)


@dataclass(frozen=True)
class EdgeOutputs(Outputs, tier="edge"):
    """Load balancer, certificate and web ACL. The gateway registers its pods in the target group; no
    controller creates any other part."""

    load_balancer_arn: Annotated[str, "ARN of the load balancer"]
    load_balancer_arn_suffix: Annotated[
        str, "ARN suffix of the load balancer, the LoadBalancer of its metrics"
    ]
    load_balancer_dns_name: Annotated[str, "DNS name of the load balancer"]
    target_group_arn: Annotated[str, "ARN of the target group of the gateway"]
    target_group_arn_suffix: Annotated[str, "ARN suffix of the target group, the TargetGroup of its metrics"]
    certificate_arn: Annotated[str, "ARN of the certificate; known once it is issued"]
    web_acl_arn: Annotated[str, "ARN of the web ACL", FIREWALL]
    web_acl_name: Annotated[str, "Name of the web ACL, the WebACL of its metrics", FIREWALL]
    dns_records: Annotated[
        dict[str, str],
        "Targets of the CNAME or alias records that you must create, by host name",
        NAMES,
        where(lambda environment: not environment.edge.records),
    ]
    domain: Annotated[str, "Domain name of the platform"]
    waf_log_group_name: Annotated[str, "Name of the log group of blocked and counted requests", FIREWALL]
