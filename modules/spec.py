"""The spec of an environment: its keys, and all of its problems at once.

Nothing here asks AWS, and nothing imports a provider: a bad file is refused in well under a second.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from modules.capacity import capacity_violations
from modules.compute.disks import upload_violations
from modules.compute.groups import group_violations
from modules.compute.spec import Compute, compute_violations, service_violations, zone_violations
from modules.data.spec import Data, snapshot_violations
from modules.delivery.promotion import Chain, chain
from modules.delivery.spec import Delivery, cluster_violations, codebuild_is_sold, delivery_violations
from modules.edge.names import host_violations
from modules.edge.spec import (
    Edge,
    certificate_is_near,
    clients_are_beyond_the_vpc,
    load_balancer_may_have_the_name,
    named_for_aws,
    shield_is_sold,
    zone_is_elsewhere,
)
from modules.gateway.spec import Gateway
from modules.network.spec import Network
from modules.network.zones import zones_of
from modules.observability.spec import Observability, budget_is_sold
from modules.overhead import Overhead
from modules.state.spec import State
from modules.storage.spec import Storage
from modules.systems.auth_spec import auth_violations
from modules.systems.own_spec import own_violations, tracing_violations
from modules.systems.requests_spec import request_violations
from modules.systems.shape_spec import surroundings_violations
from modules.systems.spec import (
    System,
    Systems,
    default_systems,
    need_violations,
    systems_violations,
    usual_systems,
)
from tierra.terraform.roles import AssumedRole, PolicyRef, RolePath, assumed_violations, boundary_violations
from tierra.validation.errors import Problem, SpecError
from tierra.validation.explain import Explainer, place
from tierra.validation.kms_keys import EXAMPLE, KmsKeys, key_violations
from tierra.validation.messages import dotted, short
from tierra.validation.model import Model, Violation, check, rule_error
from tierra.validation.optional import is_off
from tierra.validation.partial import draft
from tierra.validation.reader import Document, read
from tierra.validation.regions import RegionName, regions
from tierra.validation.system_names import called
from tierra.validation.tags import MOST, IgnoredTags, TagKey, TagValue, ignored_violations, tag_violations
from tierra.validation.upgrades import LATEST, OLDEST, STEPS, Step, upgrade

REHEARSAL_ACCOUNT = "123456789012"  # the account AWS uses in its own examples
_DRAFT = {"draft": True}  # the context in which rules over several keys are left to the caller
_STAND_INS = {"project": "draft", "environment": "draft", "region": "us-east-1"}


def _name(shortest: int, longest: int) -> Callable[[str], str]:
    """A validator for the names that start the name of every resource."""
    rule = (
        f"the name must be {shortest} to {longest} lowercase letters, digits and single hyphens between them,"
        " and start with a letter"
    )

    def legal(name: str) -> bool:
        return bool(shortest <= len(name) <= longest and re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name))

    def validate(name: str) -> str:
        if not legal(name):
            letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
            plain = re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")
            plain = plain.lstrip("-0123456789")[:longest].rstrip("-")
            raise rule_error(rule, f"write {plain}" if legal(plain) else "choose another name")
        if re.match(r"aws|ssm|(amazon|amzn|sthree)(-|$)", name):
            raise rule_error(
                "the name must not start with aws, ssm, amazon-, amzn- or sthree-, as AWS's own do",
                "choose another name",
            )
        return name

    return validate


ALL = "all"  # ENV=all: every environment


def _not_all(name: str) -> str:
    if name == ALL:
        raise rule_error(
            "the name must not be all: ENV=all stands for every environment", "choose another name"
        )
    return name


def _account(number: str) -> str:
    digits = re.sub(r"[\s-]", "", number)
    if re.fullmatch(r"[0-9]{12}", number):
        return number
    fits = re.fullmatch(r"[0-9]{12}", digits)
    raise rule_error(
        "an AWS account must be twelve digits",
        f'write "{digits}"' if fits else "copy it from the AWS console",
    )


Project = Annotated[
    str,
    AfterValidator(_name(2, 16)),
    WithJsonSchema({"type": "string", "pattern": "^[a-z](-?[a-z0-9])+$", "minLength": 2, "maxLength": 16}),
]
EnvironmentName = Annotated[
    str,
    AfterValidator(_name(2, 12)),
    AfterValidator(_not_all),
    WithJsonSchema({"type": "string", "pattern": "^[a-z](-?[a-z0-9])+$", "minLength": 2, "maxLength": 12}),
]
Account = Annotated[
    str, AfterValidator(_account), WithJsonSchema({"type": "string", "pattern": "^[0-9]{12}$"})
]


class Environment(Model):
    """One environment. An object of this class satisfies every rule; a tier may rely on it."""

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
        default_factory=Delivery, description="Registries of images, and the rights of GitHub workflows."
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
        """The environments that images come from and go to, by the files beside the one of this."""
        return self._chain

    def link(self, chain: Chain) -> None:
        """For `load`, which knows the files beside the one of this."""
        self._chain = chain

    @property
    def systems_by_first_name(self) -> dict[str, System]:
        """The systems by what they are called in AWS and in the cluster."""
        return {self.called(name): system for name, system in self.systems.items()}

    @property
    def has_volumes(self) -> bool:
        """Whether a system has volumes."""
        return any(system.volumes for system in self.systems.values())

    def called(self, system: str) -> str:
        """The name of everything that a system has in AWS and in the cluster."""
        return called(system, self.systems[system].formerly)

    @property
    def partition(self) -> Literal["aws", "aws-cn", "aws-us-gov"]:
        """The first part of every ARN of the region."""
        return cast(Literal["aws", "aws-cn", "aws-us-gov"], regions()[self.region].partition)

    @property
    def dns_suffix(self) -> str:
        """The end of the names of AWS services in the region: amazonaws.com or amazonaws.com.cn."""
        return regions()[self.region].dns_suffix

    @model_validator(mode="before")
    @classmethod
    def zones_of_the_region(cls, data: Any) -> Any:
        """Zones that are left out are the usual ones of the region, which are not a, b and c everywhere."""
        if not isinstance(data, dict) or not isinstance(data.get("region"), str):
            return data
        network = {} if data.get("network") is None else data["network"]
        if not isinstance(network, dict) or "zones" in network:
            return data
        return {**data, "network": {**network, "zones": list(zones_of(data["region"]).usual)}}

    @model_validator(mode="before")
    @classmethod
    def usual_systems_need_what_there_is(cls, data: Any) -> Any:
        """The systems of a spec that names none need no database that is off."""
        said = data.get("data") if isinstance(data, dict) and "systems" not in data else None
        off = {name for name, value in said.items() if is_off(value)} if isinstance(said, dict) else set()
        return {**data, "systems": usual_systems(off)} if off else data

    @model_validator(mode="after")
    def every_rule_holds(self, info: ValidationInfo) -> Environment:
        """The rules over several keys, wherever the object comes from."""
        if info.context != _DRAFT and (broken := list(self.violations())):
            text = "; ".join(f"{dotted(each.path)}: {each.rule}; {each.remedy}" for each in broken)
            raise PydanticCustomError("inconsistent", "{text}", {"text": text})
        return self

    @check("target", "account")
    def aws_has_an_account(self) -> Iterator[Violation]:
        """Nothing is built in an account that the spec does not name."""
        if self.target == "aws" and "account" not in self.model_fields_set:
            rule = "target: aws requires the account that Terraform may work in"
            yield Violation(("account",), rule, 'add account: "<your twelve digits>", in quotes', "(missing)")

    @check("tags")
    def tags_are_distinct(self) -> Iterator[Violation]:
        """Few enough, and no two that IAM confuses."""
        yield from tag_violations(self.tags)

    @check("ignore_tags", "tags")
    def ignored_tags_are_foreign(self) -> Iterator[Violation]:
        """No tag that the spec sets is ignored."""
        yield from ignored_violations(self.ignore_tags, self.tags)

    @check("assume_role", "region", "account", "delivery.ci", "compute.admins")
    def role_can_be_assumed(self) -> Iterator[Violation]:
        """A role of the account, which may enter the cluster, and which no workflow needs."""
        yield from assumed_violations(self)

    @check("permissions_boundary", "region", "account", "project", "environment")
    def roles_can_have_the_boundary(self) -> Iterator[Violation]:
        """A policy of the account or of AWS, and none that Tierra itself makes."""
        yield from boundary_violations(self)

    @check("kms_keys", "region", "data", "storage.backup.copy_region")
    def keys_are_near(self) -> Iterator[Violation]:
        """Keys of the company, in the region of what they encrypt."""
        yield from key_violations(self)

    @check("protection", "data.final_snapshots")
    def protected_databases_leave_snapshots(self) -> Iterator[Violation]:
        """Protection and final snapshots agree."""
        yield from snapshot_violations(self.data, self.protection)

    @check("systems", "edge.zone", "edge.domain", "edge.aliases")
    def systems_are_distinct(self) -> Iterator[Violation]:
        """At least one, and no two at one place."""
        yield from systems_violations(self.systems, self.edge.hosts)

    @check(
        "systems", "edge.zone", "edge.zones", "edge.domain", "edge.aliases", "edge.dns", "edge.certificate"
    )
    def systems_have_names(self) -> Iterator[Violation]:
        """Hosts of systems."""
        yield from host_violations(self.edge, self.systems)

    @check("systems", "edge.zone", "edge.domain", "edge.aliases")
    def clients_are_known_once(self) -> Iterator[Violation]:
        """Issuers of tokens, and open paths."""
        yield from auth_violations(self.systems, self.edge.hosts)

    @check("systems", "gateway.upload_mb")
    def systems_lower_what_kong_lets_in(self) -> Iterator[Violation]:
        """Bodies of requests."""
        yield from request_violations(self.systems, self.gateway)

    @check("systems", "region", "account")
    def systems_use_what_is_here(self) -> Iterator[Violation]:
        """Secrets and rights of systems are about the account and region."""
        yield from own_violations(self.systems, self.partition, self.region, self.account)

    @check("systems", "observability.trace_percent")
    def variables_of_traces_are_set_once(self) -> Iterator[Violation]:
        """Systems say where their traces go only where Tierra does not."""
        if self.observability.traces:
            yield from tracing_violations(self.systems)

    @check("systems", "network.cidr", "network.pods", "compute.service_cidr")
    def systems_reach_what_there_is(self) -> Iterator[Violation]:
        """Calls and ways out of systems."""
        inside = (*self.network.blocks, self.compute.service_cidr)
        yield from surroundings_violations(self.systems, inside)

    @check("data", "systems")
    def what_systems_need_is_there(self) -> Iterator[Violation]:
        """A system needs no database that is off."""
        yield from need_violations(self.systems, self.data.databases)

    @check("compute", "network.zones", "region")
    def cluster_fits_the_network(self) -> Iterator[Violation]:
        """Zones and roles that the cluster can have here."""
        home = f"{self.region}:{self.account}"
        yield from compute_violations(self.compute, self.network.zones, self.partition, home)

    @check("compute.service_cidr", "network")
    def services_are_apart(self) -> Iterator[Violation]:
        """Addresses of services mean nothing else."""
        yield from service_violations(self.compute, self.network)

    @check("compute.groups", "systems")
    def groups_of_nodes_are_there(self) -> Iterator[Violation]:
        """A system names a group that there is."""
        yield from group_violations(self.compute, self.systems)

    @check(
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
        """Pods find processors, memory and addresses, wherever the parts are sound by themselves."""
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

    @check("compute.nodes", "compute.groups", "gateway", "systems")
    def disks_hold_uploads(self) -> Iterator[Violation]:
        """A body that Kong lets in finds room in the pod of a system, and those of Kong on its node."""
        yield from upload_violations(self.compute, self.gateway, self.systems)

    @check("target", "delivery", "systems")
    def delivery_is_trusted_knowingly(self) -> Iterator[Violation]:
        """Trust names a repository of the user's, and keeps systems and infrastructure apart."""
        repositories = [system.repository for system in self.systems.values()]
        yield from delivery_violations(self.delivery, self.environment, self.target, repositories)

    @check("target", "delivery", "observability.runbooks")
    def alarms_point_to_a_page(self) -> Iterator[Violation]:
        """The page of runbooks is one that the spec names, or that of the repository that it names."""
        named = "repository" in self.delivery.model_fields_set or self.observability.runbooks
        if self.target == "aws" and not self.delivery.github and not named:
            rule = "a page of runbooks is required for alarms; delivery.repository would give its default"
            remedy = "add runbooks: and the address of the page, or delivery.repository"
            yield Violation(("observability", "runbooks"), rule, remedy, "(missing)")

    @check("target", "delivery.ci", "delivery.runner", "compute.endpoint")
    def runner_reaches_the_cluster(self) -> Iterator[Violation]:
        """Jobs that talk to Kubernetes run where they can."""
        cidrs = self.compute.endpoint.public_cidrs
        yield from cluster_violations(self.delivery, self.environment, self.target, cidrs)

    @check("region", "delivery.runner")
    def runners_are_sold(self) -> Iterator[Violation]:
        """CodeBuild is asked for runners where it can learn of jobs."""
        yield from codebuild_is_sold(self.delivery, self.partition)

    @check("region", "network.zones")
    def zones_exist(self) -> Iterator[Violation]:
        """Every zone is one of the region's."""
        letters = zones_of(self.region).letters
        for index, zone in enumerate(self.network.zones):
            if zone not in letters:
                rule = f"a zone must exist: {self.region} has {', '.join(letters)}"
                remedy = f"write zones: [{', '.join(zones_of(self.region).usual)}], or others that exist"
                yield Violation(("network", "zones", index), rule, remedy)

    @check("region", "storage.backup.copy_region")
    def copies_go_elsewhere(self) -> Iterator[Violation]:
        """Copies of backups go to another region of the same partition."""
        other, path = self.storage.backup.copy_region, ("storage", "backup", "copy_region")
        if other == self.region:
            yield Violation(
                path, "a copy must go to another region", f"write a region other than {self.region}"
            )
        elif other and regions()[other].partition != self.partition:
            rule = f"the region must be in the partition of {self.region}, {self.partition}"
            yield Violation(path, rule, f"write a region of the partition {self.partition}")

    @check("target", "edge.zone", "edge.dns")
    def aws_has_a_zone(self) -> Iterator[Violation]:
        """No record is written to a zone that the spec does not name."""
        yield from named_for_aws(self.edge, "zone", self.target)

    @check("target", "edge.domain")
    def aws_has_a_domain(self) -> Iterator[Violation]:
        """No certificate is asked for a name that the spec does not choose."""
        yield from named_for_aws(self.edge, "domain", self.target)

    @check("edge.certificate", "region", "account")
    def certificate_is_here(self) -> Iterator[Violation]:
        """A certificate of one's own is in the account and region."""
        yield from certificate_is_near(self.edge, self.partition, self.region, self.account)

    @check("edge.zone_role", "edge.zones", "region", "account", "delivery.ci")
    def zone_may_be_elsewhere(self) -> Iterator[Violation]:
        """A role for the zone is one of another account."""
        yield from zone_is_elsewhere(self.edge, self.partition, self.account, self.delivery.github)

    @check("edge.clients", "network.cidr", "network.pods", "network.reserved", "network.routes")
    def clients_are_elsewhere(self) -> Iterator[Violation]:
        """Ranges that reach an internal load balancer."""
        yield from clients_are_beyond_the_vpc(self.edge, self.network)

    @check("project")
    def load_balancer_has_a_name(self) -> Iterator[Violation]:
        """The project's name can start that of the load balancer."""
        yield from load_balancer_may_have_the_name(self.project)

    @check("region", "edge.shield")
    def shield_exists(self) -> Iterator[Violation]:
        """Shield Advanced is asked for where AWS sells it."""
        yield from shield_is_sold(self.edge, self.partition)

    @check("region", "observability.monthly_usd")
    def budgets_exist(self) -> Iterator[Violation]:
        """A budget is asked for where AWS has any."""
        yield from budget_is_sold(self.observability, self.partition)


