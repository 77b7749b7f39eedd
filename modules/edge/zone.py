"""Hosted zones, which are looked up and never created: they exist independently of environments."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.data_aws_route53_zone import DataAwsRoute53Zone
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderAssumeRole

from modules.edge.domains import slug
from modules.edge.names import all_hosts
from tierra.terraform.stack import Stack

MAIN, PROVIDER = "main", "zone"


@dataclass(frozen=True)
class Zone:
    """The ID, and the provider for the account of the zone; None for the default provider."""

    id: str
    provider: AwsProvider | None


class Zones:
    """`data.aws_route53_zone.main`, the public zone of that name, unless the spec has its ID, and one for
    each further zone of the spec. Only zones without an ID are looked up."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._settings = stack.environment.edge
        self._providers: dict[str, AwsProvider] = {}
        used = {self._settings.zone_of(host) for host in all_hosts(self._settings, stack.environment.systems)}
        self._zones = {name: self._zone(name) for name in self._settings.zone_names if name in used}

    def of(self, host: str) -> Zone:
        """The zone for the records of a name."""
        return self._zones[self._settings.zone_of(host) or self._settings.zone]

    def _zone(self, name: str) -> Zone:
        entry = self._settings.zones.get(name)
        zone_id, role = (
            (entry.id, entry.role) if entry else (self._settings.zone_id, self._settings.zone_role)
        )
        provider = self._provider(role, PROVIDER if entry is None else f"{PROVIDER}_{slug(name)}")
        if zone_id is not None:
            return Zone(zone_id, provider)
        zone = self._stack.add(
            DataAwsRoute53Zone,
            MAIN if entry is None else slug(name),
            name=name,
            private_zone=False,
            provider=provider,
        )
        return Zone(zone.zone_id, provider)

    def _provider(self, role: str | None, alias: str) -> AwsProvider | None:
        """`aws.zone`, in the account of the zone; one for each role. The provider assumes the roles one after
        the other (hashicorp/terraform-provider-aws #39255)."""
        if role is None:
            return None
        if role not in self._providers:
            environment = self._stack.environment
            self._providers[role] = AwsProvider(
                self._stack,
                alias,
                alias=alias,
                region=environment.region,
                allowed_account_ids=[role.split(":")[4]],
                retry_mode="adaptive",
                max_retries=25,
                assume_role=[
                    AwsProviderAssumeRole(role_arn=arn) for arn in (environment.assume_role, role) if arn
                ],
            )
        return self._providers[role]
