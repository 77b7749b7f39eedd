"""What is wrong with the systems together although each one is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modules.section import Finding
from modules.systems.parts import prefixes
from modules.systems.spec import System


def systems_findings(systems: Mapping[str, System]) -> Iterator[Finding]:
    """Paths start at the root of the spec."""
    if not systems:
        rule, remedy = (
            "an environment runs at least one system",
            "name one, or remove the line for the usual three",
        )
        yield Finding(("systems",), rule, remedy, "{}")
    owners: dict[str, str] = {}
    for name, system in systems.items():
        owner = owners.setdefault(system.path, name)
        if owner != name:
            rule = f"each system has a path of its own, and {system.path} is that of {owner}"
            yield Finding(("systems", name, "path"), rule, f"write path: /{name}, or another one")
    yield from _below_metrics(systems)


def _below_metrics(systems: Mapping[str, System]) -> Iterator[Finding]:
    """A path may lie below another's, `/` and `/shop`, for the longer one wins; but metrics are shut to the
    outside with all that lies below them."""
    inner = {path: name for name, system in systems.items() if (path := system.inner_path)}
    for name, system in systems.items():
        owner = next((inner[path] for path in prefixes(system.path) if path in inner), name)
        if owner != name:
            rule = f"{system.path} lies where {owner} has its metrics, which are shut to the outside"
            remedy = f"write path: /{name}, or change systems.{owner}.metrics"
            yield Finding(("systems", name, "path"), rule, remedy)