def load(path: Path) -> Environment:
    """The environment a file describes. Raises SpecError with every problem of the file, and nothing else."""
    return load_upgraded(path)[0]


def load_upgraded(path: Path, steps: Mapping[int, Step] = STEPS) -> tuple[Environment, list[str]]:
    """The environment that a file of this or an earlier version describes, and what of the file was read as
    something else, a line each. Raises SpecError like `load`."""
    environment, changes, document = _alone(path, steps)
    linked, found = chain(environment, path, lambda other: _alone(other, steps)[0])
    if found:
        name = environment.environment
        raise SpecError(path.as_posix(), [_problem(document, each, name) for each in found])
    environment.link(linked)
    return environment, changes


def _alone(path: Path, steps: Mapping[int, Step]) -> tuple[Environment, list[str], Document]:
    """The same without a look at other files, and the file as it was read."""
    document, changes = resolved(path, steps)
    data = {"environment": path.stem, **document.data}
    problems = list(document.problems)
    try:
        environment = Environment.model_validate(data)
    except ValidationError as error:
        problems += _problems(document, data, error)
    else:
        if environment.environment != path.stem:
            problems.append(_misnamed(document, environment.environment, path))
    if problems:
        raise SpecError(path.as_posix(), problems)
    return environment, changes, document


