"""The values that a tier reads from other tiers, now and after their plans are applied. A tier is planned for
real only on values that no plan of this run changes. Otherwise its plan would be made, sealed and applied on
values that the same apply replaces.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tierra.run.workspace import Tier, read_json

REFERENCE = re.compile(
    r"data\.terraform_remote_state\.(?P<tier>\w+)\.outputs\.(?P<name>\w+)"
    r"(?P<path>(?:\.[a-zA-Z_][\w-]*|\[\"[^\"\]]+\"\]|\[\d+\])*)"
)
STEP = re.compile(r"\.([a-zA-Z_][\w-]*)|\[\"([^\"\]]+)\"\]|\[(\d+)\]")

# The tier, the output, and the path in it: ("data", "readers", "replica_1").
Reference = tuple[str, ...]
MISSING = object()


def references(configuration: Any) -> set[Reference]:
    """Every value of another tier that a configuration reads."""
    return set(_references(configuration))


def _references(value: Any) -> Iterator[Reference]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _references(key)
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)
    elif isinstance(value, str) and "terraform_remote_state" in value:
        for match in REFERENCE.finditer(value):
            steps = ("".join(step) for step in STEP.findall(match["path"]))
            yield (match["tier"], match["name"], *steps)


def at(outputs: Mapping[str, Any], reference: Reference) -> Any:
    """The value of a reference among the outputs of its tier, or MISSING."""
    value: Any = outputs
    for step in reference[1:]:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def outputs_of(state: str) -> dict[str, Any]:
    """The values of the outputs in a state as it is stored; none without a state."""
    outputs = json.loads(state).get("outputs", {}) if state.strip() else {}
    return {name: output["value"] for name, output in outputs.items()}


def now(tier: Tier) -> dict[str, Any]:
    """The outputs of a tier in its state when this run read it."""
    outputs: dict[str, Any] = read_json(tier.outputs) if tier.outputs.exists() else {}
    return outputs


def later(tier: Tier) -> dict[str, Any]:
    """The outputs of a tier once the plan of this run is applied."""
    if tier.scratch_state.exists():
        return outputs_of(tier.scratch_state.read_text(encoding="utf-8"))
    return now(tier)


def moving(tier: Tier) -> list[str]:
    """The tiers of which this one reads a value that does not exist yet, or that a plan of this run
    changes."""
    result = []
    for need in tier.needs:
        present, future = now(need), later(need)
        for reference in references(tier.configured()):
            if reference[0] == need.name:
                value = at(present, reference)
                if value is MISSING or value != at(future, reference):
                    result.append(need.name)
                    break
    return result


def complete(tier: Tier) -> bool:
    """Whether the state has every output that the configuration declares, and every key of those that are
    maps."""
    present = now(tier)
    declared = {name: output["value"] for name, output in tier.configured().get("output", {}).items()}
    return all(
        name in present and (not isinstance(value, dict) or value.keys() <= (present[name] or {}).keys())
        for name, value in declared.items()
    )


def value_checksums(tier: Tier) -> dict[str, str]:
    """A checksum of every present value that a tier reads from others, by `network.vpc_id`."""
    return {
        ".".join(reference): digest(at(now(tier.workspace.tier(reference[0])), reference))
        for reference in sorted(references(tier.configured()))
    }


def digest(value: Any) -> str:
    text = "" if value is MISSING else json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recorded(state: str) -> dict[str, dict[str, Any]]:
    """The outputs of other tiers at the last apply of a tier, by tier, from its state."""
    resources = json.loads(state).get("resources", []) if state.strip() else []
    return {
        resource["name"]: instance["attributes"].get("outputs", {}).get("value") or {}
        for resource in resources
        if resource["mode"] == "data" and resource["type"] == "terraform_remote_state"
        for instance in resource["instances"]
    }


def stale(tier: Tier, state: str) -> list[str]:
    """The values that a tier reads and that have changed since its last apply. `now` of the tiers that it
    needs must be current."""
    outputs = recorded(state)
    return sorted(
        ".".join(reference)
        for reference in references(tier.configured())
        if reference[0] in outputs
        and at(outputs[reference[0]], reference) is not MISSING
        and at(outputs[reference[0]], reference) != at(now(tier.workspace.tier(reference[0])), reference)
    )
