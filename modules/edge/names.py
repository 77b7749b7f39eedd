"""Every host name of the platform: names of `edge`, and hosts of systems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from modules.edge.domains import covered, without_star
from modules.edge.spec import MOST_ALIASES, Edge
from modules.systems.spec import System
from tierra.validation.model import Violation

# Names of a certificate (ACM user guide, "Quotas"): of one that Tierra requests, by default; and of one that
# is given, at most after a request to AWS.
MOST_NAMES, MOST_GIVEN_NAMES = 10, 100
# Rules of a load balancer without the default one (ELB user guide, "Quotas for your Application Load
# Balancers"): one for the names of edge, and one for each system with names of its own.
MOST_RULES = 100


def own_hosts(edge: Edge, systems: Mapping[str, System]) -> dict[str, tuple[str, ...]]:
    """By system, hosts that need records, a certificate and a rule in addition to those of `edge`."""
    lacking = {
        name: tuple(host for host in system.hosts if not covered(host, edge.hosts))
        for name, system in systems.items()
    }
    return {name: hosts for name, hosts in lacking.items() if hosts}


def all_hosts(edge: Edge, systems: Mapping[str, System]) -> tuple[str, ...]:
    """Every host name without duplicates, the main one first."""
    own = (host for hosts in own_hosts(edge, systems).values() for host in hosts)
    return tuple(dict.fromkeys((*edge.hosts, *own)))


def proven(hosts: Iterable[str]) -> dict[str, str]:
    """The names to validate, without wildcards, each with the name in the certificate that requires it."""
    names: dict[str, str] = {}
    for host in hosts:
        names.setdefault(without_star(host), host)
    return names


def host_violations(edge: Edge, systems: Mapping[str, System]) -> Iterator[Violation]:
    """Every name must be in a zone, every zone must have a name, and the certificate must hold all names.
    Paths start at the root of the spec."""
    for name, system in systems.items():
        for index, host in enumerate(system.hosts):
            if edge.records and not edge.zone_of(host):
                rule = f"every name must be in {edge.places}, where its record is written"
                remedy = f"write {name}.{edge.zone}, or add its hosted zone to edge.zones"
                yield Violation(("systems", name, "hosts", index), rule, remedy)
    used = {edge.zone_of(host) for host in all_hosts(edge, systems)}
    for zone in edge.zones:
        if edge.records and zone != edge.zone and zone not in used:
            rule = "each of zones must contain a name: the domain, an alias or a host of a system"
            yield Violation(("edge", "zones", zone), rule, f"remove it, or add www.{zone} to edge.aliases")
    yield from _too_many(edge, systems)


def _too_many(edge: Edge, systems: Mapping[str, System]) -> Iterator[Violation]:
    """One certificate must have every name. An existing one may have wildcards, but needs at least one name
    for each parent domain."""
    own = own_hosts(edge, systems)
    names = all_hosts(edge, systems)
    above = {name.partition(".")[2] for name in names}
    siblings = Counter(host.partition(".")[2] for host in names if host not in edge.hosts and "*" not in host)
    shared = ((count, name) for name, count in siblings.items() if "." in name and count > 1)
    count, best = max(
        (sibling for sibling in shared if not edge.records or edge.zone_of(sibling[1])), default=(0, "")
    )
    fewer = "remove some"
    if best and len(edge.aliases) < MOST_ALIASES:
        fewer = f"add *.{best} to edge.aliases, which covers {count} of them"
    if edge.certificate is None and len(names) > MOST_NAMES:
        rule = f"edge and all systems must have at most {MOST_NAMES} names: one certificate has them all"
        remedy = f"{fewer}; or write a certificate of your own that has all names as edge.certificate"
        yield Violation(("systems",), rule, remedy, f"{len(names)} names")
    elif len(above) > MOST_GIVEN_NAMES:
        rule = f"the names must be in at most {MOST_GIVEN_NAMES} domains: a certificate has no more names"
        yield Violation(("systems",), rule, "remove some", f"{len(above)} domains")
    if len(own) + 1 > MOST_RULES:
        rule = f"at most {MOST_RULES - 1} systems must have names that edge lacks: each needs a rule of"
        rule += " the load balancer"
        yield Violation(("systems",), rule, fewer, f"{len(own)} systems")