def resolved(path: Path, steps: Mapping[int, Step] = STEPS) -> tuple[Document, list[str]]:
    """A spec with what it extends, and what of the two was read as something else. Raises SpecError."""
    document = read(path)
    changes = upgrade(path.as_posix(), document, steps)
    named = document.data.get("extends")
    if named is None:
        return document, changes
    line = document.line(("extends",))
    if not isinstance(named, str) or not re.fullmatch(
        r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)+\.yaml", named
    ):
        rule = (
            f"a base must be in a folder below {path.parent.as_posix()}: files beside a spec are environments"
        )
        problem = Problem(
            "extends", document.shown(("extends",)), rule, "write extends: shared/base.yaml", line
        )
        raise SpecError(path.as_posix(), [problem])
    base_path = path.parent / named
    base = read(base_path)
    changes += [f"{named}: {each}" for each in upgrade(base_path.as_posix(), base, steps)]
    if "extends" in base.data:
        rule, remedy = "a base must not extend another file", "put the keys of both into one file"
        line = base.line(("extends",))
        raise SpecError(
            base_path.as_posix(), [Problem("extends", base.shown(("extends",)), rule, remedy, line)]
        )
    document.extend(base, base_path.as_posix())
    return document, changes


def _misnamed(document: Document, name: str, path: Path) -> Problem:
    rule = f"environment must be the name of the file without .yaml, which is {short(path.stem)}"
    remedy = f"write environment: {short(path.stem)}, or rename the file to {short(name)}.yaml"
    key = ("environment",)
    return Problem("environment", short(name), rule, remedy, document.line(key), document.file(key))


