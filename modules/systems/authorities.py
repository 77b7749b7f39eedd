"""Certificates of the authority that signs those of PostgreSQL and DocumentDB, by region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from modules.section import Finding
from modules.systems.spec import System

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
FILE = "systems/authorities.pem"
VERIFIED = frozenset({"postgres", "documentdb"})

_CERTIFICATE = re.compile(
    r"^# ([a-z0-9-]+)\n(-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----\n)",
    re.MULTILINE | re.DOTALL,
)


@cache
def authorities() -> dict[str, str]:
    """The root of each region that AWS has published one of, in PEM."""
    text = (TEMPLATES / FILE).read_text(encoding="utf-8")
    found = re.findall(
        r"^# ([a-z0-9-]+)\n(-----BEGIN CERTIFICATE-----\n.*?-----END [A-Z]+-----\n)", text, re.M | re.S
    )
    return dict(found)


def authority_findings(systems: Mapping[str, System], region: str) -> Iterator[Finding]:
    """A connection that cannot be verified is none."""
    if region in authorities():
        return
    for name, system in systems.items():
        for index, need in enumerate(system.needs):
            if need in VERIFIED:
                rule = f"connections to {need} are verified, and no root of {region} is at hand"
                remedy = f"add it to templates/{FILE}, whose head says how"
                yield Finding(("systems", name, "needs", index), rule, remedy, need)
