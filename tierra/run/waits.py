"""Changes that were requested from AWS before and wait for a maintenance window. Until then AWS returns the
old values, and each plan would request the change again. The output `asked` of the last apply contains the
requests; an override makes a plan ignore them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tierra.aws.waits import waits
from tierra.run.workspace import Tier, read_json

OUTPUT = "asked"
# By address: the waiting arguments with their present values.
Asked = dict[str, dict[str, Any]]


def asked(plan: Mapping[str, Any]) -> Asked:
    """The changes of a plan that wait already. A manual change is not waiting: there the state differs from
    AWS."""
    before = plan.get("output_changes", {}).get(OUTPUT, {}).get("before")
    drifted = {
        drifted_resource["address"]: drifted_resource["change"]
        for drifted_resource in plan.get("resource_drift", [])
    }
    result: Asked = {}
    for resource in plan.get("resource_changes", []):
        change, address = resource["change"], resource["address"]
        if change["actions"] != ["update"]:
            continue
        was, now, wanted = change["before"], change["after"], noted(before, address)
        by_hand = drifted.get(address)
        names = [
            name
            for name in waits(resource["type"], was, now)
            if wanted.get(name) == now[name]
            and not (by_hand and (by_hand["before"] or {}).get(name) != (by_hand["after"] or {}).get(name))
        ]
        if names:
            result[address] = {name: was[name] for name in names}
    return result


def override(waiting: Asked) -> str:
    """The override by which a plan ignores waiting changes."""
    result: dict[str, dict[str, Any]] = {}
    for address, values in waiting.items():
        kind, name = address.split(".", 1)
        result.setdefault(kind, {})[name] = values
    return json.dumps({"resource": result}, indent=1) + "\n"


def noted(text: Any, address: str) -> Mapping[str, Any]:
    """The changes of one resource that the last apply requested."""
    values = json.loads(text).get(address, {}) if isinstance(text, str) else {}
    return values if isinstance(values, dict) else {}


def without(plan: Mapping[str, Any], waiting: Asked) -> dict[str, Any]:
    """A plan without updates that consist only of waiting changes."""

    def rests(resource: Mapping[str, Any]) -> bool:
        change, names = resource["change"], waiting.get(resource["address"], {})
        was, now = change["before"] or {}, change["after"] or {}
        return bool(names) and all(was.get(name) == value for name, value in now.items() if name not in names)

    return {
        **plan,
        "resource_changes": [
            resource for resource in plan.get("resource_changes", []) if not rests(resource)
        ],
    }


def lines(tier: Tier) -> list[str]:
    """The waiting changes that the plan of a tier ignores, a line for each resource."""
    waiting = read_json(tier.waits) if tier.waits.exists() else {}
    return [
        f"{tier.name}: {address}: {', '.join(values)}: requested before, made in the maintenance window"
        for address, values in waiting.items()
    ]
