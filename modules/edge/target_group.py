"""The target group of the gateway: Kong's pods, by address. The controller of the gateway tier registers
them."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck

from modules.network.outputs import NetworkOutputs
from modules.systems.requests_spec import USUAL_SECONDS, patience
from tierra.terraform.stack import Stack

# Terraform appends 26 digits, and the whole has 32 characters at most.
NAME_PREFIX = "kong-"
PROXY_PORT = 8000
STATUS_PORT = 8100
# What a pod that is going away has left for requests in flight, where none may take longer than usual.
DRAIN_SECONDS = 30


def target_group(stack: Stack, network: NetworkOutputs) -> LbTargetGroup:
    """`aws_lb_target_group.gateway`. Kong answers at /status/ready only when it has its routes."""
    longest = patience(stack.environment.systems)
    return stack.add(
        LbTargetGroup,
        "gateway",
        name_prefix=NAME_PREFIX,
        vpc_id=network.vpc_id,
        target_type="ip",
        ip_address_type="ipv4",
        port=PROXY_PORT,
        protocol="HTTP",  # TLS ends at the load balancer; only its security group reaches this port
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
