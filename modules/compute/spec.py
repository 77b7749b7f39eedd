"""Keys of `compute:`: the Kubernetes cluster, its nodes, how they scale, and who has access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from modules.compute.endpoint_spec import Endpoint
from modules.compute.image_cache_spec import ImageCache
from modules.compute.nodes_spec import Group, GroupName, Nodes
from modules.compute.versions import NEWEST, KubernetesVersion
from modules.network.ranges import CONTAINER_BRIDGE, PRIVATE, SERVICES, Range
from tierra.terraform.roles import RoleArn, role_slug
from tierra.validation.messages import choices
from tierra.validation.model import Model, Violation, rule
from tierra.validation.retention import RetentionDays


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
