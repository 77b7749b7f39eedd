"""Outputs of the delivery tier, also read by the GitHub workflows."""

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
    """Registries and roles, by system; each system has a namespace of the same name. Without GitHub workflows
    there are no roles for them."""

    repository_urls: Annotated[dict[str, str], "URLs of the ECR repositories, by system", keyed_by(systems)]
    repository_arns: Annotated[dict[str, str], "ARNs of the ECR repositories, by system", keyed_by(systems)]
    images_key_arn: Annotated[str, "ARN of the KMS key that encrypts images"]
    oidc_provider_arn: Annotated[str, "ARN of the OIDC identity provider of GitHub Actions", GITHUB] = (
        LEFT_OUT
    )
    push_role_arns: Annotated[
        dict[str, str], "ARNs of the IAM roles that push images, by system", keyed_by(systems), GITHUB
    ] = field(default_factory=dict)
    deploy_role_arns: Annotated[
        dict[str, str],
        "ARNs of the IAM roles that deploy to the namespace of a system, by system",
        keyed_by(systems),
        GITHUB,
    ] = field(default_factory=dict)
    plan_role_arn: Annotated[
        str, "ARN of the IAM role that plans infrastructure in pull requests; it cannot read secrets", GITHUB
    ] = LEFT_OUT
    apply_role_arn: Annotated[str, "ARN of the IAM role that applies infrastructure", GITHUB] = LEFT_OUT
