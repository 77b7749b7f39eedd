"""The hosted zone. It exists before and after any environment, so it is looked up, never created."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.data_aws_route53_zone import DataAwsRoute53Zone
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderAssumeRole

from modules.stack import Stack

PROVIDER = "zone"


@dataclass(frozen=True)
class Zone:
    """The ID, and the provider that reaches the zone; None for that of everything else."""

    id: str
    provider: AwsProvider | None


def zone(stack: Stack) -> Zone:
    """The ID from the spec, or that of `data.aws_route53_zone.main`, the public zone of that name."""
    settings, provider = stack.environment.edge, _provider(stack)
    if settings.zone_id is not None:
        return Zone(settings.zone_id, provider)
    found = stack.add(
        DataAwsRoute53Zone, "main", name=settings.zone, private_zone=False, provider=provider
    ).zone_id
    return Zone(found, provider)


def _provider(stack: Stack) -> AwsProvider | None:
    """`aws.zone`, in the account of the zone. The provider takes on one role after the other
    (hashicorp/terraform-provider-aws #39255)."""
    place = stack.environment
    role = place.edge.zone_role
    if role is None:
        return None
    roles = [each for each in (place.assume_role, role) if each]
    return AwsProvider(
        stack,
        PROVIDER,
        alias=PROVIDER,
        region=place.region,
        allowed_account_ids=[role.split(":")[4]],
        retry_mode="adaptive",
        max_retries=25,
        assume_role=[AwsProviderAssumeRole(role_arn=each) for each in roles],
    )
