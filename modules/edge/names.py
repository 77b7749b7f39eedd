"""Every host name of the platform: names of `edge`, and hosts of systems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from modules.edge.domains import covered, without_star
from modules.edge.spec import Edge
from modules.systems.spec import System
from tierra.validation.model import Violation

# Maximum number of names of a certificate (ACM user guide, "Quotas").
MOST_NAMES = 10


def own_hosts(edge: Edge, systems: Mapping[str, System]) -> dict[str, tuple[str, ...]]:
    """By system, hosts that need records, a certificate and a rule in addition to those of `edge`."""
    found = {
        name: tuple(host for host in system.hosts if not covered(host, edge.hosts))
        for name, system in systems.items()
    }
    return {name: hosts for name, hosts in found.items() if hosts}


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
    if edge.certificate is None and len(found := all_hosts(edge, systems)) > MOST_NAMES:
        rule = f"edge and all systems must have at most {MOST_NAMES} names: one certificate has them all"
        remedy = f"put a name such as *.{edge.main_domain} into edge.aliases, and choose names below it"
        yield Violation(("systems",), rule, remedy, f"{len(found)} names")
