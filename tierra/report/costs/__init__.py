"""The monthly cost of the platform of saved plans, before and after, as far as a plan shows it. It is an
estimate at on-demand prices for 730 hours: no free tier, no reserved instances, no savings plan. Usage-based
costs are named, not estimated; resources without a known price are listed, and missing from the sums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tierra.aws.types import known
from tierra.report.costs import prices
from tierra.report.costs.kinds import PRICED, SPOT
from tierra.report.costs.prices import Price
from tierra.report.costs.quantities import Resource, Use
from tierra.report.costs.skus import Sku

WHEN = ("before", "after")
SIDES = {"before": ("prior_state", "values"), "after": ("planned_values",)}


def estimate(folder: Path, plans: Mapping[str, dict[str, Any]], region: str) -> dict[str, Any]:
    """The estimate of plans in terraform's JSON, by tier, of the environment whose output folder is given:

    - `environment`, `currency`; `date` of the oldest price that was used, and the `source` of all of them
    - `before`, `after`: sums in USD; `tiers`: the same of each tier; `types`: of each type in a tier, the
      dearest first
    - `unpriced`: what is missing from the sums, by tier, type and reason, with the first address and how many
    - `usage`: what is paid by usage, by type, with its tiers and how many

    A resource without a region is in the given one.
    """
    sums: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: dict.fromkeys(WHEN, 0.0))
    unpriced: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    usage: dict[tuple[str, str], list[str]] = defaultdict(list)
    used: dict[str, set[str]] = defaultdict(set)
    for tier, plan in plans.items():
        for when in WHEN:
            for resource, use in _uses(plan, when, region):
                kind = tier, resource.type
                if isinstance(use, str):
                    _list(unpriced[*kind, use], resource.address)
                    continue
                price, quantity = use
                sums[kind][when] += price.usd * quantity
                used[price.source].add(price.day)
            for resource in resources(plan, when):
                for what in _by_usage(resource):
                    _list(usage[resource.type, what], f"{tier}: {resource.address}")
    tiers = {tier: _sum(cost for kind, cost in sums.items() if kind[0] == tier) for tier in plans}
    return {
        "environment": folder.name,
        "currency": "USD",
        "date": min((day for days in used.values() for day in days), default=""),
        "source": " and ".join(f"{name} (oldest price: {min(days)})" for name, days in sorted(used.items())),
        **_sum(sums.values()),
        "tiers": tiers,
        "types": sorted(
            ({"tier": tier, "type": kind, **_sum([cost])} for (tier, kind), cost in sums.items()),
            key=lambda row: -row["after"],
        ),
        "unpriced": [
            {"tier": tier, "address": addresses[0], "type": kind, "why": why, "count": len(addresses)}
            for (tier, kind, why), addresses in unpriced.items()
        ],
        "usage": [
            {"type": kind, "what": what, "tiers": _tiers(addresses), "count": len(addresses)}
            for (kind, what), addresses in usage.items()
        ],
    }


def add(report: dict[str, Any], folder: Path, plans: Mapping[str, dict[str, Any]]) -> None:
    """Puts the estimate into a report, as its `cost` and that of each of its tiers."""
    report["cost"] = estimate(folder, plans, region_of(plans))
    for tier, cost in report["cost"]["tiers"].items():
        report["tiers"][tier]["cost"] = cost


def region_of(plans: Mapping[str, dict[str, Any]]) -> str:
    """The region of the first provider that has one."""
    for plan in plans.values():
        provider = plan.get("configuration", {}).get("provider_config", {}).get("aws", {})
        if region := provider.get("expressions", {}).get("region", {}).get("constant_value"):
            return str(region)
    return ""


def needed(plans: Mapping[str, dict[str, Any]], region: str) -> set[tuple[str, Sku]]:
    """The products whose prices these plans need, with the region of each."""
    return {
        (resource.values.get("region") or region, use.sku)
        for plan in plans.values()
        for when in WHEN
        for resource, use in _quantities(plan, when)
        if isinstance(use, Use)
    }


def resources(plan: Mapping[str, Any], when: str) -> list[Resource]:
    """The managed resources of a plan, before or after it."""
    side: Any = plan
    for key in SIDES[when]:
        side = side.get(key) or {}
    written = plan.get("configuration", {}).get("root_module", {}).get("resources", ())
    refers = {
        resource["address"]: frozenset(_references(resource.get("expressions"))) for resource in written
    }
    return list(_managed(side.get("root_module", {}), refers))


def _managed(module: Mapping[str, Any], refers: Mapping[str, frozenset[str]]) -> Iterator[Resource]:
    for resource in module.get("resources", ()):
        if resource["mode"] == "managed":
            address = resource["address"]
            yield Resource(
                address, resource["type"], resource.get("values") or {}, refers.get(address, frozenset())
            )
    for child in module.get("child_modules", ()):
        yield from _managed(child, refers)


def _references(expressions: Any) -> Iterator[str]:
    """The references of expressions, with and without their attributes."""
    if isinstance(expressions, list):
        for expression in expressions:
            yield from _references(expression)
    elif isinstance(expressions, dict):
        yield from expressions.get("references", ())
        for expression in expressions.values():
            if isinstance(expression, (dict, list)):
                yield from _references(expression)


def _quantities(plan: Mapping[str, Any], when: str) -> Iterator[tuple[Resource, Use | str]]:
    resources_ = resources(plan, when)
    for resource in resources_:
        if count := PRICED.get(resource.type):
            for use in count(resource, resources_):
                yield resource, use
        elif not known(resource.type).free and not known(resource.type).usage:
            yield resource, "the type is unknown to the estimate"


def _uses(
    plan: Mapping[str, Any], when: str, region: str
) -> Iterator[tuple[Resource, tuple[Price, float] | str]]:
    for resource, use in _quantities(plan, when):
        if isinstance(use, str):
            yield resource, use
            continue
        where = resource.values.get("region") or region
        price = prices.price(use.sku, where)
        yield resource, (price, use.quantity) if price else f"no price of {use.sku} in {where}"


def _by_usage(resource: Resource) -> Iterator[str]:
    if usage := known(resource.type).usage:
        yield usage
    if resource.values.get("capacity_type") == "SPOT":
        yield SPOT


def _tiers(addresses: list[str]) -> list[str]:
    return list(dict.fromkeys(item.split(":")[0] for item in addresses))


def _list(addresses: list[str], address: str) -> None:
    if address not in addresses:
        addresses.append(address)


def _sum(costs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    costs_ = list(costs)
    return {when: round(sum((cost[when] for cost in costs_), 0.0), 2) for when in WHEN}
