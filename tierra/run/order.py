"""The order of changes when a plan removes something that other tiers use.

Producers are applied before their consumers, so that new resources exist when they are used. Removals need
the reverse order: first the consumers release a resource, then the producer removes it. A producer whose plan
removes something in use is therefore applied twice: without the removals, and after its consumers, with them.
Changes that cannot be ordered like this are refused before anything is changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tierra.aws.types import known
from tierra.report.findings import REFUSED, Finding
from tierra.run.terraform import Terraform
from tierra.run.workspace import Tier, Workspace, read_json

# Everything in the cluster is deleted with it, although the states of other tiers do not refer to it.
CLUSTER = "aws_eks_cluster"
# Attributes by which other resources refer to a resource, and the form of values that no other resource has.
NAMES = ("id", "arn", "address", "endpoint", "dns_name", "repository_url")
UNIQUE = re.compile(r"arn:|[a-z]+-[0-9a-f]{8,}$|db-[A-Z0-9]{10,}$|Z[A-Z0-9]{10,}$|.*\.amazonaws\.com")


def changes(plan: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Address, type and change of every managed resource of a plan."""
    for resource in plan.get("resource_changes", []):
        if resource["mode"] == "managed":
            yield resource["address"], resource["type"], resource["change"]


def names(kind: str, change: Mapping[str, Any]) -> set[str]:
    """The texts by which other resources refer to one that a plan removes. Databases refer to their subnet
    group by its name, which is quoted in a state."""
    before = change["before"] or {}
    identifiers = {
        value for name in NAMES if isinstance(value := before.get(name), str) and UNIQUE.match(value)
    }
    return identifiers | ({json.dumps(before["name"])} if _group(kind) and before.get("name") else set())


def _group(kind: str) -> bool:
    """Whether it is a subnet group. AWS does not remove a subnet from it while an instance uses the subnet
    (SubnetAlreadyInUse, SubnetInUse)."""
    return known(kind).kept_while_used and kind.endswith("_subnet_group")


# Resources of states: tier, address, attributes as JSON.
Resources = list[tuple[str, str, str]]


def consuming(tier: Tier) -> Resources:
    """The resources of all tiers that need this one. Each state is read once."""
    return [
        (consumer.name, *resource) for consumer in downstream(tier) for resource in _managed(stored(consumer))
    ]


def users(resources: Resources, wanted: set[str]) -> dict[str, list[str]]:
    """The addresses of resources, by tier, that refer to one of these."""
    return by_tier([resource for resource in resources if any(name in resource[2] for name in wanted)])


def by_tier(resources: Resources) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for tier, address, _ in resources:
        result.setdefault(tier, []).append(address)
    return result


def downstream(tier: Tier) -> list[Tier]:
    """All tiers that need this one, directly or through others, producers first."""
    wanted = {tier.name}
    for name, needs in tier.workspace.facts["tiers"].items():
        if wanted & set(needs):
            wanted.add(name)
    return [tier.workspace.tier(name) for name in tier.workspace.order if name in wanted - {tier.name}]


def _managed(state: str) -> Iterator[tuple[str, str]]:
    for resource in json.loads(state)["resources"] if state.strip() else []:
        if resource["mode"] == "managed":
            text = json.dumps([instance["attributes"] for instance in resource["instances"]])
            yield f"{resource['type']}.{resource['name']}", text


