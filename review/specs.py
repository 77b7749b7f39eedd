"""The environments of this checkout whose target is AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import combinations, permutations
from pathlib import Path

from modules.errors import SpecError
from modules.spec import Environment, load

FOLDER = Path("environments")


class Refused(Exception):
    """What is wrong with the specs, for people."""


def real_environments(folder: Path = FOLDER) -> list[Environment]:
    """Those with target: aws, by name. Raises Refused with the problems of every wrong file, and pairs of
    one account whose names overlap."""
    found, problems = [], []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(load(path))
        except SpecError as error:
            problems.append(str(error))
    if problems:
        raise Refused("\n".join(problems))
    real = [environment for environment in found if environment.target == "aws"]
    if problems := list(overlaps(real)):
        raise Refused("\n".join(problems))
    return real


def overlaps_beside(environment: Environment, folder: Path = FOLDER) -> list[str]:
    """Pairs that an environment is one of. Other files that are wrong are left to those who use them."""
    found = [environment]
    for path in sorted(folder.glob("*.yaml")):
        if path.stem != environment.environment:
            with suppress(SpecError):
                found.append(load(path))
    real = [each for each in found if each.target == "aws"]
    return [problem for problem in overlaps(real) if f"/{environment.environment}.yaml" in problem]


def overlaps(environments: Sequence[Environment]) -> Iterator[str]:
    """Environments of one account that would take a name from another, or could reach what belongs to it:
    policies name things by `<project>-<environment>-*`, and `acme-prod-*` matches what is in
    `acme-prod-eu`."""
    for one, other in combinations(environments, 2):
        if one.account == other.account:
            yield from _same(one, other)
    for one, other in permutations(environments, 2):
        stem, longer = (f"{each.project}-{each.environment}" for each in (one, other))
        if one.account == other.account and longer.startswith(f"{stem}-"):
            yield (
                f"environments/{other.environment}.yaml: names begin with {longer}, and those of"
                f" environments/{one.environment}.yaml with {stem}\n"
                "  rule:   the name of an environment must not begin with the whole name of another of its"
                " account: policies of IAM match names by their beginning\n"
                f"  remedy: rename one before it is built ({_apart(other)}), or give it an account of its own"
            )


def _same(one: Environment, other: Environment) -> Iterator[str]:
    """What only one environment of an account can have, and both would."""
    files = f"environments/{other.environment}.yaml and environments/{one.environment}.yaml"
    stem = f"{one.project}-{one.environment}"
    if stem == f"{other.project}-{other.environment}":
        yield (
            f"{files}: names of both begin with {stem}\n"
            "  rule:   names must be unique in an account\n"
            f"  remedy: rename one before it is built ({_apart(other)}), or give it an account of its own"
        )
    if one.edge.domain and one.edge.domain == other.edge.domain:
        yield (
            f"{files}: edge.domain: {one.edge.domain}\n"
            "  rule:   a domain must lead to one load balancer: each would replace the record of the other\n"
            "  remedy: give each a domain of its own"
        )


def _apart(environment: Environment) -> str:
    """A name that the other one is no beginning of."""
    first, _, rest = environment.environment.partition("-")
    return (
        f"{rest}-{first} instead of {environment.environment}" if rest else "another project or environment"
    )
