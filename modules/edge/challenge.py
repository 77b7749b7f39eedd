"""Requests that are exempt from challenges during an attack, because API clients and probes are not browsers.

AWS WAF accepts one to five regular expressions of at most 512 characters, and compares them with host and
path together (botocore: wafv2, shapes ClientSideAction and RegexPatternString). Paths of systems are
therefore joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from modules.edge.waf_spec import MOST_EXPRESSIONS, Waf
from modules.systems.spec import System

LONGEST = 512
END = r"(\/|$)"
EVERYTHING = r"\/"


def exemptions(settings: Waf, systems: Iterable[System]) -> list[str]:
    """The expressions of the spec, then those of the systems. If AWS WAF does not accept as many, challenges
    are off; rate limits and rules still block."""
    every = list(systems)
    paths = _joined(_paths(system for system in every if not system.hosts))
    with_hosts = _joined(_paths_of_hosts(system for system in every if system.hosts), "^(")
    expressions = [*settings.challenge_except, *paths, *with_hosts]
    return expressions if len(expressions) <= MOST_EXPRESSIONS else [EVERYTHING]


def _paths(systems: Iterable[System]) -> list[str]:
    """Paths including everything below them: whole APIs, and health paths of other systems."""
    paths = []
    for system in systems:
        if not system.path:
            continue
        if system.serves == "api":
            paths.append(system.path)
        else:
            start = system.path.rstrip("/")
            paths += [start + system.health.live, start + system.health.ready]
    return list(dict.fromkeys(paths))


def _paths_of_hosts(systems: Iterable[System]) -> list[str]:
    """The same paths with the hosts of a system. A star matches anything but a slash."""
    return [
        host + (path if path != "/" else "")
        for system in systems
        for host in system.hosts
        for path in _paths([system])
    ]


def _joined(paths: list[str], start: str = r"\/(") -> list[str]:
    """As few expressions as possible. The path of an API at / matches every path."""
    if "/" in paths:
        return [EVERYTHING]
    expressions: list[str] = []
    for path in paths:
        text = re.escape(path.lstrip("/")).replace("/", r"\/").replace(r"\*", r"[^\/]+")
        longer = f"{expressions[-1].removesuffix(')' + END)}|{text}){END}" if expressions else ""
        if longer and len(longer) <= LONGEST:
            expressions[-1] = longer
        else:
            expressions.append(f"{start}{text}){END}")
    return expressions
