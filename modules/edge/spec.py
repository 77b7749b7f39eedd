"""What `edge:` may say: the names under which the platform is reached, and what guards them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from modules.edge.domains import LONGEST_DOMAIN, DomainName, HostName, lies_in, without_star
from modules.edge.waf_spec import Waf
from modules.optional import MAY_BE_OFF
from modules.section import Finding, Section, check, fault, repeated

if TYPE_CHECKING:
    pass

# A rule of the load balancer takes five values in all (ELB user guide, "Quotas for your Application Load
# Balancers"): the domain and these.
MOST_ALIASES = 4


def _zone_id(text: str) -> str:
    if not re.fullmatch(r"Z[A-Z0-9]{1,31}", text):
        found = re.fullmatch(r"(?:/?hostedzone/)?(z[a-z0-9]{1,31})", text.strip().lower())
        remedy = f"write {found[1].upper()}" if found else "copy it from the Route 53 console"
        raise fault("the ID of a hosted zone must be Z and up to 31 uppercase letters and digits", remedy)
    return text


def _quoted(value: Any) -> Any:
    if isinstance(value, float):
        raise fault(
            "a version must be text; without quotes YAML reads a number", f'put it in quotes: "{value}"'
        )
    return value


ZoneId = Annotated[
    str, AfterValidator(_zone_id), WithJsonSchema({"type": "string", "pattern": "^Z[A-Z0-9]{1,31}$"})
]


class Edge(Section):
    """DNS names, certificate, load balancer and firewall."""

    zone: DomainName = Field(
        default="example.com",
        description="Public hosted zone of Route 53 that holds the names. It must exist, with your registrar"
        " pointing to it. Required for target: aws.",
        examples=["example.com"],
    )
    zone_id: ZoneId | None = Field(
        default=None,
        description="ID of the hosted zone. Left out, the zone is looked up by its name; needed where two"
        " public zones have one name.",
        examples=["Z0123456789EXAMPLE"],
    )
    domain: DomainName | None = Field(
        default=None,
        description="The name that users type: the zone's or below it, 64 characters at most. Left out, it"
        " is app and the zone. Required for target: aws.",
        examples=["app.example.com"],
    )
    aliases: Annotated[tuple[HostName, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": MOST_ALIASES},
        description="Further names in the zone, four at most; *.app.example.com stands for all names one step"
        " below. They get records, stand in the certificate and lead to the same gateway.",
        examples=[["www.example.com", "*.app.example.com"]],
    )
    caa: bool | None = Field(
        default=None,
        description="CAA records, by which only Amazon may issue certificates for these names and those"
        " below. Left out, each name has one but the zone itself, where it would bind the whole zone. true:"
        " the zone, too. false: none, where other authorities serve names below.",
    )
    tls: Annotated[Literal["1.2", "1.3"], BeforeValidator(_quoted)] = Field(
        default="1.2",
        description="The oldest TLS that clients may speak, in quotes. Both offer post-quantum key exchange.",
    )
    hsts_days: int = Field(
        default=365,
        ge=0,
        le=730,
        description="Days that browsers, once here, refuse plain HTTP to these names. It cannot be taken back"
        " earlier; 0 tells browsers to forget it.",
    )
    hsts_subdomains: bool | None = Field(
        default=None,
        description="Whether browsers refuse plain HTTP to names below, too (includeSubDomains). Left out,"
        " they do unless one of the names is the zone itself: then it would be the whole zone.",
    )
    shield: bool = Field(
        default=False,
        description="Shield Advanced for the load balancer. The account must be subscribed to it, which costs"
        " thousands a month.",
    )
    waf: Annotated[Waf | None, *MAY_BE_OFF] = Field(
        default_factory=Waf,
        description="The web application firewall. off: none is built, and the load balancer answers every"
        " request that the internet sends.",
    )

    @property
    def main_domain(self) -> str:
        """The name that users type."""
        return self.domain or f"app.{self.zone}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every name, the main one first."""
        return (self.main_domain, *self.aliases)

    @property
    def strict_below(self) -> bool:
        """Whether HSTS holds for names below (RFC 6797, 6.1.2); for those of a whole zone only on request."""
        return self.zone not in self.hosts if self.hsts_subdomains is None else self.hsts_subdomains

    def authority_at(self, name: str) -> bool:
        """Whether a name has a CAA record. It binds all names below without one (RFC 8659, 3), so that the
        zone has one only on request."""
        return name != self.zone if self.caa is None else self.caa

    @property
    def proven(self) -> dict[str, str]:
        """The names to prove control of, without stars, each with the name in the certificate that asks for
        it."""
        names: dict[str, str] = {}
        for host in self.hosts:
            names.setdefault(without_star(host), host)
        return names

    @check("zone", "domain")
    def domain_lies_in_the_zone(self) -> Iterator[Finding]:
        """The zone can hold the name, and a certificate can carry it."""
        if not lies_in(self.main_domain, self.zone):
            rule = f"the domain must be the zone {self.zone} or a name below it"
            yield Finding(("domain",), rule, f"write app.{self.zone}, or change edge.zone")
        if len(self.main_domain) > LONGEST_DOMAIN:
            rule = f"the first name of a certificate must have at most {LONGEST_DOMAIN} characters"
            rule += f"; this has {len(self.main_domain)}"
            yield Finding(("domain",), rule, "choose a shorter one")

    @check("zone", "domain", "aliases")
    def aliases_are_few_and_distinct(self) -> Iterator[Finding]:
        """Further names lie in the zone, are no more than a rule takes, and none stands twice."""
        for index, name in enumerate(self.aliases):
            if not lies_in(without_star(name), self.zone):
                rule = f"every name must lie in the zone {self.zone}"
                yield Finding(("aliases", index), rule, "remove it, or choose a name below the zone")
        for index in repeated(self.hosts):
            yield Finding(
                ("aliases", index - 1), "each name must be given once, the domain among them", "remove it"
            )
        if len(self.aliases) > MOST_ALIASES:
            rule = f"there must be at most {MOST_ALIASES} names besides the domain"
            remedy = "remove some, or write one such as *.app.example.com"
            yield Finding(("aliases",), rule, remedy, f"{len(self.aliases)} names")


def named_for_aws(edge: Edge, key: Literal["zone", "domain"], target: str) -> Iterator[Finding]:
    """Real certificates and records are for names that the spec has."""
    if target == "aws" and (key not in edge.model_fields_set or getattr(edge, key) is None):
        words = {"zone": "the hosted zone that holds its names", "domain": "the name that users type"}
        remedy = (
            f"add {key}: and your own, such as example.com"
            if key == "zone"
            else "add domain: and a name in your zone, such as app.example.com"
        )
        yield Finding(("edge", key), f"target: aws requires {words[key]}", remedy, "(missing)")


def shield_is_sold(edge: Edge, partition: str) -> Iterator[Finding]:
    """Shield Advanced exists in the partition aws only (botocore: endpoints, service shield)."""
    if edge.shield and partition != "aws":
        rule = f"shield requires a region of the partition aws, and this one is in {partition}"
        yield Finding(("edge", "shield"), rule, "remove the line, or write shield: false")


def load_balancer_may_have_the_name(project: str) -> Iterator[Finding]:
    """The load balancer is named after the project, and AWS keeps one beginning for itself (botocore: elbv2,
    shape CreateLoadBalancerInput)."""
    if project.split("-")[0] == "internal":
        rule = "the name must not be internal or start with internal-: AWS refuses such load balancers"
        yield Finding(("project",), rule, "choose another name")
