"""Kubernetes versions that a spec may name, and the versions of add-ons for each, from
`tierra/aws/versions.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.aws import calendar
from tierra.validation.messages import choices
from tierra.validation.model import rule_error

# By Kubernetes version: the versions of the add-ons and of the autoscaler image.
ADDONS = {version: row.facts for version, row in calendar.rows(calendar.ADDONS).items()}
AUTOSCALER = {version: row.facts["image"] for version, row in calendar.rows(calendar.AUTOSCALER).items()}
VERSIONS = tuple(
    version
    for version in calendar.offered(calendar.KUBERNETES)
    if version in ADDONS and version in AUTOSCALER
)
NEWEST = VERSIONS[-1]


def _offered(version: str) -> str:
    if version in VERSIONS:
        return version
    known = choices(VERSIONS)
    row = calendar.rows(calendar.KUBERNETES).get(version)
    if row and row.standard_until and row.standard_until < row.read:
        raise rule_error(
            f"the version must be in standard support, which ended for {version} on {row.standard_until};"
            " EKS upgrades such clusters by itself",
            f'write "{NEWEST}" for a new cluster, or the version that yours has now: {known}',
        )
    raise rule_error(
        f"the version must be {known} (Tierra's table is of {calendar.as_of(calendar.KUBERNETES)})",
        f'write "{NEWEST}", in quotes; make versions adds those that EKS has released since',
    )


KubernetesVersion = Annotated[
    str,
    AfterValidator(_offered),
    WithJsonSchema({"type": "string", "pattern": r"^1\.[0-9]{2}$", "examples": [NEWEST]}),
]