def _problems(document: Document, data: dict[str, Any], error: ValidationError) -> Iterator[Problem]:
    """Every error of pydantic, then every rule over several keys that the sound part of the file breaks."""
    explainer = Explainer(Environment.model_json_schema())
    errors = [each for each in error.errors() if each["type"] != "inconsistent"]
    unknown = [place(each) for each in errors if each["type"] == "extra_forbidden"]
    misspelt = {meant for path in unknown if (meant := explainer.meant(path)) and meant not in document.lines}
    violations = [
        explainer.finding(each, document.shown(place(each)))
        for each in errors
        if each["type"] != "missing" or place(each) not in misspelt  # there, and only its name is wrong
    ]
    sound, unsound = draft(data, errors, _STAND_INS)
    unsound |= document.refused | misspelt
    for _ in range(2):  # if what is left is no environment even then, the errors above say why
        try:
            violations += Environment.model_validate(sound, context=_DRAFT).violations(unsound)
            break
        except ValidationError as left:  # a required key was refused: what it belongs to goes too
            sound, more = draft(sound, left.errors(), _STAND_INS)
            unsound |= more
    for found in violations:
        if not any(found.path[: len(path)] == path for path in document.refused):
            yield _problem(document, found, data["environment"])


def _problem(document: Document, found: Violation, name: Any) -> Problem:
    value, remedy = found.value or document.shown(found.path), found.remedy
    if found.path == ("environment",) and found.path not in document.lines:
        value, remedy = short(str(name)), f"rename the file, which names the environment: {remedy}"
    rule, written = found.rule, document.written(found.path)
    if written != found.path:
        rule += f" (the file has it under its earlier name, {dotted(written)})"
    line, file = document.line(found.path), document.file(found.path)
    return Problem(dotted(found.path), value, rule, remedy, line, file)
