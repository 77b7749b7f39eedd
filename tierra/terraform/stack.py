"""The stack of a tier: one root module, one state, one plan.

Addresses are readable and carry no hash: `tier.add(Subnet, "private_a", …)` is `aws_subnet.private_a` in the
plan, in the JSON and in the construct tree, at `network/aws_subnet/private_a`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeVar, cast

from cdktf import (
    DataTerraformRemoteStateS3,
    S3Backend,
    S3BackendAssumeRoleConfig,
    TerraformDataSource,
    TerraformElement,
    TerraformOutput,
    TerraformRemoteState,
    TerraformResourceLifecycle,
    TerraformStack,
    Token,
)
from cdktf_cdktf_provider_aws.provider import (
    AwsProvider,
    AwsProviderAssumeRole,
    AwsProviderDefaultTags,
    AwsProviderIgnoreTags,
)
from constructs import Construct, Node

from tierra.terraform.naming import Names
from tierra.validation.literals import literal
from tierra.validation.system_names import path_of_names

if TYPE_CHECKING:
    from modules.spec import Environment

Parameters = ParamSpec("Parameters")
Element = TypeVar("Element", bound=TerraformElement)

ROOT = Path(__file__).parents[2]
_MODULES = f"{ROOT / 'modules'}{os.sep}"

# 1.11 is the first with write-only arguments and with the S3 backend's own lock. It is written to
# versions.tf, as
# HCL, because checkov skips a JSON file with a string directly below `terraform`.
TERRAFORM = ">= 1.11"

# The providers that the generated Terraform is for: from the version whose schemas validate it
# (tierra/bindings/providers.json.gz) to the next one that may break it. A lock file fixes the exact version.
PROVIDERS = {"aws": ">= 6.69, < 7", "helm": ">= 3.3, < 4"}

# Kubernetes and its controllers tag subnets and interfaces themselves. The tags we set ourselves,
# kubernetes.io/role/…, must not be in this list: a tag that a provider ignores and a resource sets is a
# difference in every plan.
FOREIGN_TAGS = ["kubernetes.io/cluster/", "kubernetes.io/created-for/"]

# The output of every tier with its protection at the last apply.
PROTECTION = "protection"


class StateLocation(NamedTuple):
    """The location of a state in S3."""

    bucket: str
    key: str
    region: str


class TierError(Exception):
    """An error in the code of a tier: an address that is illegal or taken, an output that it may not read."""


class Stack(TerraformStack):
    """A tier's root module, made by `create_stack` with backend and provider; the tier fills it."""

    def __init__(self, app: Construct, tier: str, environment: Environment, needs: frozenset[str]) -> None:
        super().__init__(app, tier)
        self.tier = tier
        self.environment = environment
        self.names = Names(environment.project, environment.environment, environment.account)
        self.needs = needs
        self.remote_states: dict[str, DataTerraformRemoteStateS3] = {}
        self.carried: dict[str, Mapping[str, str]] = {}
        self.sources: dict[str, str] = {}
        self._scopes: dict[str, Construct] = {}
        self._addresses: dict[str, str] = {}
        self._clashes: list[str] = []
        self.moves: list[dict[str, str]] = []
        self.own_namespaces: tuple[str, ...] = ()
        self.left: list[str] = []  # addresses that are removed from the state and stay in AWS
        self._names: list[str] = []
        self._shared: dict[str, TerraformElement] = {}

    def add(
        self,
        kind: Callable[Concatenate[Construct, str, Parameters], Element],
        name: str,
        /,
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Element:
        """Adds an element whose address is `<terraform type>.<name>`, with the arguments of its class.

        Raises TierError if the name is not a Terraform name in lower case, or if it is taken.
        """
        terraform_type = _terraform_type(kind)
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise TierError(
                f"{self.tier}: {terraform_type}.{name}: use lower-case letters, digits and underscores"
            )
        name = self._of_today(terraform_type, name)
        address = f"{terraform_type}.{name}"
        if address in self._addresses:
            raise TierError(f"{self.tier}: two elements have the address {address}")
        self._addresses[address] = f"{self.tier}/{terraform_type}/{name}"
        self.record_source(address)
        element = kind(self._scope(terraform_type), name, *args, **kwargs)
        # The same as _allocate_logical_id returns; set directly it saves three calls between the languages.
        element.override_logical_id(name)
        return element

    @contextmanager
    def system(self, name: str) -> Iterator[str]:
        """A context for the resources of one system: returns its name in AWS and in the cluster, from which
        the addresses of `add` are built, too. They get the present name of the system, with `moves` to it."""
        system = self.environment.systems[name]
        first = self.environment.called(name)
        self._names = [first, *path_of_names(name, system.formerly)]
        try:
            yield first
        finally:
            self._names = []

    def _of_today(self, terraform_type: str, name: str) -> str:
        """The name of an address with the present name of the system."""
        if not self._names:
            return name
        first, *path = (name_.replace("-", "_") for name_ in self._names)
        # The role before the name is one word, and may equal the name of the system: `push_push`.
        match = re.match(rf"([a-z]+_)?{first}(?![a-z0-9])", name)
        if not match:
            return name
        role, rest = match[1] or "", name[match.end() :]
        steps = [f"{role}{suffix}{rest}" for suffix in path]
        if not terraform_type.startswith("data."):
            pairs = pairwise(f"{terraform_type}.{step}" for step in steps)
            self.moves += [{"from": old, "to": new} for old, new in pairs if old != new]
        return steps[-1]

    def once(
        self,
        kind: Callable[Concatenate[Construct, str, Parameters], Element],
        name: str,
        /,
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Element:
        """Like `add`, for elements that several parts of a tier share: the first call adds the element."""
        address = f"{_terraform_type(kind)}.{name}"
        if address not in self._shared:
            self._shared[address] = self.add(kind, name, *args, **kwargs)
        return cast(Element, self._shared[address])

    def output(self, name: str, value: Any, description: str) -> None:
        """An output with exactly this name."""
        # A list or dict is passed as a token, which avoids a function of cdktf that makes Node print a
        # deprecation warning.
        plain = value if isinstance(value, str) else Token.as_any(value)
        TerraformOutput(self._scope("output"), name, value=plain, description=description, static_id=True)
        self.record_source(f"output.{name}")

    def ephemeral(self, terraform_type: str, name: str, /, **arguments: Any) -> None:
        """Adds an ephemeral resource, for which cdktf has no class."""
        self.add_override(f"ephemeral.{terraform_type}.{name}", arguments)
        self.record_source(f"ephemeral.{terraform_type}.{name}")

    def require(self, provider: str) -> None:
        """Requires a provider in its range in PROVIDERS, whatever version its bindings were made for."""
        self.add_override(f"terraform.required_providers.{provider}.version", PROVIDERS[provider])
        self.record_source(f"provider.{provider}")

    def record_source(self, address: str) -> None:
        """Records in `sources` which file creates an element: `modules/data/postgres.py`. It is the innermost
        caller in the folder of the tier, else the direct caller.
        """
        caller = sys._getframe(1)
        frame: FrameType | None = caller
        own = f"{_MODULES}{self.tier}{os.sep}"
        while frame and not frame.f_code.co_filename.startswith(own):
            frame = frame.f_back
        self.sources[address] = _in_project((frame or caller).f_code.co_filename)

    def add_files(self, folder: str, files: Mapping[str, str]) -> str:
        """Writes files, by their path in the folder, beside the generated JSON. Returns the folder, as the
        root module refers to it."""
        self.carried[folder] = files
        return f"./{folder}"

    def remote_state(self, tier: str) -> str:
        """The outputs of another tier, as the start of a reference; repeated calls share one remote state.
        Raises TierError if modules/architecture.py does not list that tier among the needs of this one.
        """
        if tier not in self.needs:
            raise TierError(
                f"{self.tier} reads outputs of {tier}, which is not among its needs: {sorted(self.needs)}"
            )
        if tier not in self.remote_states:
            backend = state_of(self.environment, self.names, tier)
            role = self.environment.assume_role
            self.remote_states[tier] = self.add(
                DataTerraformRemoteStateS3,
                tier,
                bucket=backend.bucket,
                key=backend.key,
                region=backend.region,
                assume_role=S3BackendAssumeRoleConfig(role_arn=role) if role else None,
            )
        return f"data.terraform_remote_state.{tier}.outputs"

    @property
    def shared_tags(self) -> dict[str, str]:
        """The tags that the provider adds to every resource, for resources that AWS creates later without the
        provider."""
        return _shared_tags(self.environment, self.tier)

    def tags(self, role: str, **more: str) -> dict[str, str]:
        """Tags of one resource: its name. The provider adds the shared ones."""
        return {"Name": f"{self.names.stem}-{role}", **more}

    def arn(self, service: str, resource: str, region: str | None = None, account: str | None = None) -> str:
        """An ARN of this environment, known before anything exists. Some services leave a part empty: ""."""
        environment = self.environment
        region = environment.region if region is None else region
        account = environment.account if account is None else account
        return f"arn:{environment.partition}:{service}:{region}:{account}:{resource}"

    @property
    def prevent_destroy(self) -> TerraformResourceLifecycle | None:
        """The lifecycle of resources that contain or decrypt data, of the networks of these, and of addresses
        that others depend on: Terraform neither replaces nor destroys them until the spec turns protection
        off."""
        return TerraformResourceLifecycle(prevent_destroy=True) if self.environment.protection else None

    def check(self) -> None:
        """Raises TierError if two elements share an address, which would silently become one in JSON, or if a
        declared need is never read. Complete only after synthesis."""
        unread = sorted(self.needs - self.remote_states.keys())
        flaws = [*self._clashes, *(f"it needs {need} and reads no output of it" for need in unread)]
        if flaws:
            raise TierError(f"{self.tier}: {'; '.join(flaws)}")

    def _allocate_logical_id(self, tf_element: TerraformElement | Node) -> str:
        """The construct path below the tier, joined by underscores, less the segment that names the type."""
        path: str = (tf_element if isinstance(tf_element, Node) else tf_element.node).path
        parts = path.split("/")[1:]
        name = "_".join(part for part in parts if part not in self._scopes)
        address = f"{_terraform_type(type(tf_element))}.{name}"
        first = self._addresses.setdefault(address, path)
        if first != path:
            self._clashes.append(f"{first} and {path} both have the address {address}")
        return name

    def _scope(self, terraform_type: str) -> Construct:
        """The scope of all elements of one type. It is not part of their addresses."""
        if terraform_type not in self._scopes:
            self._scopes[terraform_type] = Construct(self, terraform_type)
        return self._scopes[terraform_type]


def create_stack(
    app: Construct, tier: str, environment: Environment, needs: frozenset[str] = frozenset()
) -> Stack:
    """A stack with backend and provider, for a tier to fill. They are added after its creation, because jsii
    knows a Python object only after its `__init__`. Text of the spec reaches Terraform unchanged, even if it
    looks like a template.
    """
    environment = literal(environment)
    stack = Stack(app, tier, environment, needs)
    state = state_of(environment, stack.names, tier)
    backend = S3Backend(
        stack,
        bucket=state.bucket,
        key=state.key,
        region=state.region,
        encrypt=True,
        kms_key_id=stack.arn("kms", stack.names.alias("state")),
        allowed_account_ids=[environment.account],
        assume_role=S3BackendAssumeRoleConfig(role_arn=role) if (role := environment.assume_role) else None,
    )
    backend.add_override("use_lockfile", True)  # cdktf has no argument for it: terraform-cdk #3834
    stack.record_source("terraform")
    ignored = environment.ignore_tags
    stack.require("aws")
    AwsProvider(
        stack,
        "aws",
        region=environment.region,
        allowed_account_ids=[environment.account],
        retry_mode="adaptive",
        max_retries=25,
        default_tags=[AwsProviderDefaultTags(tags=_shared_tags(environment, tier))],
        ignore_tags=[
            AwsProviderIgnoreTags(
                keys=list(ignored.keys) or None, key_prefixes=[*FOREIGN_TAGS, *ignored.key_prefixes]
            )
        ],
        assume_role=[AwsProviderAssumeRole(role_arn=role)] if role else None,
    )
    # A state does not contain lifecycles. From this output a destroy reads the protection of the last apply.
    stack.output(
        PROTECTION, environment.protection, "Whether resources with data are protected against deletion"
    )
    return stack


def state_of(environment: Environment, names: Names, tier: str) -> StateLocation:
    """The location of the state of a tier, the same for its writer and every reader."""
    return StateLocation(
        bucket=names.bucket("state"),
        key=f"{environment.project}/{environment.environment}/{tier}/terraform.tfstate",
        region=environment.region,
    )


def _shared_tags(environment: Environment, tier: str) -> dict[str, str]:
    """Tags of everything in a tier. The spec may add tags, but not replace ours."""
    owner = {"Owner": environment.owner} if environment.owner else {}
    ours = {
        "Project": environment.project,
        "Environment": environment.environment,
        "Tier": tier,
        "ManagedBy": "tierra",
    }
    return {**environment.tags, **owner, **ours}


@cache
def _in_project(file: str) -> str:
    return Path(file).relative_to(ROOT).as_posix()


@cache
def _terraform_type(kind: Callable[..., TerraformElement]) -> str:
    """`aws_subnet` for Subnet, `data.aws_subnet` for its data source: the beginning of an address."""
    terraform_type = str(getattr(kind, "TF_RESOURCE_TYPE", kind.__name__))
    reads = isinstance(kind, type) and issubclass(kind, (TerraformDataSource, TerraformRemoteState))
    return f"data.{terraform_type}" if reads else terraform_type
