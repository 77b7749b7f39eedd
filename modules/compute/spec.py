"""Keys of `compute:`: the Kubernetes cluster, its nodes, how they scale, and who has access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from modules.compute.nodes_spec import Group, GroupName, Nodes
from modules.compute.secrets import CacheSecret
from modules.compute.versions import NEWEST, KubernetesVersion
from modules.network.ranges import CONTAINER_BRIDGE, PRIVATE, SERVICES, Range, free_range
from modules.network.spec import Letter, Network
from tierra.terraform.roles import RoleArn, role_slug
from tierra.validation.messages import choices
from tierra.validation.model import Model, Violation, repeated, rule
from tierra.validation.retention import RetentionDays

MOST_GROUPS = 30  # maximum number of managed node groups of a cluster (quotas of EKS)
MOST_RANGES = 40  # maximum number of ranges for the public endpoint (quotas of EKS)


class Endpoint(Model):
    """Access to the Kubernetes API. Nodes and the security group of runners always have access."""

    public_cidrs: Annotated[tuple[Range, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": MOST_RANGES},
        description="Public ranges that may reach the API from the internet, such as those of an office"
        " or of runners. None by default: the API can then be reached only from the VPC, and"
        " from network.admin_cidrs over a VPN or a peering, but not from runners of GitHub.",
        examples=[["203.0.113.0/24"]],
    )
    zones: Annotated[tuple[Letter, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": 4, "uniqueItems": True},
        description="Zones in which the control plane connects to the VPC, two or more of network.zones;"
        " all of them when left out. EKS keeps the zones that a cluster was created with:"
        " before you add a zone to network.zones, list the present zones here.",
        examples=[["a", "b"]],
    )

    @rule("zones")
    def zones_are_distinct(self) -> Iterator[Violation]:
        """The control plane requires at least two different zones."""
        for index in repeated(self.zones):
            yield Violation(("zones", index), "each zone must be named once", "remove the second one")
        if len(self.zones) == 1:
            yield Violation(
                ("zones",), "there must be at least two zones", "name another zone, or remove the line"
            )

    @rule("public_cidrs")
    def ranges_are_narrow_and_public(self) -> Iterator[Violation]:
        """Ranges must be public, and not the whole internet."""
        for index, cidr in enumerate(self.public_cidrs):
            path = ("public_cidrs", index)
            if cidr.prefixlen < 8:
                rule = "the API must not be open to the whole internet: a range must be /8 or narrower"
                yield Violation(
                    path, rule, "write the ranges of your offices and runners, or remove the line"
                )
            elif any(cidr.overlaps(private) for private in PRIVATE):
                rule = "a range must be public: these are the ranges that come from the internet"
                yield Violation(path, rule, "move it to network.admin_cidrs, which admits private ranges")
        for index in repeated(map(str, self.public_cidrs)):
            yield Violation(("public_cidrs", index), "each range must be named once", "remove the second one")
        if len(self.public_cidrs) > MOST_RANGES:
            rule = f"there must be at most {MOST_RANGES} ranges"
            yield Violation(
                ("public_cidrs",), rule, "join neighbouring ranges", f"{len(self.public_cidrs)} ranges"
            )


class ImageCache(Model):
    """Public images through ECR, the registry of the account."""

    enabled: bool = Field(
        default=False,
        description="Whether nodes pull public images through ECR, which fetches each image once and"
        " keeps it: those of public.ecr.aws, quay.io and registry.k8s.io, and those of Docker"
        " Hub and GitHub if they have a secret below.",
    )
    docker_hub: CacheSecret | None = Field(
        default=None,
        description="ARN of a secret with an account of Docker Hub. Without it, images of Kong and"
        " Grafana come directly from Docker Hub, which limits pulls per address.",
        examples=[
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf"
        ],
    )
    github: CacheSecret | None = Field(
        default=None,
        description="ARN of a secret with an account of GitHub, for images of ghcr.io: External Secrets"
        " and the collector.",
        examples=["arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/github-AbCdEf"],
    )

    @rule("enabled", "docker_hub", "github")
    def secrets_are_for_a_cache(self) -> Iterator[Violation]:
        """Secrets of registries require the image cache."""
        for key in ("docker_hub", "github"):
            if getattr(self, key) and not self.enabled:
                yield Violation(
                    (key,),
                    "the image cache, which uses this secret, must be enabled",
                    "write enabled: true beside it, or remove the line",
                )


class Compute(Model):
    """The Kubernetes cluster."""

    kubernetes: KubernetesVersion = Field(
        default=NEWEST,
        description="Version of Kubernetes, in quotes. It can be raised by one version at a time and"
        " cannot be lowered. tierra/aws/versions.yaml has the day on which EKS ends the"
        " support of each version.",
    )
    nodes: Nodes = Field(default_factory=Nodes, description="The nodes of the cluster.")
    groups: dict[GroupName, Group] = Field(
        default_factory=dict,
        description="Further groups of nodes beside `nodes`, by name, such as Graviton, spot capacity or"
        " larger instances. A system selects one with systems.<name>.nodes.",
        examples=[{"spot": {"instance_type": "m7a.large", "capacity": "spot", "max": 6}}],
    )
    image_cache: ImageCache = Field(
        default_factory=ImageCache, description="Public images through ECR, the registry of the account."
    )
    scaling: Literal["pods", "cpu"] = Field(
        default="pods",
        description="What adds and removes nodes: the cluster autoscaler, when pods find no room (pods),"
        " or EC2 Auto Scaling, by average CPU load (cpu). Both at once would undo each other's"
        " changes.",
    )
    cpu_percent: int = Field(
        default=60, ge=20, le=90, description="Average CPU load in percent that scaling: cpu maintains."
    )
    endpoint: Endpoint = Field(default_factory=Endpoint, description="Access to the Kubernetes API.")
    admins: Annotated[tuple[RoleArn, ...], Field(strict=False)] = Field(
        default=(),
        description="IAM roles with full access to the cluster. The role that creates the cluster gets no"
        " access by that.",
        examples=[["arn:aws:iam::123456789012:role/platform"]],
    )
    viewers: Annotated[tuple[RoleArn, ...], Field(strict=False)] = Field(
        default=(),
        description="IAM roles that may read everything in the cluster except secrets.",
        examples=[["arn:aws:iam::123456789012:role/developers"]],
    )
    log_days: RetentionDays = Field(
        default=90,
        description="Days that logs of the control plane, including the audit log, are kept; one of the"
        " values CloudWatch Logs accepts.",
    )
    service_cidr: Range = Field(
        default=SERVICES,
        description="Private range of Kubernetes services, /12 to /24; it exists only inside the cluster."
        " It cannot be changed later.",
    )
    autoscaling_role: Literal["existing", "create"] = Field(
        default="existing",
        description="The service-linked role of EC2 Auto Scaling. Each account has one, and it must exist"
        " before the key of the disks. In an account that has never had an Auto Scaling group,"
        " write create in one environment.",
    )

    def all_nodes(self) -> Iterator[tuple[tuple[str, ...], Nodes]]:
        """Every node group with its path in the section, `nodes` first."""
        yield ("nodes",), self.nodes
        for name, group in self.groups.items():
            yield ("groups", name), group

    def nodes_of(self, group: str | None) -> Nodes:
        """The node group of a system, or `nodes`."""
        return self.groups.get(group, self.nodes) if group else self.nodes

    @rule("scaling", "cpu_percent")
    def percent_is_for_cpu(self) -> Iterator[Violation]:
        """cpu_percent requires scaling: cpu."""
        if "cpu_percent" in self.model_fields_set and self.scaling != "cpu":
            rule = f"cpu_percent requires scaling: cpu, and scaling is {self.scaling}"
            yield Violation(("cpu_percent",), rule, "remove the line, or write scaling: cpu")

    @rule("kubernetes", "nodes.ami_release", "groups")
    def image_is_of_the_version(self) -> Iterator[Violation]:
        """The node image must have the Kubernetes version of the control plane."""
        for path, nodes in self.all_nodes():
            if nodes.ami_release and not nodes.ami_release.startswith(f"{self.kubernetes}."):
                rule = f"the image of the nodes must have the version of the cluster, {self.kubernetes}"
                remedy = f"write a release that starts with {self.kubernetes}."
                yield Violation((*path, "ami_release"), rule, remedy)

    @rule("admins", "viewers")
    def roles_are_distinct(self) -> Iterator[Violation]:
        """No role may appear twice, nor two with the same Terraform name."""
        arns = [
            (key, index, arn) for key in ("admins", "viewers") for index, arn in enumerate(getattr(self, key))
        ]
        names: set[str] = set()
        for key, index, arn in arns:
            if role_slug(arn) in names:
                rule = "each role must be named once, and no two may have the same name"
                yield Violation((key, index), rule, "remove one of the two")
            names.add(role_slug(arn))

    @rule("service_cidr")
    def services_have_a_range(self) -> Iterator[Violation]:
        """service_cidr must be a range that EKS accepts."""
        cidr = self.service_cidr
        if not any(cidr.subnet_of(private) for private in PRIVATE):
            rule = "addresses of services must be private (RFC 1918)"
            yield Violation(
                ("service_cidr",), rule, f"use a range inside {choices(PRIVATE)}, such as {SERVICES}"
            )
        elif not 12 <= cidr.prefixlen <= 24:
            yield Violation(("service_cidr",), "the range must be /12 to /24", f"write {SERVICES}")
        elif cidr.overlaps(CONTAINER_BRIDGE):
            rule = f"the range must not overlap {CONTAINER_BRIDGE}, the range of the nodes' containers"
            yield Violation(("service_cidr",), rule, f"write {SERVICES}")


def compute_violations(
    compute: Compute, zones: tuple[str, ...], partition: str, home: str
) -> Iterator[Violation]:
    """Rules that also depend on the network and the region. Paths start at the root."""
    yield from zone_violations(compute, zones)
    for index, zone in enumerate(compute.endpoint.zones):
        if zone not in zones:
            rule = f"a zone of the control plane must be one of network.zones: {choices(zones)}"
            yield Violation(
                ("compute", "endpoint", "zones", index), rule, "name one of these, or remove the zone"
            )
    for key in ("docker_hub", "github"):
        secret = getattr(compute.image_cache, key)
        if secret and not secret.startswith(f"arn:aws:secretsmanager:{home}:"):
            rule = f"the secret must be in the account and region of the registry, {home}"
            yield Violation(
                ("compute", "image_cache", key),
                rule,
                "create it there and write its ARN, or remove the line",
            )
    for key in ("admins", "viewers"):
        for index, arn in enumerate(getattr(compute, key)):
            if arn.split(":")[1] != partition:
                rule = f"a role must be of the region's partition, {partition}"
                yield Violation(
                    ("compute", key, index), rule, f"write a role that starts with arn:{partition}:"
                )


def service_violations(compute: Compute, network: Network) -> Iterator[Violation]:
    """The range of services must not overlap another range: it exists only inside nodes, which rewrite
    packets to it (Amazon EKS API Reference, KubernetesNetworkConfigRequest: the range overlaps neither the
    VPC nor networks connected to it). Ranges that another rule refuses are skipped. Paths start at the
    root."""
    services = compute.service_cidr
    refused = {violation.path for violation in network.violations()}
    if any(violation.path == ("service_cidr",) for violation in compute.violations()):
        return
    taken = (CONTAINER_BRIDGE, *network.blocks, *network.elsewhere)
    alternative = (
        SERVICES if not any(map(SERVICES.overlaps, taken)) else free_range(SERVICES.prefixlen, taken)
    )
    for key, block in zip(("cidr", "pods"), network.blocks, strict=False):
        if (key,) in refused or not services.overlaps(block):
            continue
        if services != SERVICES or network.existing:
            rule = f"the range of services must not overlap the VPC range {block}"
            usual = alternative == SERVICES
            remedy = (
                f"remove the line to use {alternative}"
                if usual
                else f"write compute.service_cidr: {alternative}"
            )
            yield Violation(("compute", "service_cidr"), rule, remedy, str(services))
        else:
            what = "the VPC range" if key == "cidr" else "the range of pods"
            rule = f"{what} must not overlap {services}, the range of Kubernetes services"
            free = free_range(block.prefixlen, network.taken) if key == "cidr" else network.free_pods(taken)
            yield Violation(("network", key), rule, f"write {free}")
    for index, route in enumerate(() if network.existing else network.routes):
        if ("routes", index, "to") in refused or not services.overlaps(route.to):
            continue
        rule = f"a route must not overlap {services}, the range of Kubernetes services inside the cluster"
        parts = [] if route.to.subnet_of(services) else sorted(route.to.address_exclude(services))
        remedy = f"write a route to each of {', '.join(map(str, parts))}" if parts else "remove it"
        remedy += f"; or, if there is no cluster yet, write compute.service_cidr: {alternative}"
        yield Violation(("network", "routes", index, "to"), rule, remedy)


def zone_violations(compute: Compute, zones: tuple[str, ...]) -> Iterator[Violation]:
    """Each zone of a group must have at least one node."""
    for path, nodes in compute.all_nodes():
        group_zones = nodes.zones if isinstance(nodes, Group) else ()
        for index, zone in enumerate(group_zones):
            if zone not in zones:
                rule = f"nodes must be in zones of network.zones, which are {choices(zones)}"
                yield Violation(("compute", *path, "zones", index), rule, "name one of these, or remove it")
        count = len(group_zones or zones)
        if compute.scaling == "cpu" and nodes.min < count:
            rule = f"min ({nodes.min}) must be at least {count} with scaling: cpu, one node for each zone:"
            rule += " a zone without a node has no load to scale by"
            remedy = f"write min: {count} or more, or scaling: pods"
            yield Violation(("compute", *path, "min"), rule, remedy)
        if nodes.max < count:
            rule = f"max ({nodes.max}) must be at least {count}, one node for each zone"
            where = f"compute.groups.{path[-1]}.zones" if group_zones else "network.zones"
            yield Violation(
                ("compute", *path, "max"),
                rule,
                f"raise it to {count} or more, or name fewer zones in {where}",
            )
    if (
        count := sum(len(group.zones or zones) for group in compute.groups.values()) + len(zones)
    ) > MOST_GROUPS:
        rule = f"a cluster must have at most {MOST_GROUPS} managed node groups, one for each group and zone"
        yield Violation(("compute", "groups"), rule, "name fewer zones, or fewer groups", f"{count} of them")
