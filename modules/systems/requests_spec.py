"""Request limits of a system, which Kong enforces: time, size and number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tierra.validation.model import Violation

if TYPE_CHECKING:
    from modules.edge.spec import Edge
    from modules.gateway.spec import Gateway
    from modules.systems.spec import System

# Seconds that Kong waits for a system by default (Kong/kubernetes-ingress-controller 3.5,
# internal/dataplane/translator/subtranslator/ingress.go, defaultServiceTimeoutInKongFormat).
USUAL_SECONDS = 60
# Requests in flight end before a pod goes, and the autoscaler gives pods ten minutes (cluster-autoscaler,
# --max-graceful-termination-sec).
MOST_SECONDS = 300
# Values of a rule of the load balancer (ELB user guide, "Quotas for your Application Load Balancers").
MOST_HOSTS = 5
# What only Kong does, so that only a public system says it.
AT_KONG = ("hosts", "timeout_seconds", "upload_mb", "rate_limit", "auth")


def host(system: System, edge: Edge) -> str:
    """The name that users of a system type."""
    return system.hosts[0] if system.hosts else edge.main_domain


def patience(systems: Mapping[str, System]) -> int:
    """Seconds that the slowest request may take: load balancer and Kong keep it for as long. Never below the
    usual ones."""
    return max(USUAL_SECONDS, *(each.timeout_seconds for each in systems.values()))


def idle_seconds(systems: Mapping[str, System]) -> int:
    """Seconds that the load balancer keeps an idle connection. Nothing passes while a system works, so that a
    longer wait than usual is not idle; ten seconds more let the answer of Kong come first."""
    longest = patience(systems)
    return longest if longest == USUAL_SECONDS else longest + 10


def request_violations(systems: Mapping[str, System], gateway: Gateway) -> Iterator[Violation]:
    """A system lets in no more than Kong does. Paths start at the root of the spec."""
    for name, system in systems.items():
        if system.upload_mb and system.upload_mb > gateway.upload_mb:
            rule = (
                f"upload_mb must be at most gateway.upload_mb ({gateway.upload_mb}), the largest body of all"
            )
            remedy = f"write {gateway.upload_mb} or less, or raise gateway.upload_mb"
            yield Violation(("systems", name, "upload_mb"), rule, remedy)


def at_kong(system: System) -> dict[str, Any]:
    """Values of the chart: what Kong does otherwise for this system."""
    values: dict[str, Any] = {}
    if system.timeout_seconds != USUAL_SECONDS:
        values["timeout"] = system.timeout_seconds
    if system.upload_mb:
        values["upload"] = system.upload_mb
    if system.rate_limit:
        values["rate"] = system.rate_limit
    if system.auth:
        health = (system.health.live, system.health.ready)
        values["auth"] = {
            "kind": "key-auth" if system.auth.keys else "jwt",
            "open": list(dict.fromkeys((*health, *system.auth.open))),
        }
    return values
