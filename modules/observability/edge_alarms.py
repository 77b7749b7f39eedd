"""Alarms of the edge: errors and latency, the pods of the gateway, the web ACL and the certificate."""

from __future__ import annotations

from collections.abc import Iterator

from modules.edge.outputs import EdgeOutputs
from modules.observability.alarm import Alarm
from modules.observability.metric import DAY, Metric
from tierra.terraform.stack import Stack

# With fewer failures a minute the error rate means little: at night, 10 % may be one request of ten.
FEW_ERRORS = 5
# An attack, or a rule that blocks users. Scanners alone stay below these values.
BLOCKED_PERCENT, FEW_BLOCKED = 30, 500
# ACM renews 60 days before expiry, 45 for the shorter certificates of 2026; at 30 the renewal is stuck.
DUE_DAYS, LAST_DAYS = 30, 7


def balancer(edge: EdgeOutputs, metric: str, statistic: str = "Sum") -> Metric:
    """A metric of the load balancer."""
    return Metric("AWS/ApplicationELB", metric, {"LoadBalancer": edge.load_balancer_arn_suffix}, statistic)


def targets(edge: EdgeOutputs, metric: str, statistic: str) -> Metric:
    """A metric of the targets of the load balancer, the pods of the gateway."""
    dimensions = {"LoadBalancer": edge.load_balancer_arn_suffix, "TargetGroup": edge.target_group_arn_suffix}
    return Metric("AWS/ApplicationELB", metric, dimensions, statistic)


def firewall(stack: Stack, edge: EdgeOutputs, metric: str) -> Metric:
    """A metric of the web ACL over all rules, summed over five minutes."""
    dimensions = {"WebACL": edge.web_acl_name, "Region": stack.environment.region, "Rule": "ALL"}
    return Metric("AWS/WAFV2", metric, dimensions, "Sum", 300)


def certificate(edge: EdgeOutputs) -> Metric:
    """Days until the certificate expires; ACM reports them twice a day."""
    return Metric(
        "AWS/CertificateManager", "DaysToExpiry", {"CertificateArn": edge.certificate_arn}, "Minimum", DAY
    )


def edge_alarms(stack: Stack, edge: EdgeOutputs) -> Iterator[Alarm]:
    """The first three are parts of the composite alarm `edge_users`, which sends one notification for
    them."""
    limits = stack.environment.observability
    yield Alarm(
        name="edge_errors_balancer",
        description="The load balancer itself answers too many requests with a 5xx error.",
        runbook="users-see-errors",
        severity=None,
        metrics={
            "failed": balancer(edge, "HTTPCode_ELB_5XX_Count"),
            # Does not include requests without a target.
            "served": balancer(edge, "RequestCount"),
        },
        expression=f"IF(failed > {FEW_ERRORS}, 100 * failed / (failed + FILL(served, 0)), 0)",
        above=limits.error_percent,
        of=(3, 5),
        missing="notBreaching",
    )
    yield Alarm(
        name="edge_errors_target",
        description="The systems answer too many requests with a 5xx error.",
        runbook="users-see-errors",
        severity=None,
        metrics={
            "failed": balancer(edge, "HTTPCode_Target_5XX_Count"),
            "served": balancer(edge, "RequestCount"),
        },
        expression=f"IF(failed > {FEW_ERRORS}, 100 * failed / served, 0)",
        above=limits.error_percent,
        of=(3, 5),
        missing="notBreaching",
    )
    yield Alarm(
        name="edge_slow",
        description=f"One request in a hundred takes longer than {limits.slow_seconds} seconds.",
        runbook="users-wait",
        severity=None,
        metrics=balancer(edge, "TargetResponseTime", "p99"),
        above=limits.slow_seconds,
        of=(5, 10),
        missing="notBreaching",
    )
    yield Alarm(
        name="gateway_down",
        description="No gateway pod is healthy: no requests are served.",
        runbook="the-gateway-is-down",
        severity="page",
        metrics=targets(edge, "HealthyHostCount", "Maximum"),
        below=1,
        of=(2, 3),
        missing="breaching",  # a group without targets reports nothing
    )
    yield Alarm(
        name="gateway_unhealthy",
        description="A gateway pod fails its health checks.",
        runbook="a-pod-of-the-gateway-is-unhealthy",
        severity="ticket",
        metrics=targets(edge, "UnHealthyHostCount", "Maximum"),
        above=0,
        of=(10, 10),
        missing="notBreaching",
    )
    if stack.environment.edge.waf:
        yield _blocked(stack, edge)
    yield from _certificate(edge)


def _blocked(stack: Stack, edge: EdgeOutputs) -> Alarm:
    return Alarm(
        name="waf_blocked",
        description="The web application firewall blocks an unusually large share of requests.",
        runbook="the-firewall-blocks-much",
        severity="ticket",
        metrics={
            "blocked": firewall(stack, edge, "BlockedRequests"),
            "allowed": firewall(stack, edge, "AllowedRequests"),
        },
        expression=f"IF(blocked > {FEW_BLOCKED}, 100 * blocked / (blocked + FILL(allowed, 0)), 0)",
        above=BLOCKED_PERCENT,
        of=(2, 3),
        missing="notBreaching",
    )


def _certificate(edge: EdgeOutputs) -> Iterator[Alarm]:
    """Missing values keep the state of the alarm: ACM stops reporting when a certificate has expired."""
    yield Alarm(
        name="certificate_due",
        description=f"The certificate expires in less than {DUE_DAYS} days and was not renewed.",
        runbook="the-certificate-is-not-renewed",
        severity="ticket",
        metrics=certificate(edge),
        below=DUE_DAYS,
        of=(1, 1),
        missing="ignore",
    )
    yield Alarm(
        name="certificate_ends",
        description=f"The certificate expires in less than {LAST_DAYS} days; then browsers refuse it.",
        runbook="the-certificate-is-not-renewed",
        severity="page",
        metrics=certificate(edge),
        below=LAST_DAYS,
        of=(1, 1),
        missing="ignore",
    )
