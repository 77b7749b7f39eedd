"""Request limits of a system, which Kong enforces: time, size and number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tierra.validation.model import Violation

if TYPE_CHECKING:
    from modules.edge.spec import Edge
    from modules.gateway.spec import Gateway
    from modules.systems.spec import System

# Kong's default timeout in seconds (Kong/kubernetes-ingress-controller 3.5,
# internal/dataplane/translator/subtranslator/ingress.go, defaultServiceTimeoutInKongFormat).
USUAL_SECONDS = 60
# Requests in flight must end before a pod stops, and the autoscaler gives pods ten minutes
# (cluster-autoscaler, --max-graceful-termination-sec).
MOST_SECONDS = 300
# Maximum number of values of a load balancer rule (ELB user guide, "Quotas for your Application Load
# Balancers").
MOST_HOSTS = 5
# Keys that Kong implements, so only a public system may have them.
AT_KONG = ("hosts", "timeout_seconds", "upload_mb", "rate_limit", "auth")


def host(system: System, edge: Edge) -> str:
    """The host name in the URLs of the system."""
    return system.hosts[0] if system.hosts else edge.main_domain


def patience(systems: Mapping[str, System]) -> int:
    """The time limit in seconds of the slowest request, which load balancer and Kong use. Never below the
    default."""
    return max(USUAL_SECONDS, *(system.timeout_seconds for system in systems.values()))


def idle_seconds(systems: Mapping[str, System]) -> int:
    """The idle timeout of the load balancer in seconds. A connection looks idle while a system works on a
    request, so the timeout covers the slowest request, plus ten seconds so that Kong answers first."""
    longest = patience(systems)
    return longest if longest == USUAL_SECONDS else longest + 10


def request_violations(systems: Mapping[str, System], gateway: Gateway) -> Iterator[Violation]:
    """A system must not allow larger requests than Kong does. Paths start at the root of the spec."""
    for name, system in systems.items():
        if system.upload_mb and system.upload_mb > gateway.upload_mb:
            rule = (
                f"upload_mb must be at most gateway.upload_mb ({gateway.upload_mb}), the largest body of all"
            )
            remedy = f"write {gateway.upload_mb} or less, or raise gateway.upload_mb"
            yield Violation(("systems", name, "upload_mb"), rule, remedy)


def at_kong(system: System) -> dict[str, Any]:
    """Chart values: the settings of Kong that differ for this system."""
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
