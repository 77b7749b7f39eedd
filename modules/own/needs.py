"""The tiers whose outputs own Terraform reads; they are applied before the tier that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from modules.own.blocks import Reading
from modules.own.terraform import Own, OwnError
from tierra.validation.errors import Problem


def needs(own: Mapping[str, Own], graph: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The needs of each tier including those of its own Terraform. `graph` has the needs without it.

    Raises OwnError if a tier would read outputs of a tier that is not applied before it.
    """
    result = dict(graph)
    problems: dict[str, list[Problem]] = {}
    for tier, tier_own in own.items():
        for reading in tier_own.readings:
            problem = _unreadable(tier, reading, result)
            if problem:
                problems.setdefault(reading.file, []).append(problem)
            else:
                result[tier] = result[tier] | {reading.tier}
    if problems:
        raise OwnError(problems)
    return result


def _unreadable(tier: str, reading: Reading, graph: Mapping[str, frozenset[str]]) -> Problem | None:
    path = f"data.terraform_remote_state.{reading.tier}"
    if reading.tier not in graph:
        rule, remedy = "the state must be that of a tier", f"the tiers are {', '.join(graph)}"
    elif reading.tier == tier:
        rule = f"a file must not read outputs of its own tier, {tier}"
        remedy = "name the resource itself, such as aws_vpc.main.id"
    elif tier in _upstream(reading.tier, graph):
        rule = f"{tier} must not read {reading.tier}, which is built after it"
        remedy = f"move the file to {reading.tier} or a tier that is built after it"
    elif not reading.output:
        rule = "outputs must be read one by one: a plan waits for exactly those that change"
        remedy = f"write {path}.outputs.<name>"
    else:
        return None
    return Problem(path, "", rule, remedy, reading.line)


def _upstream(tier: str, graph: Mapping[str, frozenset[str]]) -> set[str]:
    """All tiers that a tier needs, directly or indirectly."""
    upstream: set[str] = set()
    waiting = [tier]
    while waiting:
        for need in graph.get(waiting.pop(), frozenset()):
            if need not in upstream:
                upstream.add(need)
                waiting.append(need)
    return upstream
