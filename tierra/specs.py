"""The environments of this checkout, and which of them conflict with each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import combinations, permutations
from pathlib import Path

from modules.edge.names import own_hosts
from modules.loader import load
from modules.network.ranges import free_range
from modules.network.subnets_spec import KINDS
from modules.spec import Environment
from tierra.validation.errors import SpecError

FOLDER = Path("environments")


class Refused(Exception):
    """The problems of the specs, as text for the user."""


def all_environments(folder: Path = FOLDER) -> list[Environment]:
    """The environments of all files by name, each before those that take its images. Raises Refused with the
    problems of every wrong file, and pairs that conflict."""
    environments, problems = [], []
    for path in sorted(folder.glob("*.yaml")):
        try:
            environments.append(load(path))
        except SpecError as error:
            problems.append(str(error))
    if problems := problems or list(
        overlaps([environment for environment in environments if environment.target == "aws"])
    ):
        raise Refused("\n".join(problems))
    return sorted(environments, key=lambda environment: environment.chain.position)


def real_environments(folder: Path = FOLDER) -> list[Environment]:
    """Those with target: aws, by name. Raises Refused like `all_environments`."""
    real = [environment for environment in all_environments(folder) if environment.target == "aws"]
    return sorted(real, key=lambda environment: environment.environment)


def overlaps_beside(environment: Environment, folder: Path = FOLDER) -> list[str]:
    """Conflicts of one environment with others. Problems of other files are ignored."""
    environments = [environment]
    for path in sorted(folder.glob("*.yaml")):
        if path.stem != environment.environment:
            with suppress(SpecError):
                environments.append(load(path))
    real = [environment_ for environment_ in environments if environment_.target == "aws"]
    return [problem for problem in overlaps(real) if f"/{environment.environment}.yaml" in problem]


def overlaps(environments: Sequence[Environment]) -> Iterator[str]:
    """Environments that conflict with each other: in one account they would use the same names, or could
    access resources of the other, because policies match `<project>-<environment>-*`, and `acme-prod-*`
    matches resources of `acme-prod-eu`; in any accounts they would have the same addresses in connected
    networks."""
    for first, second in combinations(environments, 2):
        if first.account == second.account:
            yield from _same(first, second)
        yield from _connected(first, second)
        yield from _shared(first, second)
    for first, second in permutations(environments, 2):
        stem, longer = (f"{environment.project}-{environment.environment}" for environment in (first, second))
        if first.account == second.account and longer.startswith(f"{stem}-"):
            yield (
                f"environments/{second.environment}.yaml: names begin with {longer}, and those of"
                f" environments/{first.environment}.yaml with {stem}\n"
                "  rule:   the name of an environment must not begin with the whole name of another of its"
                " account: IAM policies match names by prefix\n"
                f"  remedy: rename one before it is built ({_apart(second)}),"
                " or give it a separate account"
            )


def _same(first: Environment, second: Environment) -> Iterator[str]:
    """Conflicts about things that only one environment of an account can have."""
    files = f"environments/{second.environment}.yaml and environments/{first.environment}.yaml"
    stem = f"{first.project}-{first.environment}"
    if stem == f"{second.project}-{second.environment}":
        yield (
            f"{files}: names of both begin with {stem}\n"
            "  rule:   names must be unique in an account\n"
            f"  remedy: rename one before it is built ({_apart(second)}), or give it a separate account"
        )
    for name in sorted(_public_names(first) & _public_names(second)):
        yield (
            f"{files}: edge.domain: {name}\n"
            "  rule:   a name must lead to one load balancer: each would replace the record of the other\n"
            "  remedy: give each a separate domain"
        )
    creators = [environment for environment in (first, second) if environment.delivery.github]
    if [environment.delivery.oidc_provider for environment in creators] == ["create", "create"]:
        yield (
            f"{files}: delivery.oidc_provider: both create it\n"
            "  rule:   an account must have one identity provider for GitHub\n"
            "  remedy: write oidc_provider: existing below delivery in the one that is built later"
        )
    scanned = [environment.delivery.registry_scan for environment in (first, second)]
    if first.region == second.region and "leave" not in scanned:
        yield (
            f"{files}: delivery.registry_scan: {' and '.join(scanned)}\n"
            "  rule:   one environment must set it: it applies to every repository of an account and region\n"
            "  remedy: remove the line from one of them"
        )


def _public_names(environment: Environment) -> set[str]:
    edge = environment.edge
    own = {host for hosts in own_hosts(edge, environment.systems).values() for host in hosts}
    return {*([edge.domain] if edge.domain else []), *edge.aliases, *own}


def _connected(first: Environment, second: Environment) -> Iterator[str]:
    """Two connected networks, in any accounts: an address must belong to only one of them."""
    ours, theirs = first.network.cidr, second.network.cidr
    if not ours.overlaps(theirs) or _one_vpc(first, second):
        return
    shared = [
        (mine, its)
        for mine in first.network.elsewhere
        for its in second.network.elsewhere
        if mine.overlaps(its)
    ]
    named = [network for network in first.network.elsewhere if network.overlaps(theirs)]
    named += [network for network in second.network.elsewhere if network.overlaps(ours)]
    if not shared and not named:
        return
    keys = "network.routes or network.reserved"
    why = f"both name {shared[0][0]} in {keys}" if shared else f"one names {named[0]} in {keys}"
    free = free_range(theirs.prefixlen, [ours, theirs, *first.network.taken, *second.network.taken])
    yield (
        f"environments/{second.environment}.yaml and environments/{first.environment}.yaml: network.cidr:"
        f" {theirs} and {ours}\n"
        f"  rule:   {why}, so that routes lead to both networks, and their ranges must not overlap\n"
        f"  remedy: write another network.cidr, such as {free}, in the one that is not"
        " built yet, or remove the range from the one that has no route there"
    )


def _one_vpc(first: Environment, second: Environment) -> bool:
    """Whether both are built in the same existing VPC."""
    mine, its = first.network.existing, second.network.existing
    return bool(mine and its and mine.vpc == its.vpc)


def _shared(first: Environment, second: Environment) -> Iterator[str]:
    """Parts of the company's networks that two environments name, and only one can use. IDs are the same in
    all accounts with which a network is shared."""
    files = f"environments/{second.environment}.yaml and environments/{first.environment}.yaml"
    for subnet in sorted(_subnets(first) & _subnets(second)):
        yield (
            f"{files}: network.existing: {subnet}\n"
            "  rule:   a subnet must belong to one environment: each assumes that all its addresses are"
            " free\n"
            "  remedy: name another subnet of the VPC in one of them"
        )
    if _one_vpc(first, second) and first.network.endpoints == second.network.endpoints == "all":
        # AWS: "private-dns-enabled cannot be set because there is already a conflicting DNS domain"
        # (hashicorp/terraform-provider-aws #17535).
        yield (
            f"{files}: network.endpoints: all\n"
            "  rule:   a VPC must have one interface endpoint for each service, with its private DNS name\n"
            "  remedy: write endpoints: gateway in both, and have the owner of the VPC make the endpoints"
        )
    # botocore: ec2, AttachVpnGateway.
    gateways = [
        {route.via for route in environment.network.routes if route.kind == "vgw"}
        for environment in (first, second)
    ]
    for gateway in sorted(gateways[0] & gateways[1]):
        yield (
            f"{files}: network.routes: {gateway}\n"
            "  rule:   a virtual private gateway must be attached to one VPC at a time\n"
            "  remedy: name another one in one of them, or a transit gateway in both"
        )


def _subnets(environment: Environment) -> set[str]:
    existing = environment.network.existing
    return {subnet for kind in KINDS for subnet in getattr(existing, kind).values()} if existing else set()


def _apart(environment: Environment) -> str:
    """A name that does not begin with the other one."""
    first, _, rest = environment.environment.partition("-")
    return (
        f"{rest}-{first} instead of {environment.environment}" if rest else "another project or environment"
    )
