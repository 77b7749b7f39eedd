"""Alarms of the edge: what users notice, the pods behind it, the firewall and the certificate."""

from __future__ import annotations

from collections.abc import Iterator

from modules.edge.outputs import EdgeOutputs
from modules.observability.alarm import Alarm
from modules.observability.metric import DAY, Metric
from tierra.terraform.stack import Stack

# Fewer failures a minute than this are no share of anything: at night one request in ten may be one of ten.
FEW_ERRORS = 5
# A flood, or a rule that blocks users: both deserve a look. Scanners alone stay below.
BLOCKED_PERCENT, FEW_BLOCKED = 30, 500
# ACM renews 60 days before the end, 45 for the shorter certificates of 2026; what is due in 30 is stuck.
DUE_DAYS, LAST_DAYS = 30, 7


def balancer(edge: EdgeOutputs, metric: str, statistic: str = "Sum") -> Metric:
    """A metric of the load balancer."""
    return Metric("AWS/ApplicationELB", metric, {"LoadBalancer": edge.load_balancer_arn_suffix}, statistic)


def targets(edge: EdgeOutputs, metric: str, statistic: str) -> Metric:
    """A metric of the pods behind the load balancer, by its nodes in each zone."""
    dimensions = {"LoadBalancer": edge.load_balancer_arn_suffix, "TargetGroup": edge.target_group_arn_suffix}
    return Metric("AWS/ApplicationELB", metric, dimensions, statistic)


def firewall(stack: Stack, edge: EdgeOutputs, metric: str) -> Metric:
    """A metric of the web ACL, all rules together, summed over five minutes."""
    dimensions = {"WebACL": edge.web_acl_name, "Region": stack.environment.region, "Rule": "ALL"}
    return Metric("AWS/WAFV2", metric, dimensions, "Sum", 300)


def certificate(edge: EdgeOutputs) -> Metric:
    """Days until the certificate ends, which ACM says twice a day."""
    return Metric(
        "AWS/CertificateManager", "DaysToExpiry", {"CertificateArn": edge.certificate_arn}, "Minimum", DAY
    )


def edge_alarms(stack: Stack, edge: EdgeOutputs) -> Iterator[Alarm]:
    """What users feel is a part each of `edge_users`, which tells people once."""
    limits = stack.environment.observability
    yield Alarm(
        name="edge_errors_balancer",
        says="The load balancer itself answers too many requests with 5xx.",
        runbook="users-see-errors",
        severity=None,
        metrics={
            "failed": balancer(edge, "HTTPCode_ELB_5XX_Count"),
            # Requests that found no target are not among these.
            "served": balancer(edge, "RequestCount"),
        },
        expression=f"IF(failed > {FEW_ERRORS}, 100 * failed / (failed + FILL(served, 0)), 0)",
        above=limits.error_percent,
        of=(3, 5),
        missing="notBreaching",
    )
    yield Alarm(
        name="edge_errors_target",
        says="The systems answer too many requests with 5xx.",
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
        says=f"One request in a hundred takes longer than {limits.slow_seconds} seconds.",
        runbook="users-wait",
        severity=None,
        metrics=balancer(edge, "TargetResponseTime", "p99"),
        above=limits.slow_seconds,
        of=(5, 10),
        missing="notBreaching",
    )
    yield Alarm(
        name="gateway_down",
        says="No pod of the gateway is healthy: no request is served.",
        runbook="the-gateway-is-down",
        severity="page",
        metrics=targets(edge, "HealthyHostCount", "Maximum"),
        below=1,
        of=(2, 3),
        missing="breaching",  # a group without targets reports nothing
    )
    yield Alarm(
        name="gateway_unhealthy",
        says="A pod of the gateway fails its health checks.",
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
        says="The firewall blocks an unusual share of requests.",
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
    """Kept as it is without values: ACM falls silent when a certificate has ended."""
    yield Alarm(
        name="certificate_due",
        says=f"The certificate ends in less than {DUE_DAYS} days and was not renewed.",
        runbook="the-certificate-is-not-renewed",
        severity="ticket",
        metrics=certificate(edge),
        below=DUE_DAYS,
        of=(1, 1),
        missing="ignore",
    )
    yield Alarm(
        name="certificate_ends",
        says=f"The certificate ends in less than {LAST_DAYS} days: then browsers refuse every name.",
        runbook="the-certificate-is-not-renewed",
        severity="page",
        metrics=certificate(edge),
        below=LAST_DAYS,
        of=(1, 1),
        missing="ignore",
    )
