"""Requests that are never challenged during a flood: clients of an API and probes are not browsers.

AWS takes one to five regular expressions of 512 characters at most, and compares them with host and path
together (botocore: wafv2, shapes ClientSideAction and RegexPatternString). So paths of systems are joined.
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
    """The expressions of the spec, then those of the systems. If these are more than AWS takes, nothing is
    challenged: rates and rules go on to block."""
    asked = list(systems)
    paths = _joined(_paths(each for each in asked if not each.hosts))
    named = _joined(_named(each for each in asked if each.hosts), "^(")
    found = [*settings.challenge_except, *paths, *named]
    return found if len(found) <= MOST_EXPRESSIONS else [EVERYTHING]


def _paths(systems: Iterable[System]) -> list[str]:
    """Paths with all below them: whole APIs, and where other systems are asked how they are."""
    found = []
    for system in systems:
        if not system.path:
            continue
        if system.serves == "api":
            found.append(system.path)
        else:
            start = system.path.rstrip("/")
            found += [start + system.health.live, start + system.health.ready]
    return list(dict.fromkeys(found))


def _named(systems: Iterable[System]) -> list[str]:
    """The same with the names of a system before them. A star stands for anything but a slash."""
    return [
        host + (path if path != "/" else "")
        for system in systems
        for host in system.hosts
        for path in _paths([system])
    ]


def _joined(paths: list[str], start: str = r"\/(") -> list[str]:
    """As few expressions as hold all. The path of an API at / is every path."""
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
