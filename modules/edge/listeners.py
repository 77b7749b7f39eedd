"""Listeners of the load balancer: HTTP is redirected to HTTPS, known hosts go to the gateway, others get
404."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.lb import Lb
from cdktf_cdktf_provider_aws.lb_listener import (
    LbListener,
    LbListenerDefaultAction,
    LbListenerDefaultActionFixedResponse,
    LbListenerDefaultActionRedirect,
)
from cdktf_cdktf_provider_aws.lb_listener_rule import (
    LbListenerRule,
    LbListenerRuleAction,
    LbListenerRuleCondition,
    LbListenerRuleConditionHostHeader,
)
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup

from modules.edge.names import all_hosts, own_hosts
from tierra.terraform.stack import Stack

# The security policies that AWS recommends, by their minimum TLS version: forward secrecy, authenticated
# ciphers, and post-quantum key exchange for clients that support it (ELB user guide, "Security policies for
# your Application Load Balancer").
POLICIES = {
    "1.2": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "1.3": "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
}
# Distance between rules, which leaves room for rules in an emergency.
GATEWAY_PRIORITY = 100
SECONDS_PER_DAY = 86_400


def listeners(stack: Stack, load_balancer: Lb, target_group: LbTargetGroup, certificate_arn: str) -> None:
    """`aws_lb_listener.http`, `aws_lb_listener.https`, the rule `gateway`, and `gateway_<system>` for the
    hosts of a system."""
    _http(stack, load_balancer)
    https = _https(stack, load_balancer, certificate_arn)
    environment = stack.environment
    _rule(stack, "gateway", https, target_group, environment.edge.hosts, GATEWAY_PRIORITY)
    for system, hosts in own_hosts(environment.edge, environment.systems).items():
        with stack.system(system) as name:
            _rule(stack, f"gateway_{name.replace('-', '_')}", https, target_group, hosts)


def _rule(
    stack: Stack,
    role: str,
    listener: LbListener,
    target_group: LbTargetGroup,
    hosts: Sequence[str],
    priority: int | None = None,
) -> None:
    """Without a priority the provider uses the next free one, and the order of these rules does not matter
    (internal/service/elbv2/listener_rule.go)."""
    stack.add(
        LbListenerRule,
        role,
        listener_arn=listener.arn,
        priority=priority,
        condition=[
            LbListenerRuleCondition(host_header=LbListenerRuleConditionHostHeader(values=list(hosts)))
        ],
        action=[LbListenerRuleAction(type="forward", target_group_arn=target_group.arn)],
        tags=stack.tags(role.replace("_", "-")),
    )


def _http(stack: Stack, load_balancer: Lb) -> None:
    stack.add(
        LbListener,
        "http",
        load_balancer_arn=load_balancer.arn,
        port=80,
        protocol="HTTP",
        default_action=[
            LbListenerDefaultAction(
                type="redirect",
                redirect=LbListenerDefaultActionRedirect(
                    port="443",
                    protocol="HTTPS",
                    status_code="HTTP_301",
                ),
            )
        ],
        tags=stack.tags("http"),
    )


def _https(stack: Stack, load_balancer: Lb, certificate_arn: str) -> LbListener:
    """Requests for unknown hosts, such as those of scanners, never reach the gateway."""
    settings = stack.environment.edge
    return stack.add(
        LbListener,
        "https",
        load_balancer_arn=load_balancer.arn,
        port=443,
        protocol="HTTPS",
        ssl_policy=POLICIES[settings.tls],
        certificate_arn=certificate_arn,
        default_action=[
            LbListenerDefaultAction(
                type="fixed-response",
                fixed_response=LbListenerDefaultActionFixedResponse(
                    content_type="text/plain",
                    message_body="Not found",
                    status_code="404",
                ),
            )
        ],
        routing_http_response_server_enabled=False,
        routing_http_response_strict_transport_security_header_value=_strict_transport(stack),
        routing_http_response_x_content_type_options_header_value="nosniff",
        routing_http_response_x_frame_options_header_value="SAMEORIGIN",
        tags=stack.tags("https"),
    )


def _strict_transport(stack: Stack) -> str:
    settings = stack.environment.edge
    value = f"max-age={settings.hsts_days * SECONDS_PER_DAY}"
    return (
        f"{value}; includeSubDomains"
        if settings.strict_below(all_hosts(settings, stack.environment.systems))
        else value
    )
