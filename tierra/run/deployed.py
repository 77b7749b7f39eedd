"""Images that pipelines have deployed since a plan was saved.

A pipeline records the image that runs in a parameter of SSM; terraform reads it when it plans, and an apply
of the saved plan would release that old image again.
"""

from __future__ import annotations

from typing import Any

from tierra.run.terraform import Terraform
from tierra.run.workspace import Tier, read_json

VALUE = "insecure_value"
PLAN, JSON = "deployed.tfplan", "deployed.json"


def since(tier: Tier, terraform: Terraform) -> list[str]:
    """The parameters, by name, whose value has changed since the plan of a tier was saved. None for a plan
    without changes."""
    plan = read_json(tier.plan_json)
    planned = _values(plan, recorded(tier))
    if not planned or not plan.get("applyable", True):
        return []
    # With -target terraform does not apply moves.
    moves = any(change.get("previous_address") for change in plan.get("resource_changes", []))
    now = _values(_refreshed(tier, terraform, [] if moves else sorted(planned)), set(planned))
    return sorted(name for address, (name, value) in planned.items() if now.get(address) != (name, value))


def recorded(tier: Tier) -> set[str]:
    """The addresses of parameters whose value terraform does not manage."""
    parameters = tier.configured().get("resource", {}).get("aws_ssm_parameter", {})
    return {
        f"aws_ssm_parameter.{name}"
        for name, parameter in parameters.items()
        if VALUE in parameter.get("lifecycle", {}).get("ignore_changes", [])
    }


def _refreshed(tier: Tier, terraform: Terraform, addresses: list[str]) -> dict[str, Any]:
    """A refresh-only plan of these resources, or of all if none is given."""
    plan, shown = tier.folder / PLAN, tier.folder / JSON
    options = [
        f"-lock-timeout={tier.workspace.lock_timeout}",
        *(f"-target={address}" for address in addresses),
    ]
    try:
        terraform.run(
            ["plan", "-refresh-only", "-input=false", "-no-color", f"-out={PLAN}", *options],
            tier.plan_log,
            doing="reads the running images",
        )
        terraform.save(["show", "-json", PLAN], shown)
        result: dict[str, Any] = read_json(shown)
        return result
    finally:
        for left in (plan, shown):
            left.unlink(missing_ok=True)


def _values(plan: dict[str, Any], addresses: set[str]) -> dict[str, tuple[str, str]]:
    """Name and value of each parameter in AWS according to a plan, without those that do not exist yet."""
    values = plan.get("prior_state", {}).get("values", {})
    return {
        resource["address"]: (resource["values"]["name"], resource["values"][VALUE])
        for resource in values.get("root_module", {}).get("resources", [])
        if resource["address"] in addresses
    }
