"""What other tiers may use of the edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from modules.outputs import Outputs

# Where the load balancer sends requests and asks for health, on each pod of the gateway.
PROXY_PORT = 8000
STATUS_PORT = 8100
# What a pod that is going away has left for requests in flight.
DRAIN_SECONDS = 30
# For how long the load balancer keeps an idle connection. The gateway keeps it for longer: the other way
# round the load balancer would send requests into connections that are being closed, and users would see 502.
IDLE_SECONDS = 60


@dataclass(frozen=True)
class EdgeOutputs(Outputs, tier="edge"):
    """The way in. The gateway puts its pods into the target group; nothing else is left to a controller."""

    load_balancer_arn: Annotated[str, "ARN of the load balancer"]
    load_balancer_arn_suffix: Annotated[str, "The load balancer as metrics name it"]
    load_balancer_dns_name: Annotated[str, "The load balancer's own DNS name"]
    target_group_arn: Annotated[str, "ARN of the target group of the gateway"]
    target_group_arn_suffix: Annotated[str, "The target group as metrics name it"]
    certificate_arn: Annotated[str, "ARN of the certificate, once it is issued"]
    web_acl_arn: Annotated[str, "ARN of the web ACL"]
    web_acl_name: Annotated[str, "The web ACL as metrics name it"]
    domain: Annotated[str, "The name that users type"]
    waf_log_group_name: Annotated[str, "Log group of blocked and counted requests"]
