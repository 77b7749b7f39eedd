"""The hosted zone. It is older than any environment and outlives them all, so it is found, never made."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.data_aws_route53_zone import DataAwsRoute53Zone

from modules.stack import Stack


def zone(stack: Stack) -> str:
    """The ID from the spec, or that of `data.aws_route53_zone.main`, the public zone of that name."""
    settings = stack.environment.edge
    if settings.zone_id is not None:
        return settings.zone_id
    found: str = stack.add(DataAwsRoute53Zone, "main", name=settings.zone, private_zone=False).zone_id
    return found
