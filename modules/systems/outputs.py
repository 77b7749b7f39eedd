"""What other tiers, and operators, may use of the systems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from modules.outputs import Outputs, keyed_by
from modules.spec import Environment


def systems(environment: Environment) -> Iterable[str]:
    """The names of the systems."""
    return environment.systems


@dataclass(frozen=True)
class SystemsOutputs(Outputs, tier="systems"):
    """By the name of the system, which is that of its namespace, Deployment and Service as well."""

    role_arns: Annotated[dict[str, str], "Roles of the pods, by system", keyed_by(systems)]
    secret_arns: Annotated[
        dict[str, str],
        "Secrets for operators to fill, a JSON object of variables each, by system",
        keyed_by(systems),
    ]
