"""The spec of an environment: its keys, and the rules over several of them. loader.py reads it from a file.

Nothing here calls AWS or imports a provider, so that a bad file is refused in well under a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast

from pydantic import (
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from modules.capacity import capacity_violations
from modules.compute.disks import upload_violations
from modules.compute.environment_spec import compute_violations, service_violations, zone_violations
from modules.compute.groups import group_violations
from modules.compute.spec import Compute
from modules.data.spec import Data, snapshot_violations
from modules.delivery.promotion import Chain
from modules.delivery.spec import Delivery, cluster_violations, codebuild_is_sold, delivery_violations
from modules.edge.environment_spec import (
    certificate_is_near,
    clients_are_beyond_the_vpc,
    load_balancer_may_have_the_name,
    named_for_aws,
    shield_is_sold,
    zone_is_elsewhere,
)
from modules.edge.names import host_violations
from modules.edge.spec import Edge
from modules.gateway.spec import Gateway
from modules.network.spec import Network
from modules.network.zones import zones_of
from modules.observability.spec import Observability, budget_is_sold
from modules.overhead import Overhead
from modules.state.spec import State
from modules.storage.spec import Storage
from modules.systems.auth_spec import auth_violations
from modules.systems.environment_spec import need_violations, systems_violations
from modules.systems.own_spec import own_violations, tracing_violations
from modules.systems.requests_spec import request_violations
from modules.systems.shape_spec import surroundings_violations
from modules.systems.spec import System, Systems, default_systems, usual_systems
from tierra.terraform.roles import AssumedRole, PolicyRef, RolePath, assumed_violations, boundary_violations
from tierra.validation.environment_names import REHEARSAL_ACCOUNT, Account, EnvironmentName, Project
from tierra.validation.kms_keys import EXAMPLE, KmsKeys, key_violations
from tierra.validation.messages import dotted
from tierra.validation.model import Model, Violation, rule
from tierra.validation.optional import is_off
from tierra.validation.regions import RegionName, regions
from tierra.validation.system_names import called
from tierra.validation.tags import MOST, IgnoredTags, TagKey, TagValue, ignored_violations, tag_violations
from tierra.validation.upgrades import LATEST, OLDEST

PARTIAL = {"partial": True}  # validation context in which the caller checks rules over several keys


class Environment(Model):
    """One environment. An object of this class satisfies every rule; tiers rely on it."""

    version: int = Field(
        default=LATEST,
        ge=OLDEST,
        le=LATEST,
        description="Version of the format of this file; 1 when left out. A file in an earlier format is"
        " translated.",
        examples=[LATEST],
    )
    extends: str | None = Field(
        default=None,
        description="A file with keys that several environments share, in a folder beside this one."
        " Mappings are merged; any other value, including a list, replaces that of the base."
        " make spec shows the result.",
        examples=["shared/base.yaml"],
    )
    project: Project = Field(
        description="Short name of the product, with which all names begin: 2 to 16 lowercase letters,"
        " digits and single hyphens.",
        examples=["acme"],
    )
    environment: EnvironmentName = Field(
        description="Name of the environment, 2 to 12 characters. It must be the name of the file"
        " without .yaml, which is the default.",
        examples=["production"],
    )
    region: RegionName = Field(
        description="The AWS region, of the partitions aws, aws-cn or aws-us-gov.", examples=["us-east-1"]
    )
    account: Account = Field(
        default=REHEARSAL_ACCOUNT,
        description="The AWS account, twelve digits in quotes. Terraform refuses to work in any other"
        " account. Required for target: aws.",
        examples=["210987654321"],
    )
    target: Literal["aws", "rehearsal"] = Field(
        default="rehearsal",
        description="Where plan and apply work: in the account (aws), or with an embedded provider that"
        " costs nothing and needs no credentials (rehearsal).",
    )
    protection: bool = Field(
        default=True,
        description="Protects resources with data against deletion. To destroy an environment, set it to"
        " false and apply this as a separate change first.",
    )
    owner: TagValue | None = Field(
        default=None,
        description="Team or address to contact about this environment; becomes the tag Owner.",
        examples=["platform"],
    )
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict,
        json_schema_extra={"maxProperties": MOST},
        description="Your own tags on every resource, at most 40.",
        examples=[{"CostCenter": "1234"}],
    )
    ignore_tags: IgnoredTags = Field(
        default_factory=IgnoredTags,
        description="Tags that other programs of your company set on resources of this environment; plans"
        " ignore them.",
    )
    assume_role: AssumedRole | None = Field(
        default=None,
        json_schema_extra={"default": "none: the credentials of the shell are used"},
        description="The role in the account that Terraform and every other command assume with the"
        " credentials of the shell. compute.admins must name it, and delivery.ci must be off:"
        " GitHub workflows have their own roles, and this role would bypass their limits.",
        examples=["arn:aws:iam::123456789012:role/terraform"],
    )
    permissions_boundary: PolicyRef | None = Field(
        default=None,
        json_schema_extra={"default": "policies that Tierra creates"},
        description="An existing managed policy, by name or ARN, that your company prescribes as"
        " permissions boundary. Every role gets it in place of Tierra's own boundaries, and"
        " the apply role can create only roles with it. It must allow what the platform needs:"
        " docs/delivery.md.",
        examples=["company-boundary"],
    )
    role_path: RolePath = Field(
        default="/",
        description="The path of every role, if your company prescribes one. IAM cannot move a role, and"
        " EKS cannot change the role of a cluster: choose it before the first apply.",
        examples=["/platform/"],
    )
    kms_keys: KmsKeys = Field(
        default_factory=KmsKeys,
        description="Existing KMS keys of your company, by what they encrypt; their policies must give"
        " AWS services access: docs/delivery.md. Choose them before the first apply, because"
        " databases, registries, vaults and the cluster cannot change their key.",
        examples=[{"files": EXAMPLE}],
    )
    state: State = Field(
        default_factory=State, description="Terraform's states, and plans that wait for an approval."
    )
    network: Network = Field(
        default_factory=Network, description="VPC, subnets, NAT, endpoints and flow logs."
    )
    storage: Storage = Field(default_factory=Storage, description="Buckets and backups.")
    data: Data = Field(default_factory=Data, description="PostgreSQL, Redis and DocumentDB.")
    compute: Compute = Field(
        default_factory=Compute, description="Kubernetes: cluster, nodes, scaling and access."
    )
    edge: Edge = Field(
        default_factory=Edge, description="DNS names, certificate, load balancer and firewall."
    )
    delivery: Delivery = Field(
        default_factory=Delivery, description="Registries of images, and the permissions of GitHub workflows."
    )
    gateway: Gateway = Field(
        default_factory=Gateway, description="Kong: its pods, and the limits of clients."
    )
    observability: Observability = Field(
        default_factory=Observability, description="Alarms, dashboards, metrics, logs and traces."
    )
    systems: Systems = Field(
        default_factory=default_systems,
        description="The applications, by name. Left out, there are three default systems.",
        examples=[{"orders": {"framework": "django", "needs": ["postgres"]}}],
    )

    _chain: Chain = PrivateAttr(default_factory=Chain)

    @property
    def chain(self) -> Chain:
        """The image promotion chain, from the spec files beside this one."""
        return self._chain

    def link(self, chain: Chain) -> None:
        """Sets the chain; called by `load`, which knows the files beside this one."""
        self._chain = chain

    @property
    def systems_by_first_name(self) -> dict[str, System]:
        """The systems, by their first name, which they keep in AWS and in the cluster."""
        return {self.called(name): system for name, system in self.systems.items()}

    @property
    def has_volumes(self) -> bool:
        """Whether a system has volumes."""
        return any(system.volumes for system in self.systems.values())

    def called(self, system: str) -> str:
        """The first name of a system, which its resources keep in AWS and in the cluster."""
        return called(system, self.systems[system].formerly)

    @property
    def partition(self) -> Literal["aws", "aws-cn", "aws-us-gov"]:
        """The partition of the region, as in ARNs."""
        return cast(Literal["aws", "aws-cn", "aws-us-gov"], regions()[self.region].partition)

    @property
    def dns_suffix(self) -> str:
        """The domain of AWS services in the region: amazonaws.com or amazonaws.com.cn."""
        return regions()[self.region].dns_suffix

    @model_validator(mode="before")
    @classmethod
    def zones_of_the_region(cls, data: Any) -> Any:
        """If zones are left out, they are the usual ones of the region, which are not a, b and c
        everywhere."""
        if not isinstance(data, dict) or not isinstance(data.get("region"), str):
            return data
        network = {} if data.get("network") is None else data["network"]
        if not isinstance(network, dict) or "zones" in network:
            return data
        return {**data, "network": {**network, "zones": list(zones_of(data["region"]).usual)}}

    @model_validator(mode="before")
    @classmethod
    def usual_systems_need_what_there_is(cls, data: Any) -> Any:
        """If systems are left out, the default ones do not need databases that are off."""
        section = data.get("data") if isinstance(data, dict) and "systems" not in data else None
        off = (
            {name for name, value in section.items() if is_off(value)} if isinstance(section, dict) else set()
        )
        return {**data, "systems": usual_systems(off)} if off else data

    @model_validator(mode="after")
    def every_rule_holds(self, info: ValidationInfo) -> Environment:
        """Checks the rules over several keys, however the object is created."""
        if info.context != PARTIAL and (broken := list(self.violations())):
            text = "; ".join(
                f"{dotted(violation.path)}: {violation.rule}; {violation.remedy}" for violation in broken
            )
            raise PydanticCustomError("inconsistent", "{text}", {"text": text})
        return self

    @rule("target", "account")
    def aws_has_an_account(self) -> Iterator[Violation]:
        """target: aws requires an account."""
        if self.target == "aws" and "account" not in self.model_fields_set:
            rule = "target: aws requires the account that Terraform may work in"
            yield Violation(("account",), rule, 'add account: "<your twelve digits>", in quotes', "(missing)")

    @rule("tags")
    def tags_are_distinct(self) -> Iterator[Violation]:
        """At most 40 tags, whose keys must differ by more than case, as IAM requires."""
        yield from tag_violations(self.tags)

    @rule("ignore_tags", "tags")
    def ignored_tags_are_foreign(self) -> Iterator[Violation]:
        """Tags that the spec sets must not be ignored."""
        yield from ignored_violations(self.ignore_tags, self.tags)

    @rule("assume_role", "region", "account", "delivery.ci", "compute.admins")
    def role_can_be_assumed(self) -> Iterator[Violation]:
        """assume_role must be a role of the account, in compute.admins, and requires delivery.ci: off."""
        yield from assumed_violations(self)

    @rule("permissions_boundary", "region", "account", "project", "environment")
    def roles_can_have_the_boundary(self) -> Iterator[Violation]:
        """permissions_boundary must be a policy of the account or of AWS, not one that Tierra creates."""
        yield from boundary_violations(self)

    @rule("kms_keys", "region", "data", "storage.backup.copy_region")
    def keys_are_near(self) -> Iterator[Violation]:
        """Keys of kms_keys must be in the region of the data that they encrypt."""
        yield from key_violations(self)

    @rule("protection", "data.final_snapshots")
    def protected_databases_leave_snapshots(self) -> Iterator[Violation]:
        """protection requires final snapshots."""
        yield from snapshot_violations(self.data, self.protection)

    @rule("systems", "edge.zone", "edge.domain", "edge.aliases")
    def systems_are_distinct(self) -> Iterator[Violation]:
        """At least one system; no two may have the same path."""
        yield from systems_violations(self.systems, self.edge.hosts)

    @rule("systems", "edge.zone", "edge.zones", "edge.domain", "edge.aliases", "edge.dns", "edge.certificate")
    def systems_have_names(self) -> Iterator[Violation]:
        """Hosts of systems must fit the zones and the certificate."""
        yield from host_violations(self.edge, self.systems)

    @rule("systems", "edge.zone", "edge.domain", "edge.aliases")
    def clients_are_known_once(self) -> Iterator[Violation]:
        """Issuers and clients must be unique, and open paths must not conflict."""
        yield from auth_violations(self.systems, self.edge.hosts)

    @rule("systems", "gateway.upload_mb")
    def systems_lower_what_kong_lets_in(self) -> Iterator[Violation]:
        """Body limits of systems must not exceed that of Kong."""
        yield from request_violations(self.systems, self.gateway)

    @rule("systems", "region", "account")
    def systems_use_what_is_here(self) -> Iterator[Violation]:
        """Secrets and permissions of systems must be in the account and region."""
        yield from own_violations(self.systems, self.partition, self.region, self.account)

    @rule("systems", "observability.trace_percent")
    def variables_of_traces_are_set_once(self) -> Iterator[Violation]:
        """Systems may set variables of OpenTelemetry only if observability traces nothing."""
        if self.observability.traces:
            yield from tracing_violations(self.systems)

    @rule("systems", "network.cidr", "network.pods", "compute.service_cidr")
    def systems_reach_what_there_is(self) -> Iterator[Violation]:
        """Calls must name other systems, and egress must lead out of the network."""
        inside = (*self.network.blocks, self.compute.service_cidr)
        yield from surroundings_violations(self.systems, inside)

    @rule("data", "systems")
    def what_systems_need_is_there(self) -> Iterator[Violation]:
        """Systems must not need databases that are off."""
        yield from need_violations(self.systems, self.data.databases)

    @rule("compute", "network.zones", "region")
    def cluster_fits_the_network(self) -> Iterator[Violation]:
        """Zones, secrets and roles of the cluster must match the network, the region and the account."""
        home = f"{self.region}:{self.account}"
        yield from compute_violations(self.compute, self.network.zones, self.partition, home)

    @rule("compute.service_cidr", "network")
    def services_are_apart(self) -> Iterator[Violation]:
        """The range of services must not overlap other ranges."""
        yield from service_violations(self.compute, self.network)

    @rule("compute.groups", "systems")
    def groups_of_nodes_are_there(self) -> Iterator[Violation]:
        """Systems must name existing node groups."""
        yield from group_violations(self.compute, self.systems)

    @rule(
        "compute.nodes",
        "compute.groups",
        "compute.scaling",
        "gateway",
        "network",
        "observability.monitoring",
        "observability.grafana",
        "systems",
    )
    def nodes_hold_the_systems(self) -> Iterator[Violation]:
        """Nodes must have CPU, memory and addresses for all pods. Only checked if network, compute and
        gateway are valid by themselves."""
        if any(any(part.violations()) for part in (self.network, self.compute, self.gateway)):
            return
        if any(zone_violations(self.compute, self.network.zones)):
            return
        yield from capacity_violations(
            self.compute,
            self.gateway,
            Overhead(self.observability, self.has_volumes),
            self.systems,
            self.network.layout,
        )

    @rule("compute.nodes", "compute.groups", "gateway", "systems")
    def disks_hold_uploads(self) -> Iterator[Violation]:
        """Node disks must have room for request bodies in pods of systems and of Kong."""
        yield from upload_violations(self.compute, self.gateway, self.systems)

    @rule("target", "delivery", "systems")
    def delivery_is_trusted_knowingly(self) -> Iterator[Violation]:
        """The trusted repository must be set explicitly; systems and infrastructure must not share GitHub
        environments."""
        repositories = [system.repository for system in self.systems.values()]
        yield from delivery_violations(self.delivery, self.environment, self.target, repositories)

    @rule("target", "delivery", "observability.runbooks")
    def alarms_point_to_a_page(self) -> Iterator[Violation]:
        """Alarms require a runbook page, either its own key or in the repository of the spec."""
        has_page = "repository" in self.delivery.model_fields_set or self.observability.runbooks
        if self.target == "aws" and not self.delivery.github and not has_page:
            rule = "a page of runbooks is required for alarms; delivery.repository would give its default"
            remedy = "add runbooks: and the address of the page, or delivery.repository"
            yield Violation(("observability", "runbooks"), rule, remedy, "(missing)")

    @rule("target", "delivery.ci", "delivery.runner", "compute.endpoint")
    def runner_reaches_the_cluster(self) -> Iterator[Violation]:
        """Jobs that use the Kubernetes API must have a runner that reaches it."""
        cidrs = self.compute.endpoint.public_cidrs
        yield from cluster_violations(self.delivery, self.environment, self.target, cidrs)

    @rule("region", "delivery.runner")
    def runners_are_sold(self) -> Iterator[Violation]:
        """CodeBuild runners are only available in some partitions."""
        yield from codebuild_is_sold(self.delivery, self.partition)

    @rule("region", "network.zones")
    def zones_exist(self) -> Iterator[Violation]:
        """Zones must exist in the region."""
        letters = zones_of(self.region).letters
        for index, zone in enumerate(self.network.zones):
            if zone not in letters:
                rule = f"a zone must exist: {self.region} has {', '.join(letters)}"
                remedy = f"write zones: [{', '.join(zones_of(self.region).usual)}], or others that exist"
                yield Violation(("network", "zones", index), rule, remedy)

    @rule("region", "storage.backup.copy_region")
    def copies_go_elsewhere(self) -> Iterator[Violation]:
        """Copies of backups must go to another region of the same partition."""
        copy_region, path = self.storage.backup.copy_region, ("storage", "backup", "copy_region")
        if copy_region == self.region:
            yield Violation(
                path, "a copy must go to another region", f"write a region other than {self.region}"
            )
        elif copy_region and regions()[copy_region].partition != self.partition:
            rule = f"the region must be in the partition of {self.region}, {self.partition}"
            yield Violation(path, rule, f"write a region of the partition {self.partition}")

    @rule("target", "edge.zone", "edge.dns")
    def aws_has_a_zone(self) -> Iterator[Violation]:
        """target: aws requires edge.zone if Tierra writes records."""
        yield from named_for_aws(self.edge, "zone", self.target)

    @rule("target", "edge.domain")
    def aws_has_a_domain(self) -> Iterator[Violation]:
        """target: aws requires edge.domain."""
        yield from named_for_aws(self.edge, "domain", self.target)

    @rule("edge.certificate", "region", "account")
    def certificate_is_here(self) -> Iterator[Violation]:
        """edge.certificate must be in the account and region."""
        yield from certificate_is_near(self.edge, self.partition, self.region, self.account)

    @rule("edge.zone_role", "edge.zones", "region", "account", "delivery.ci")
    def zone_may_be_elsewhere(self) -> Iterator[Violation]:
        """edge.zone_role must be a role of another account."""
        yield from zone_is_elsewhere(self.edge, self.partition, self.account, self.delivery.github)

    @rule("edge.clients", "network.cidr", "network.pods", "network.reserved", "network.routes")
    def clients_are_elsewhere(self) -> Iterator[Violation]:
        """Client ranges of an internal load balancer must be routed from outside the VPC."""
        yield from clients_are_beyond_the_vpc(self.edge, self.network)

    @rule("project")
    def load_balancer_has_a_name(self) -> Iterator[Violation]:
        """The project name must be a valid prefix of a load balancer name."""
        yield from load_balancer_may_have_the_name(self.project)

    @rule("region", "edge.shield")
    def shield_exists(self) -> Iterator[Violation]:
        """Shield Advanced is only available in some partitions."""
        yield from shield_is_sold(self.edge, self.partition)

    @rule("region", "observability.monthly_usd")
    def budgets_exist(self) -> Iterator[Violation]:
        """Budgets are only available in some partitions."""
        yield from budget_is_sold(self.observability, self.partition)
