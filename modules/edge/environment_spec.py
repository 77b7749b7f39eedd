"""Rules of `edge:` that depend on the rest of the environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from modules.edge.spec import Edge
from tierra.validation.errors import KeyPath
from tierra.validation.messages import choices
from tierra.validation.model import Violation

if TYPE_CHECKING:
    from modules.network.spec import Network


def named_for_aws(edge: Edge, key: Literal["zone", "domain"], target: str) -> Iterator[Violation]:
    """target: aws requires names for real certificates and records. Without records no zone is required."""
    if key == "zone" and not edge.records:
        return
    if target == "aws" and (key not in edge.model_fields_set or getattr(edge, key) is None):
        words = {"zone": "the hosted zone of its names", "domain": "the name that users type"}
        remedy = (
            f"add {key}: and your own, such as example.com"
            if key == "zone"
            else "add domain: and a name in your zone, such as app.example.com"
        )
        yield Violation(("edge", key), f"target: aws requires {words[key]}", remedy, "(missing)")


def certificate_is_near(edge: Edge, partition: str, region: str, account: str) -> Iterator[Violation]:
    """A listener requires a certificate in its region and account (ELB user guide, "SSL certificates for your
    Application Load Balancer")."""
    if edge.certificate and not edge.certificate.startswith(f"arn:{partition}:acm:{region}:{account}:"):
        rule = f"the certificate must be in the region {region} and the account {account}"
        yield Violation(("edge", "certificate"), rule, f"import the certificate into ACM there: {region}")


def clients_are_beyond_the_vpc(edge: Edge, network: Network) -> Iterator[Violation]:
    """The VPC always has access; other ranges must be reserved."""
    for index, cidr in enumerate(edge.clients):
        path = ("edge", "clients", index)
        if any(cidr.overlaps(block) for block in network.blocks):
            rule = f"the range must be outside the VPC, which has access anyway: {choices(network.blocks)}"
            yield Violation(path, rule, "remove it")
        elif not any(cidr.subnet_of(taken) for taken in network.elsewhere):
            rule = "a range outside the VPC must be inside a range of network.routes or network.reserved"
            yield Violation(path, rule, network.to_reserve(cidr))


def zone_is_elsewhere(edge: Edge, partition: str, account: str, github: bool) -> Iterator[Violation]:
    """zone_role must be in another account of the partition, and pull requests must not be able to assume
    it."""
    if not edge.records:
        return  # every zone is refused then
    given: dict[KeyPath, str | None] = {("edge", "zone_role"): edge.zone_role}
    further = {name: zone for name, zone in edge.zones.items() if name != edge.zone}
    given |= {("edge", "zones", name, "role"): zone.role for name, zone in further.items()}
    for path, role in given.items():
        if role is None:
            continue
        _, where, _, _, owner, _ = role.split(":", 5)
        if owner == account:
            rule = f"the role must be in another account than {account}, which has access to its own zones"
            yield Violation(path, rule, "remove the line")
            continue
        if where != partition:
            yield Violation(
                path, f"the role must be in the partition {partition}", f"write a role of {partition}"
            )
        if github:
            rule = (
                f"{path[-1]} requires delivery.ci: off, because plans of pull requests must not be able to"
                " write records"
            )
            remedy = "write delivery.ci: off, or delegate a zone to this account and remove the line"
            yield Violation(path, rule, remedy)


def shield_is_sold(edge: Edge, partition: str) -> Iterator[Violation]:
    """Shield Advanced exists in the partition aws only (botocore: endpoints, service shield)."""
    if edge.shield and partition != "aws":
        rule = f"shield requires a region of the partition aws, and this one is in {partition}"
        yield Violation(("edge", "shield"), rule, "remove the line, or write shield: false")


def load_balancer_may_have_the_name(project: str) -> Iterator[Violation]:
    """The load balancer is named after the project, and AWS reserves a prefix (botocore: elbv2, shape
    CreateLoadBalancerInput)."""
    if project.split("-")[0] == "internal":
        rule = "the name must not be internal or start with internal-: AWS refuses such load balancers"
        yield Violation(("project",), rule, "choose another name")
