"""What other tiers, and the workflows, may use of delivery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from modules.outputs import Outputs, keyed_by
from modules.spec import Environment

NO_IMAGE = "none"  # what the parameter of a system says until its first deployment


def systems(environment: Environment) -> Iterable[str]:
    """The names of the systems."""
    return environment.systems


@dataclass(frozen=True)
class DeliveryOutputs(Outputs, tier="delivery"):
    """Registries and roles by the name of the system; each system has a namespace of its name."""

    repository_urls: Annotated[
        dict[str, str], "Where images are pushed and pulled, by system", keyed_by(systems)
    ]
    repository_arns: Annotated[dict[str, str], "ARNs of the registries, by system", keyed_by(systems)]
    image_parameter_names: Annotated[
        dict[str, str],
        "Parameters that say which image runs (its digest, or none before the first deployment), by system",
        keyed_by(systems),
    ]
    images_key_arn: Annotated[str, "Key that encrypts the images"]
    oidc_provider_arn: Annotated[str, "Identity provider of GitHub Actions"]
    push_role_arns: Annotated[dict[str, str], "Roles that push images, by system", keyed_by(systems)]
    deploy_role_arns: Annotated[
        dict[str, str], "Roles that deploy to the namespace of a system, by system", keyed_by(systems)
    ]
    plan_role_arn: Annotated[str, "Role of pull requests: plans infrastructure, and reads no secret"]
    apply_role_arn: Annotated[str, "Role that applies infrastructure"]