def released(tier: Tier, plan: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The resources that a plan removes although other tiers use them: by address, their users by tier.
    Included are subnet groups from which the plan removes a subnet that it destroys."""
    removed = {
        address: lost_names
        for address, kind, change in changes(plan)
        if change["actions"] == ["delete"] and (lost_names := names(kind, change))
    }
    if not removed:
        return {}
    lost: set[str] = set().union(*removed.values())
    resources = consuming(tier)
    used = {name: users(resources, {name}) for name in lost}
    result = {}
    for address, known_as in removed.items():
        by: dict[str, list[str]] = {}
        for name in known_as:
            for consumer, addresses in used.get(name, {}).items():
                by[consumer] = sorted({*by.get(consumer, []), *addresses})
        if by:
            result[address] = by
    for address, kind, change in changes(plan):
        if _group(kind) and change["actions"] == ["update"]:
            destroyed = set(change["before"].get("subnet_ids") or ()) & lost
            if destroyed and (by := users(resources, {json.dumps(change["before"]["name"])})):
                result[address] = by
    return result


def replaced(tier: Tier, plan: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The resources that a plan replaces although other tiers use them: by address, their users by tier."""
    removed = [
        (address, kind, names(kind, change))
        for address, kind, change in changes(plan)
        if {"delete", "create"} <= set(change["actions"]) and (known(kind).kept_while_used or kind == CLUSTER)
    ]
    if not removed:
        return {}
    resources = consuming(tier)
    releases = [resource for resource in resources if resource[1].startswith("helm_release.")]
    result = {}
    for address, kind, known_as in removed:
        if by := by_tier(releases) if kind == CLUSTER else users(resources, known_as):
            result[address] = by
    return result


def stored(tier: Tier) -> str:
    """The stored state of a tier, whether or not this run has prepared terraform for it."""
    terraform = Terraform(tier, "apply")
    if not tier.workspace.rehearsed:
        terraform.init()
    return terraform.pull()


def findings(workspace: Workspace) -> list[Finding]:
    """Why an apply of the selected tiers would stop halfway, with the commands that help."""
    return [finding for tier in workspace.tiers() if tier.plan_json.exists() for finding in _findings(tier)]


def _findings(tier: Tier) -> Iterator[Finding]:
    workspace, plan = tier.workspace, read_json(tier.plan_json)
    then = (workspace.command("plan"), workspace.command("apply"))
    if stuck := replaced(tier, plan):
        used = {name for by in stuck.values() for name in by}
        dependents = {consumer.name for name in used for consumer in downstream(workspace.tier(name))} | used
        targets = [name for name in reversed(workspace.order) if name in dependents]
        address, by = next(iter(stuck.items()))
        others = len(stuck) - 1
        more = f"; {others} more of this tier {'are' if others > 1 else 'is'} in use too" if others else ""
        message = (
            f"it would be replaced, and AWS does not delete it while it is in use: {_listed(by)}{more}."
            " Revert the change; or, if the data may be lost, run:"
        )
        lines = (workspace.command("destroy", targets), *then)
        yield Finding(REFUSED, tier.name, address, "replace", message, lines, critical=True)
    for address, by in released(tier, plan).items():
        if left := {name: at for name, at in by.items() if name not in workspace.selected}:
            message = f"it is still used by {_listed(left)}. Plan and apply these tiers together:"
            yield Finding(REFUSED, tier.name, address, "delete", message, then, critical=True)


def _listed(by: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{name} ({some(addresses)})" for name, addresses in by.items())


def some(addresses: list[str]) -> str:
    """The first two addresses, and the number of the others."""
    more = f" and {len(addresses) - 2} more" if len(addresses) > 2 else ""
    return ", ".join(addresses[:2]) + more


def anchored(tier: Tier) -> dict[str, Any]:
    """An override that makes every output refer to a resource and keeps its value. A plan with targets leaves
    out outputs that refer to nothing, and consumers would keep the old value."""
    configuration = tier.configured()
    kind, named = next(iter(configuration["resource"].items()))
    anything = f"{kind}.{next(iter(named))}"
    plain = {
        name: json.dumps(json.dumps(output["value"]))
        for name, output in configuration.get("output", {}).items()
        if "${" not in json.dumps(output["value"])
    }
    return {
        "output": {
            name: {"value": f"${{[jsondecode({value}), {anything}][0]}}"} for name, value in plain.items()
        }
    }


def targets(tier: Tier, left: set[str]) -> list[str]:
    """Options for a plan of all configured resources except these. The plan leaves resources that are no
    longer configured as they are."""
    configuration = tier.configured()
    addresses = [
        f"{prefix}{kind}.{name}"
        for section, prefix in (("resource", ""), ("data", "data."))
        for kind, named in configuration.get(section, {}).items()
        for name in named
    ]
    addresses += [f"module.{name}" for name in configuration.get("module", {})]
    return [f"-target={address}" for address in addresses if address not in left]
