"""Outputs of delivery for other tiers and for the workflows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from tierra.terraform.outputs import LEFT_OUT, Outputs, keyed_by, where

if TYPE_CHECKING:
    from modules.spec import Environment


def systems(environment: Environment) -> Iterable[str]:
    """The names of the systems."""
    return environment.systems


GITHUB = where(lambda environment: environment.delivery.github)


@dataclass(frozen=True, kw_only=True)
class DeliveryOutputs(Outputs, tier="delivery"):
    """Registries and roles by the name of the system; each system has a namespace of its name. Without
    workflows of GitHub there are no roles for them."""

    repository_urls: Annotated[
        dict[str, str], "Where images are pushed and pulled, by system", keyed_by(systems)
    ]
    repository_arns: Annotated[dict[str, str], "ARNs of the registries, by system", keyed_by(systems)]
    images_key_arn: Annotated[str, "Key that encrypts the images"]
    oidc_provider_arn: Annotated[str, "Identity provider of GitHub Actions", GITHUB] = LEFT_OUT
    push_role_arns: Annotated[
        dict[str, str], "Roles that push images, by system", keyed_by(systems), GITHUB
    ] = field(default_factory=dict)
    deploy_role_arns: Annotated[
        dict[str, str], "Roles that deploy to the namespace of a system, by system", keyed_by(systems), GITHUB
    ] = field(default_factory=dict)
    plan_role_arn: Annotated[
        str, "Role of pull requests: plans infrastructure, and reads no secret", GITHUB
    ] = LEFT_OUT
    apply_role_arn: Annotated[str, "Role that applies infrastructure", GITHUB] = LEFT_OUT
