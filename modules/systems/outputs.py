"""Outputs of the systems for other tiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tierra.terraform.outputs import Outputs, keyed_by

if TYPE_CHECKING:
    from modules.spec import Environment


def systems(environment: Environment) -> Iterable[str]:
    """The names of the systems."""
    return environment.systems


@dataclass(frozen=True)
class SystemsOutputs(Outputs, tier="systems"):
    """Each system has a namespace of its name, and its pods a role."""

    pod_role_arns: Annotated[dict[str, str], "Roles of the pods, by system", keyed_by(systems)]
