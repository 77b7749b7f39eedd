"""Rules of `systems:` that depend on other systems or on the databases of the environment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from modules.systems.own_spec import secret_address
from modules.systems.parts import prefixes
from modules.systems.spec import System
from tierra.validation.model import Violation
from tierra.validation.system_names import WORKFLOWS, called


def need_violations(systems: Mapping[str, System], databases: Iterable[str]) -> Iterator[Violation]:
    """A system must not need a database that is off. Paths start at the root of the spec."""
    there = {*databases, "files"}
    for name, system in systems.items():
        for index, need in enumerate(system.needs):
            if need not in there:
                rule = f"a database in needs must be built, and data.{need} is off"
                remedy = f"remove {need} here, or the line {need}: off below data"
                yield Violation(("systems", name, "needs", index), rule, remedy)


def systems_violations(systems: Mapping[str, System], names: Collection[str]) -> Iterator[Violation]:
    """Violations between systems. `names` are those of systems without hosts. Paths start at the root of the
    spec."""
    if not systems:
        rule, remedy = (
            "an environment must run at least one system",
            "name one, or remove the line for the three default systems",
        )
        yield Violation(("systems",), rule, remedy, "{}")
    owners: dict[tuple[str, str], str] = {}
    for name, system in systems.items():
        if not system.path:
            continue
        # A former name of another system gives both the same path; another rule refuses the name.
        taken = {
            host: owner
            for host in system.hosts or names
            if (owner := owners.setdefault((host, system.path), name)) != name
            and name not in systems[owner].formerly
            and owner not in system.formerly
        }
        for host, owner in list(taken.items())[:1]:
            where = f" at {host}" if system.hosts or systems[owner].hosts else ""
            rule = f"each system must have a different path, but {system.path}{where} is the path of {owner}"
            remedy = (
                "choose another path" if system.path == f"/{name}" else f"write path: /{name}, or another one"
            )
            yield Violation(("systems", name, "path"), rule, remedy)
    yield from _below_metrics(systems, names)
    yield from _names_of_others(systems)
    yield from _names_of_roles(systems)
    yield from _names_of_secrets(systems)


def _names_of_others(systems: Mapping[str, System]) -> Iterator[Violation]:
    """A current or former name belongs to one system."""
    owners: dict[str, str] = {}
    for name, system in systems.items():
        for former in dict.fromkeys(system.formerly):
            path = ("systems", name, "formerly")
            owner = owners.setdefault(former, name)
            if former != name and former in systems:
                rule = f"formerly must name a system that no longer exists, but {former} is in this spec"
                remedy = (
                    "remove formerly, or remove the other system, whose resources then become those of this"
                )
                yield Violation(path, rule, f"{remedy} one", former)
            elif owner != name:
                rule = (
                    "a former name must belong to one system, but"
                    f" systems.{owner}.formerly also names {former}"
                )
                yield Violation(path, rule, "remove it from one of them", former)


def _names_of_roles(systems: Mapping[str, System]) -> Iterator[Violation]:
    """The role of the pods has the name of the system; the roles of workflows start with deploy- or push-."""
    known = {called(name, system.formerly): name for name, system in systems.items()}
    for mine, name in known.items():
        for start in WORKFLOWS:
            if (owner := known.get(mine.removeprefix(start))) not in (None, name):
                rule = f"the name must not be {mine}: a role for workflows of {owner} has it in IAM"
                yield Violation(("systems", name), rule, f"write another name, such as {mine}-app", mine)


def _names_of_secrets(systems: Mapping[str, System]) -> Iterator[Violation]:
    """Secrets that Tierra creates must have different Terraform addresses (passwords.py)."""
    owners: dict[str, str] = {}
    for name, system in systems.items():
        for variable, origin in system.sources.items():
            if origin:
                continue
            address = secret_address(called(name, system.formerly), variable)
            owner = owners.setdefault(address, f"systems.{name}.secrets.{variable}")
            if owner != f"systems.{name}.secrets.{variable}":
                rule = f"two secrets must not have one address in Terraform, but {owner} has {address} too"
                yield Violation(("systems", name, "secrets", variable), rule, "choose another variable")


def _below_metrics(systems: Mapping[str, System], names: Collection[str]) -> Iterator[Violation]:
    """A path may be below that of another system, `/` and `/shop`, because the longer one wins; but the path
    of metrics, and everything below it, is blocked."""
    inner = {
        (host, path): name
        for name, system in systems.items()
        if (path := system.inner_path)
        for host in system.hosts or names
    }
    for name, system in systems.items():
        if not system.path:
            continue
        addresses = ((host, path) for host in system.hosts or names for path in prefixes(system.path))
        owner = next((inner[address] for address in addresses if address in inner), name)
        if owner != name:
            rule = (
                f"a path must not be below the metrics of {owner}, which must not be reachable from outside"
            )
            remedy = f"write path: /{name}, or change systems.{owner}.metrics"
            yield Violation(("systems", name, "path"), rule, remedy)
