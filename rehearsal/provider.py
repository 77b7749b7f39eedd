"""The provider's side of terraform's protocol: each method answers one call of terraform."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from rehearsal import checks, data_sources, days, differences, ephemeral, functions, outside
from rehearsal.account import Account
from rehearsal.catalog import Catalog, Type, catalog_path
from rehearsal.changes import Changes
from rehearsal.charts import releases
from rehearsal.charts.violations import Violation
from rehearsal.cloud import Cloud
from rehearsal.needed import NAMES, used_words
from rehearsal.planning import Path as ArgumentPath
from rehearsal.planning import conform, fills_blocks, plan
from rehearsal.protocol import decode, encode, error, messages, warning
from rehearsal.schema_messages import schema
from tierra.aws.types import known
from tierra.bindings.schema import Block, Nested

SWITCHES = ("REHEARSAL_FAIL", "REHEARSAL_AS")


class Provider:
    """Answers as the provider called `name`, "aws" or "helm", for the root module in `folder`."""

    def __init__(self, name: str, catalog: Catalog, cloud: Cloud, folder: Path) -> None:
        self.name = name
        self.catalog = catalog
        self.folder = folder
        self.cloud = cloud
        self.changes = Changes(cloud, Account())
        self.releases = releases.Releases(cloud, folder)
        self._checks: dict[tuple[str, str], dict[str, Any]] = {}

    @cached_property
    def _words(self) -> set[str] | None:
        return used_words(self.folder)

    def _load(self, kind: str) -> dict[str, Type]:
        words = self._words
        names = words and {word for word in words if word.startswith(f"{self.name}_")}
        return self.catalog.load(self.name, kind, names, words)

    @cached_property
    def _resources(self) -> dict[str, Type]:
        return self._load("resource")

    @cached_property
    def _data(self) -> dict[str, Type]:
        return self._load("data")

    def GetProviderSchema(self, _request: Any, _context: Any) -> Any:
        pb = messages()
        aws = self.name == "aws"
        provider = self.catalog.load(self.name, "provider", {self.name})[self.name]
        user_agent = pb.Schema.Attribute(name="user_agent", type=b'["list","string"]', optional=True)
        return pb.GetProviderSchema.Response(
            provider=schema(provider.block),
            resource_schemas={name: schema(t.block) for name, t in self._resources.items()},
            data_source_schemas={name: schema(t.block) for name, t in self._data.items()},
            ephemeral_resource_schemas={n: schema(b) for n, b in ephemeral.TYPES.items()} if aws else {},
            functions=functions.schemas() if aws else {},
            provider_meta=pb.Schema(block=pb.Schema.Block(attributes=[user_agent])),
            server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=True),
        )

    def GetMetadata(self, _request: Any, _context: Any) -> Any:
        pb = messages().GetMetadata
        return pb.Response(
            server_capabilities=messages().ServerCapabilities(get_provider_schema_optional=True),
            resources=[pb.ResourceMetadata(type_name=name) for name in self._resources],
            data_sources=[pb.DataSourceMetadata(type_name=name) for name in self._data],
        )

    def GetResourceIdentitySchemas(self, _request: Any, _context: Any) -> Any:
        return messages().GetResourceIdentitySchemas.Response()

    def ValidateProviderConfig(self, _request: Any, _context: Any) -> Any:
        return messages().ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, _context: Any) -> Any:
        refused = self._refused("resource", self._resources.get(request.type_name), request.config)
        return messages().ValidateResourceConfig.Response(diagnostics=refused)

    def ValidateDataResourceConfig(self, request: Any, _context: Any) -> Any:
        refused = self._refused("data", self._data.get(request.type_name), request.config)
        return messages().ValidateDataResourceConfig.Response(diagnostics=refused)

    def _refused(self, kind: str, type_: Type | None, config: Any) -> list[Any]:
        """An error for each value or combination of arguments that the provider does not accept."""
        if type_ is None:
            return []
        key = (kind, type_.name)
        if key not in self._checks:
            self._checks[key] = self.catalog.checks(self.name, type_, kind)
        if not self._checks[key]:
            return []
        problems = checks.problems(type_.block, self._checks[key], decode(config) or {})
        return [_diagnostic(type_, problem) for problem in problems]

    def ValidateEphemeralResourceConfig(self, _request: Any, _context: Any) -> Any:
        return messages().ValidateEphemeralResourceConfig.Response()

    def ConfigureProvider(self, request: Any, _context: Any) -> Any:
        response = messages().ConfigureProvider.Response
        if self.name == "helm":
            self.releases.configure(decode(request.config) or {})
        account = Account.configured(decode(request.config) or {}, os.environ)
        try:
            self.changes = Changes(self.cloud, account, *(os.environ.get(switch, "") for switch in SWITCHES))
        except ValueError as problem:
            switch = str(problem).partition(":")[0].partition("=")[0]
            return response(diagnostics=[error(f"{switch} is not understood", str(problem))])
        role = os.environ.get("REHEARSAL_AS", "")
        absent = role and self.cloud.remembers and not self.changes.access
        try:
            days.pass_to(self.cloud, os.environ)
        except ValueError as problem:
            return response(diagnostics=[error("REHEARSAL_DAYS is not understood", str(problem))])
        return response(diagnostics=[warning(*_without_role(role))] if absent else [])

    def UpgradeResourceState(self, request: Any, _context: Any) -> Any:
        block = self._resources[request.type_name].block
        state = conform(block, json.loads(request.raw_state.json))
        return messages().UpgradeResourceState.Response(upgraded_state=encode(state))

    def ReadResource(self, request: Any, _context: Any) -> Any:
        response = messages().ReadResource.Response
        type_, current = self._resources[request.type_name], decode(request.current_state)
        if denied := self.changes.denied(type_.name, "read", current, None):
            return response(new_state=request.current_state, private=request.private, diagnostics=[denied])
        state, key = self.changes.read(type_, current, request.private)
        return response() if state is None else response(new_state=encode(state), private=key)

    def PlanResourceChange(self, request: Any, _context: Any) -> Any:
        response = messages().PlanResourceChange.Response
        proposed = decode(request.proposed_new_state)
        if proposed is None:
            return response(planned_state=request.proposed_new_state, planned_private=request.prior_private)
        type_ = self._resources[request.type_name]
        prior, config = decode(request.prior_state), decode(request.config) or {}
        planned, replace = plan(type_, prior, proposed, config, self.changes.account)
        changed = prior is not None and not replace and planned != prior
        diagnostics = [unproven(type_)] if changed and not type_.facts.source else []
        diagnostics += [error(words, source) for words, source in differences.refused(type_.name, config)]
        if type_.name == releases.TYPE and (changed or prior is None):
            violations = self.releases.violations(planned, config, upgrade=prior is not None)
            diagnostics += [
                _violation_diagnostic(violation) for violation in violations if not violation.later
            ]
        return response(
            planned_state=encode(planned),
            diagnostics=diagnostics,
            requires_replace=[_attribute_path(path) for path in replace],
            planned_private=request.prior_private,
            legacy_type_system=_legacy(type_),
        )

    def ApplyResourceChange(self, request: Any, _context: Any) -> Any:
        response = messages().ApplyResourceChange.Response
        type_ = self._resources[request.type_name]
        prior, planned = decode(request.prior_state), decode(request.planned_state)
        private = request.planned_private
        of_helm = type_.name == releases.TYPE
        if of_helm and planned is not None:
            config, upgrade = decode(request.config) or {}, prior is not None
            violations = self.releases.violations(planned, config, upgrade, applying=True)
            if wrong := [_violation_diagnostic(violation) for violation in violations if violation.sure]:
                return response(new_state=request.prior_state, private=private, diagnostics=wrong)
        if planned is None:
            refusal = self.changes.delete(type_, prior, private)
        elif prior is None:
            state, private, refusal = self.changes.create(type_, planned)
        else:
            state, refusal = self.changes.update(type_, prior, planned, private)
        if refusal:
            return response(new_state=request.prior_state, private=private, diagnostics=[refusal])
        if of_helm:
            if planned is None:
                self.releases.forget(prior)
            else:
                self.releases.remember(planned, upgrade=prior is not None)
        if planned is None:
            return response(new_state=request.planned_state)
        return response(new_state=encode(state), private=private, legacy_type_system=_legacy(type_))

    def ImportResourceState(self, request: Any, _context: Any) -> Any:
        pb = messages().ImportResourceState
        state, private = self.changes.imported(self._resources[request.type_name], request.id)
        imported = pb.ImportedResource(type_name=request.type_name, state=encode(state), private=private)
        return pb.Response(imported_resources=[imported])

    def ReadDataSource(self, request: Any, _context: Any) -> Any:
        type_ = self._data[request.type_name]
        state = data_sources.answer(type_, decode(request.config), self.changes.account, self.cloud)
        outside.answered(self.cloud, state)
        denied = self.changes.denied(f"data.{type_.name}", "read", state, None)
        return messages().ReadDataSource.Response(state=encode(state), diagnostics=[denied] if denied else [])

    def GetFunctions(self, _request: Any, _context: Any) -> Any:
        listed = functions.schemas() if self.name == "aws" else {}
        return messages().GetFunctions.Response(functions=listed)

    def CallFunction(self, request: Any, _context: Any) -> Any:
        return functions.call(request.name, [decode(argument) for argument in request.arguments])

    def OpenEphemeralResource(self, request: Any, _context: Any) -> Any:
        config = decode(request.config)
        result = ephemeral.open_resource(request.type_name, config, self.changes.account, self.cloud)
        name = f"ephemeral.{request.type_name}"
        denied = self.changes.denied(name, "read", config, None) or self.changes.denied(
            name, "create", None, config
        )
        return messages().OpenEphemeralResource.Response(
            result=encode(result), diagnostics=[denied] if denied else []
        )

    def CloseEphemeralResource(self, _request: Any, _context: Any) -> Any:
        return messages().CloseEphemeralResource.Response()

    def StopProvider(self, _request: Any, _context: Any) -> Any:
        return messages().StopProvider.Response()


def warm() -> None:
    """Does the slow part of the first answer in advance."""
    for name in NAMES:
        Provider(name, Catalog(catalog_path()), Cloud(None), Path.cwd()).GetProviderSchema(None, None)


def unproven(type_: Type) -> Any:
    """The warning that an update in place is a guess."""
    detail = (
        f"Neither the facts of the rehearsal nor CloudFormation's schemas say which arguments of {type_.name}"
        ' make a new resource, so it plans an update in place. Look for "Forces new resource" in the'
        " documentation of the type before you rely on it."
    )
    return warning(f"{type_.name}: AWS may replace what is planned as an update in place", detail)


def _violation_diagnostic(violation: Violation) -> Any:
    """An error for a violation that helm or Kubernetes certainly refuses, else a warning."""
    source = f" The rule is from {violation.source}." if violation.source else ""
    if violation.sure:
        detail = f"The release cannot be applied like this.{source} Change its values, or the chart."
        return error(f"{violation.where}: {violation.message}", detail)
    detail = f"The release is applied anyway, and may not work as expected.{source}"
    return warning(f"{violation.where}: {violation.message}", detail)


def _without_role(role: str) -> tuple[str, str]:
    """The warning that nothing is refused."""
    detail = (
        f"No role of the account is called {role} or ends with -{role}, so nothing is refused, as to an"
        " administrator. Before the role is first applied that is right; otherwise name one that exists."
    )
    return f"REHEARSAL_AS={role}: the account has no such role yet", detail


def _legacy(type_: Type) -> bool:
    """Whether an answer may differ from the plan, which terraform allows to types of the old SDK only."""
    return fills_blocks(type_.block) or bool(known(type_.name).waits)


def _diagnostic(type_: Type, problem: checks.Problem) -> Any:
    """An error at an argument. A member of a set has no path of its own, so the path is that of the set."""
    steps: list[str | int] = []
    block: Block | None = type_.block
    for step in problem.path:
        argument = block and isinstance(step, str) and (block.blocks.get(step) or block.attributes.get(step))
        steps.append(step)
        if isinstance(argument, Nested):
            block = argument.block
            if argument.nesting == "set":
                break
        elif argument:
            if isinstance(argument.type, list) and argument.type[0] == "set":
                break
            block = None
    diagnostic = error(problem.summary, problem.detail)
    diagnostic.attribute.CopyFrom(_attribute_path(tuple(steps)))
    return diagnostic


def _attribute_path(path: ArgumentPath) -> Any:
    pb = messages().AttributePath
    return pb(
        steps=[
            pb.Step(element_key_int=step) if isinstance(step, int) else pb.Step(attribute_name=step)
            for step in path
        ]
    )
