"""The target group of the gateway: IP addresses of Kong pods, which the controller of the gateway tier
registers."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck

from modules.network.outputs import NetworkOutputs
from modules.systems.requests_spec import USUAL_SECONDS, patience
from tierra.terraform.stack import Stack

# Terraform appends 26 digits, and the maximum length is 32 characters.
NAME_PREFIX = "kong-"
PROXY_PORT = 8000
STATUS_PORT = 8100
# The deregistration delay of a terminating pod for requests in flight, with the default time limit.
DRAIN_SECONDS = 30


def target_group(stack: Stack, network: NetworkOutputs) -> LbTargetGroup:
    """`aws_lb_target_group.gateway`. Kong's /status/ready succeeds only once it has its routes."""
    longest = patience(stack.environment.systems)
    return stack.add(
        LbTargetGroup,
        "gateway",
        name_prefix=NAME_PREFIX,
        vpc_id=network.vpc_id,
        target_type="ip",
        ip_address_type="ipv4",
        port=PROXY_PORT,
        protocol="HTTP",  # TLS ends at the load balancer; only its security group can reach this port
        protocol_version="HTTP1",
        load_balancing_algorithm_type="least_outstanding_requests",
        deregistration_delay=str(longest if longest > USUAL_SECONDS else DRAIN_SECONDS),
        health_check=LbTargetGroupHealthCheck(
            enabled=True,
            protocol="HTTP",
            port=str(STATUS_PORT),
            path="/status/ready",
            matcher="200",
            interval=10,
            timeout=5,
            healthy_threshold=2,
            unhealthy_threshold=2,
        ),
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        tags=stack.tags("gateway"),
    )
