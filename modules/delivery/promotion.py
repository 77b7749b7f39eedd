"""Image promotion: the environment from which an environment takes its images, according to the specs beside
its own.

An image is built for the first environment of a chain. Each later one deploys the digest that runs in the
previous one, so their specs must be compatible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modules.compute.groups import architecture
from tierra.terraform.naming import Names
from tierra.terraform.roles import role_arn
from tierra.validation.errors import SpecError, counted
from tierra.validation.github import plain
from tierra.validation.messages import choices
from tierra.validation.model import Violation

if TYPE_CHECKING:
    from modules.spec import Environment

KEY = ("delivery", "promote_from")
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
BUILD = "remove promote_from: this one then builds its images"
Load = Callable[[Path], "Environment"]


@dataclass(frozen=True)
class Chain:
    """The neighbours of an environment: the previous one, the next ones, and the number of previous ones."""

    source: Environment | None = None
    consumers: tuple[Environment, ...] = ()
    position: int = 0

    @property
    def linked(self) -> bool:
        return bool(self.source or self.consumers)


def chain(environment: Environment, path: Path, load: Load) -> tuple[Chain, list[Violation]]:
    """The chain of an environment whose file is at `path`, and its violations. `load` reads a file without
    its neighbours. Invalid files of consumers are skipped: commands of their own environments report them."""
    source_name = environment.delivery.promote_from
    source: Environment | None = None
    violations: list[Violation] = []
    position = 0
    if source_name:
        source, violations = _source(source_name, path, load)
        before, visited = source, [environment.environment]
        while before and not violations:
            if before.environment in visited:
                violations = [_cycle([*visited, before.environment])]
                break
            visited.append(before.environment)
            position += 1
            next_ = before.delivery.promote_from
            before, violations = _source(next_, path, load) if next_ else (None, [])
        if source and not violations:
            violations = list(_misfits(environment, source))
    later = () if violations else tuple(_consumers(environment, path, load, position))
    return Chain(source, later, position), violations


def _source(name: str, path: Path, load: Load) -> tuple[Environment | None, list[Violation]]:
    file = path.with_name(f"{name}.yaml")
    others = sorted(spec.stem for spec in path.parent.glob("*.yaml") if spec.stem != path.stem)
    if not file.exists():
        rule = f"promote_from must name an environment beside this one, and there is no {file.name}"
        remedy = f"write {choices(others)}" if others else BUILD
        return None, [Violation(KEY, rule, remedy)]
    try:
        return load(file), []
    except SpecError as error:
        problems = counted(len(error.problems), "problem")
        rule = f"promote_from must name a valid spec, and {file.name} is not: {problems}"
        return None, [Violation(KEY, rule, f"correct {file.name} first")]


def _cycle(names: list[str]) -> Violation:
    rule = f"promote_from must not go round in a circle: {' from '.join(names)}"
    return Violation(KEY, rule, "remove promote_from from the environment that builds the images")


def _consumers(environment: Environment, path: Path, load: Load, position: int) -> Iterator[Environment]:
    """Each next environment with its own chain; every environment has one source, so this ends."""
    for file in sorted(path.parent.glob("*.yaml")):
        if file.stem == path.stem or "promote_from" not in file.read_text(encoding="utf-8", errors="replace"):
            continue
        try:
            consumer = load(file)
        except SpecError:
            continue
        if consumer.delivery.promote_from == environment.environment:
            later = tuple(_consumers(consumer, file, load, position + 1))
            consumer.link(Chain(environment, later, position + 1))
            yield consumer


def _misfits(environment: Environment, source: Environment) -> Iterator[Violation]:
    """Why an image of the source cannot run here."""
    where = f"environments/{source.environment}.yaml"

    def differs(what: str, ours: object, theirs: object) -> Violation:
        rule = f"{what} must be the same in both: it is {ours} here, and {theirs} in {where}"
        return Violation(KEY, rule, f"write the same in both specs, or {BUILD}")

    if environment.target == "aws" and source.target != "aws":
        yield differs("target", environment.target, source.target)
    if environment.partition != source.partition:
        yield differs("the partition of the region", environment.partition, source.partition)
    if environment.delivery.ci != source.delivery.ci:
        yield differs("delivery.ci", environment.delivery.ci, source.delivery.ci)
    if environment.delivery.branch != source.delivery.branch:
        yield differs("delivery.branch", environment.delivery.branch, source.delivery.branch)
    for name in environment.systems:
        if name not in source.systems:
            rule = f"{name} must be in {source.environment}, which its image comes from, and is not"
            yield Violation(KEY, rule, f"add it to {where}, or {BUILD}")
            continue
        kind, source_kind = (
            architecture(spec.compute, spec.systems[name].nodes) for spec in (environment, source)
        )
        if kind != source_kind:
            yield differs(f"the processor of the nodes of {name}", kind, source_kind)
        ours, theirs = (
            plain(spec.systems[name].repository or spec.delivery.repository) for spec in (environment, source)
        )
        if ours.lower() != theirs.lower():
            yield differs(f"the repository of {name}", ours, theirs)


def push_role_arn(environment: Environment, system: str) -> str:
    """ARN of the role that copies images of a system into the registry of an environment."""
    role = _names(environment).of("iam_role", f"push-{environment.called(system)}")
    return role_arn(environment, role)


def source_arns(environment: Environment, system: str = "*") -> list[str]:
    """ARN of the repository of a system, or of all systems, in the source environment; none where images are
    built."""
    source = environment.chain.source
    if not source:
        return []
    names = _names(source)
    repository = f"{names.stem}/*" if system == "*" else names.repository(source.called(system))
    return [f"arn:{source.partition}:ecr:{source.region}:{source.account}:repository/{repository}"]


def _names(environment: Environment) -> Names:
    return Names(environment.project, environment.environment, environment.account)
