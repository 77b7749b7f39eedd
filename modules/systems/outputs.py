"""Outputs of the systems tier."""

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
    """Each system has a namespace of the same name, and an IAM role for its pods."""

    pod_role_arns: Annotated[
        dict[str, str], "ARNs of the IAM roles of the pods, by system", keyed_by(systems)
    ]
