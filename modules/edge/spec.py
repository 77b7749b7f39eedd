"""Keys of `edge:`: host names, load balancer and firewall."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from modules.edge.domains import LONGEST_DOMAIN, DomainName, HostName, domain_name, lies_in, without_star
from modules.edge.given import CertificateArn
from modules.edge.waf_spec import Waf
from modules.network.ranges import Range
from tierra.terraform.roles import ZoneRole
from tierra.validation.model import Model, Violation, repeated, rule, rule_error
from tierra.validation.optional import MAY_BE_OFF, OFF

if TYPE_CHECKING:
    pass

# A load balancer rule has at most five values (ELB user guide, "Quotas for your Application Load Balancers"):
# the domain and these.
MOST_ALIASES = 4
# Two rules each, of 60 in a security group (Amazon VPC quotas).
MOST_CLIENTS = 20


def _zone_id(text: str) -> str:
    if not re.fullmatch(r"Z[A-Z0-9]{1,31}", text):
        match = re.fullmatch(r"(?:/?hostedzone/)?(z[a-z0-9]{1,31})", text.strip().lower())
        remedy = f"write {match[1].upper()}" if match else "copy it from the Route 53 console"
        raise rule_error(
            "the ID of a hosted zone must be Z and up to 31 uppercase letters and digits", remedy
        )
    return text


def _quoted(value: Any) -> Any:
    if isinstance(value, float):
        raise rule_error(
            "a version must be text; without quotes YAML reads a number", f'put it in quotes: "{value}"'
        )
    return value


def _dns(value: object) -> object:
    return OFF if value is False else value  # false in other YAML parsers


ZoneId = Annotated[
    str, AfterValidator(_zone_id), WithJsonSchema({"type": "string", "pattern": "^Z[A-Z0-9]{1,31}$"})
]


ZoneName = Annotated[str, AfterValidator(domain_name)]


class OtherZone(Model):
    """A further hosted zone."""

    id: ZoneId | None = Field(
        default=None,
        description="ID of the zone. Left out, the zone is looked up by its name.",
        examples=["Z0123456789EXAMPLE"],
    )
    role: ZoneRole | None = Field(
        default=None,
        json_schema_extra={"default": "the zone is in the account of the environment"},
        description="Role in the account of this zone, if it is in another account; see zone_role.",
        examples=["arn:aws:iam::210987654321:role/dns"],
    )


class Edge(Model):
    """DNS names, certificate, load balancer and firewall."""

    zone: DomainName = Field(
        default="example.com",
        description="Public hosted zone of Route 53 that contains the names. It must exist, and your"
        " registrar must delegate to it. Required for target: aws, but not with dns: off; then"
        " it is the zone that you manage.",
        examples=["example.com"],
    )
    zone_id: ZoneId | None = Field(
        default=None,
        description="ID of the hosted zone. Left out, the zone is looked up by its name; needed if two"
        " public zones have the same name.",
        examples=["Z0123456789EXAMPLE"],
    )
    zone_role: ZoneRole | None = Field(
        default=None,
        json_schema_extra={"default": "the zone is in the account of the environment"},
        description="Role in the account of the hosted zone, if that is another account. Terraform"
        " assumes it only to find the zone and to write records. Requires delivery.ci: off,"
        " because plans of pull requests must not be able to write records.",
        examples=["arn:aws:iam::210987654321:role/dns"],
    )
    zones: dict[ZoneName, OtherZone] = Field(
        default_factory=dict,
        description="Further public hosted zones of Route 53, by name, for names that are not in zone."
        " The records of a name, including those that validate its certificate, are in the"
        " most specific zone that contains the name.",
        examples=[{"shop.example.com": {}}],
    )
    domain: DomainName | None = Field(
        default=None,
        description="The public name: a zone or a name in one, at most 64 characters. Left out, it is"
        " app.<zone>. Required for target: aws.",
        examples=["app.example.com"],
    )
    aliases: Annotated[tuple[HostName, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": MOST_ALIASES},
        description="Further names in zone or zones, at most four; *.app.example.com covers all names one"
        " level below. They get records, are in the certificate and lead to the same gateway.",
        examples=[["www.example.com", "*.app.example.com"]],
    )
    dns: Annotated[Literal["route53", "off"], BeforeValidator(_dns)] = Field(
        default="route53",
        description="Who writes the records of the names: Tierra, in the zone of Route 53, or you (off),"
        " if the zone is hosted elsewhere. With off, certificate is required, and an apply"
        " ends with the records to create, which are also in the output dns_records.",
    )
    certificate: CertificateArn | None = Field(
        default=None,
        json_schema_extra={"default": "one from ACM, validated by records in the zone"},
        description="ARN of your own certificate in ACM, issued for all of the names, in the account and"
        " region of the environment. You must renew a certificate that ACM did not issue"
        " itself; the alarms before its expiry remain.",
        examples=["arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"],
    )
    caa: bool | None = Field(
        default=None,
        description="CAA records, which allow only Amazon to issue certificates for these names and all"
        " names below. Left out, each name except the zone itself has one, because a record at"
        " the zone would apply to the whole zone. true: also the zone. false: none, if other"
        " authorities issue certificates for names below.",
    )
    scheme: Literal["internet", "internal"] = Field(
        default="internet",
        description="Whether the load balancer is in the public subnets, open to the internet (internet),"
        " or in the private subnets, for the VPC and the ranges of clients (internal). A"
        " change replaces the load balancer; the names are not reachable meanwhile.",
    )
    clients: Annotated[tuple[Range, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": MOST_CLIENTS, "uniqueItems": True},
        description="Private ranges outside the VPC (of offices, a VPN or other VPCs) that reach the load"
        " balancer on 80 and 443; only with scheme: internal. Each must be inside a range of"
        " network.routes or network.reserved.",
        examples=[["10.0.0.0/14"]],
    )
    tls: Annotated[Literal["1.2", "1.3"], BeforeValidator(_quoted)] = Field(
        default="1.2",
        description="The lowest TLS version that clients may use, in quotes. Both values offer"
        " post-quantum key exchange.",
    )
    hsts_days: int = Field(
        default=365,
        ge=0,
        le=730,
        description="Days that browsers which have visited once refuse plain HTTP to these names. This"
        " cannot be revoked earlier for browsers that do not return; 0 tells browsers to"
        " forget it.",
    )
    hsts_subdomains: bool | None = Field(
        default=None,
        description="Whether browsers also refuse plain HTTP to names below (includeSubDomains). Left"
        " out, they do, unless one of the names is the zone itself or, with dns: off, outside"
        " of it, because it may be a whole zone.",
    )
    shield: bool = Field(
        default=False,
        description="Shield Advanced for the load balancer. The account must be subscribed to it, which costs"
        " thousands a month.",
    )
    waf: Annotated[Waf | None, *MAY_BE_OFF] = Field(
        default_factory=Waf,
        description="The web application firewall. off: it is not built, and the load balancer answers"
        " every request from the internet.",
    )

    @rule("dns", "certificate", "zone_id", "zone_role", "zones", "caa")
    def records_are_written_or_not(self) -> Iterator[Violation]:
        """dns: off requires your own certificate, and refuses keys that would have no effect."""
        if not self.records and self.certificate is None:
            rule = "dns: off requires certificate, because ACM validates its own by records in the zone"
            remedy = (
                "add certificate: with the ARN of a certificate that is issued for the names, or remove"
                " dns: off"
            )
            yield Violation(("certificate",), rule, remedy, "(missing)")
        if not self.records and self.zone_id is not None:
            rule = "with dns: off Tierra writes no records, so this zone must be left out"
            yield Violation(("zone_id",), rule, "remove the line, or remove dns: off")
        if not self.records and self.zone_role is not None:
            rule = "with dns: off Tierra writes no records, so this role must be left out"
            yield Violation(("zone_role",), rule, "remove the line, or remove dns: off")
        for name in self.zones:
            if not self.records:
                rule = "with dns: off Tierra writes no records, so this zone must be left out"
                yield Violation(("zones", name), rule, "remove it, or remove dns: off")
            elif name == self.zone:
                rule = "zones must list further zones, but this is edge.zone"
                yield Violation(("zones", name), rule, "remove it, and write its ID as edge.zone_id")
        if self.caa is not None and self.certificate is not None:
            rule = "caa requires a certificate that Tierra requests, but this spec has its own certificate"
            yield Violation(("caa",), rule, "remove the line, or remove certificate")

    @property
    def internal(self) -> bool:
        """Whether the load balancer is not reachable from the internet."""
        return self.scheme == "internal"

    @rule("scheme", "clients", "shield")
    def internal_is_for_clients(self) -> Iterator[Violation]:
        """clients require scheme: internal, and Shield requires scheme: internet."""
        if self.clients and not self.internal:
            rule = "clients requires scheme: internal, but the load balancer is open to the internet"
            yield Violation(("clients",), rule, "remove them, or write scheme: internal")
        if self.shield and self.internal:
            rule = "shield requires scheme: internet: Shield Advanced protects public load balancers"
            yield Violation(("shield",), rule, "remove the line, or write scheme: internet")
        for index in repeated(map(str, self.clients)):
            yield Violation(("clients", index), "each range must be named once", "remove the second one")
        if len(self.clients) > MOST_CLIENTS:
            rule = f"clients must have at most {MOST_CLIENTS} ranges, for one security group"
            yield Violation(("clients",), rule, "join neighbouring ranges", f"{len(self.clients)} ranges")

    @property
    def records(self) -> bool:
        """Whether Tierra writes the records."""
        return self.dns == "route53"

    @property
    def main_domain(self) -> str:
        """The host name in the address of the platform."""
        return self.domain or f"app.{self.zone}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every name, the main one first."""
        return (self.main_domain, *self.aliases)

    @property
    def zone_names(self) -> tuple[str, ...]:
        """Every zone, the main one first."""
        return (self.zone, *self.zones)

    def zone_of(self, name: str) -> str | None:
        """The zone for the records of a name: the longest that matches, or None."""
        zones = (zone for zone in self.zone_names if lies_in(without_star(name), zone))
        return max(zones, key=len, default=None)

    @property
    def places(self) -> str:
        """The zones as messages list them."""
        return f"the zone {self.zone}" if not self.zones else f"one of the zones {', '.join(self.zone_names)}"

    def strict_below(self, hosts: Collection[str]) -> bool:
        """Whether HSTS applies to names below these (RFC 6797, 6.1.2); for a whole zone only if the spec says
        so. With dns: off, names outside of `zone` may be whole zones, too."""
        if self.hsts_subdomains is not None:
            return self.hsts_subdomains
        return all(name not in self.zone_names and self.zone_of(name) for name in hosts)

    def authority_at(self, name: str) -> bool:
        """Whether a name has a CAA record. It applies to all names below without one (RFC 8659, 3), so a
        whole zone has one only if the spec says so."""
        return name not in self.zone_names if self.caa is None else self.caa

    @rule("zone", "zones", "domain", "dns")
    def domain_lies_in_the_zone(self) -> Iterator[Violation]:
        """The domain must be in a zone, and short enough for a certificate."""
        if self.records and not self.zone_of(self.main_domain):
            rule = f"the domain must be {self.places} or a name below it"
            yield Violation(("domain",), rule, f"write app.{self.zone}, or change edge.zone")
        if len(self.main_domain) > LONGEST_DOMAIN:
            rule = f"the first name of a certificate must have at most {LONGEST_DOMAIN} characters"
            rule += f"; this has {len(self.main_domain)}"
            yield Violation(("domain",), rule, "choose a shorter one")

    @rule("zone", "zones", "domain", "aliases", "dns")
    def aliases_are_few_and_distinct(self) -> Iterator[Violation]:
        """Aliases must be in a zone, different, and at most as many as a rule accepts."""
        for index, name in enumerate(self.aliases):
            if self.records and not self.zone_of(name):
                rule = f"every name must be in {self.places}"
                yield Violation(("aliases", index), rule, "remove it, or add its hosted zone to edge.zones")
        for index in repeated(self.hosts):
            yield Violation(
                ("aliases", index - 1), "each name must be listed once, including the domain", "remove it"
            )
        if len(self.aliases) > MOST_ALIASES:
            rule = f"there must be at most {MOST_ALIASES} names in addition to the domain"
            remedy = "remove some, or write one such as *.app.example.com"
            yield Violation(("aliases",), rule, remedy, f"{len(self.aliases)} names")
