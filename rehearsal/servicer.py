"""The provider's side of terraform's protocol: each method is one question that terraform asks."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from rehearsal import data_sources, ephemeral
from rehearsal.catalog import Catalog, Type
from rehearsal.cloud import Cloud
from rehearsal.needed import used_types
from rehearsal.planning import Account, conform, null, plan
from rehearsal.planning import Path as ArgumentPath
from rehearsal.protocol import Object, decode, encode, error, messages, pack
from rehearsal.schema_messages import schema
from rehearsal.values import Maker

IDENTITIES = ("id", "arn", "name", "identifier")
EXAMPLE_ACCOUNT = "123456789012"


class Servicer:
    """Answers as one of the providers, "aws" or "helm", for the root module in `folder`."""

    def __init__(self, provider: str, catalog: Catalog, cloud: Cloud, folder: Path) -> None:
        self.provider = provider
        self.catalog = catalog
        self.cloud = cloud
        self.folder = folder
        self.account = Account()
        self.failures = Failures.from_text(os.environ.get("REHEARSAL_FAIL", ""))

    @cached_property
    def _names(self) -> set[str] | None:
        return used_types(self.folder)

    def _load(self, kind: str) -> dict[str, Type]:
        names = self.catalog.names(self.provider, kind)
        return self.catalog.load(self.provider, kind, names if self._names is None else names & self._names)

    @cached_property
    def _resources(self) -> dict[str, Type]:
        return self._load("resource")

    @cached_property
    def _data(self) -> dict[str, Type]:
        return self._load("data")

    def GetProviderSchema(self, _request: Any, _context: Any) -> Any:
        pb = messages()
        provider = self.catalog.load(self.provider, "provider", {self.provider})[self.provider]
        user_agent = pb.Schema.Attribute(name="user_agent", type=b'["list","string"]', optional=True)
        ephemerals = ephemeral.TYPES if self.provider == "aws" else {}
        return pb.GetProviderSchema.Response(
            provider=schema(provider.block),
            resource_schemas={name: schema(t.block) for name, t in self._resources.items()},
            data_source_schemas={name: schema(t.block) for name, t in self._data.items()},
            ephemeral_resource_schemas={name: schema(block) for name, block in ephemerals.items()},
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

    def ValidateResourceConfig(self, _request: Any, _context: Any) -> Any:
        return messages().ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, _request: Any, _context: Any) -> Any:
        return messages().ValidateDataResourceConfig.Response()

    def ValidateEphemeralResourceConfig(self, _request: Any, _context: Any) -> Any:
        return messages().ValidateEphemeralResourceConfig.Response()

    def ConfigureProvider(self, request: Any, _context: Any) -> Any:
        config = decode(request.config) or {}
        accounts = config.get("allowed_account_ids")
        tags: dict[str, str] = {}
        for block in config.get("default_tags") or []:
            tags.update(block.get("tags") or {})
        region = config.get("region")
        self.account = Account(
            id=accounts[0] if isinstance(accounts, list) and accounts else EXAMPLE_ACCOUNT,
            region=region if isinstance(region, str) else os.environ.get("AWS_REGION", "us-east-1"),
            default_tags=tags,
        )
        return messages().ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, _context: Any) -> Any:
        block = self._resources[request.type_name].block
        state = conform(block, json.loads(request.raw_state.json))
        return messages().UpgradeResourceState.Response(upgraded_state=encode(state))

    def ReadResource(self, request: Any, _context: Any) -> Any:
        state = decode(request.current_state)
        type_ = self._resources[request.type_name]
        if self.cloud.remembers:
            found = self.cloud.get(type_.name, identity(state))
            if found is None:
                return messages().ReadResource.Response()
            state = conform(type_.block, found)
        return messages().ReadResource.Response(new_state=encode(state), private=request.private)

    def PlanResourceChange(self, request: Any, _context: Any) -> Any:
        response = messages().PlanResourceChange.Response
        proposed = decode(request.proposed_new_state)
        if proposed is None:
            return response(planned_state=request.proposed_new_state)
        type_ = self._resources[request.type_name]
        planned, replace = plan(
            type_, decode(request.prior_state), proposed, decode(request.config) or {}, self.account
        )
        return response(
            planned_state=encode(planned),
            requires_replace=[_attribute_path(path) for path in replace],
            planned_private=request.prior_private,
        )

    def ApplyResourceChange(self, request: Any, _context: Any) -> Any:
        response = messages().ApplyResourceChange.Response
        type_ = self._resources[request.type_name]
        prior, planned = decode(request.prior_state), decode(request.planned_state)
        if planned is None:
            self.cloud.delete(type_.name, identity(prior))
            return response(new_state=request.planned_state)
        if prior is None:
            made = self._create(type_, planned)
            if made is None:
                summary = f"creating {type_.name}: failure injected by REHEARSAL_FAIL"
                detail = "The rehearsal was asked to fail here. Nothing was created; apply again to go on."
                return response(new_state=request.prior_state, diagnostics=[error(summary, detail)])
        else:
            made = Maker(type_, planned, self.account).completed()
        self.cloud.put(type_.name, identity(made), made)
        return response(new_state=encode(made), private=request.planned_private)

    def _create(self, type_: Type, planned: Object) -> Object | None:
        """The new resource, with an id that no other has; None when a failure was asked for."""
        if self.failures.strike(type_.name, planned, self.cloud):
            return None
        salt = 0
        while True:
            made = Maker(type_, planned, self.account, salt).completed()
            if salt or not _made_up(type_, made, planned) or self._claim(type_, made):
                return made
            salt = self.cloud.attempt(f"{type_.name} {identity(made)}")

    def _claim(self, type_: Type, made: Object) -> bool:
        """Whether this is the first resource of its type with this id."""
        first = self.cloud.attempt(f"{type_.name} {identity(made)}") == 1
        return first and self.cloud.get(type_.name, identity(made)) is None

    def ImportResourceState(self, request: Any, _context: Any) -> Any:
        pb = messages().ImportResourceState
        type_ = self._resources[request.type_name]
        found = self.cloud.get(type_.name, request.id)
        if found is None and not self.cloud.remembers:
            found = Maker(type_, {**_unknown_state(type_), "id": request.id}, self.account).completed()
        state = conform(type_.block, found) if found else {**null(type_.block), "id": request.id}
        imported = pb.ImportedResource(type_name=type_.name, state=encode(state))
        return pb.Response(imported_resources=[imported])

    def ReadDataSource(self, request: Any, _context: Any) -> Any:
        type_ = self._data[request.type_name]
        state = data_sources.read(type_, decode(request.config), self.account, self.cloud)
        return messages().ReadDataSource.Response(state=encode(state))

    def OpenEphemeralResource(self, request: Any, _context: Any) -> Any:
        result = ephemeral.open_resource(request.type_name, decode(request.config), self.account)
        return messages().OpenEphemeralResource.Response(result=encode(result))

    def CloseEphemeralResource(self, _request: Any, _context: Any) -> Any:
        return messages().CloseEphemeralResource.Response()

    def StopProvider(self, _request: Any, _context: Any) -> Any:
        return messages().StopProvider.Response()


class Failures:
    """Creations that fail on request: `REHEARSAL_FAIL="aws_nat_gateway=0.3,aws_eip=1"`.

    Whether a creation fails depends on REHEARSAL_SEED, the resource and how often it was tried, so a run
    can be repeated exactly and a later run gets further.
    """

    def __init__(self, rates: dict[str, float], seed: str) -> None:
        self.rates = rates
        self.seed = seed

    @classmethod
    def from_text(cls, text: str) -> Failures:
        """Raises ValueError when the text is not a list of type=rate with rates from 0 to 1."""
        rates = {}
        for item in filter(None, text.replace(" ", ",").split(",")):
            name, _, rate = item.partition("=")
            try:
                rates[name] = float(rate)
            except ValueError:
                rates[name] = -1.0
            if not 0 <= rates[name] <= 1:
                raise ValueError(f"REHEARSAL_FAIL: {item}: write type=rate, such as aws_nat_gateway=0.3")
        return cls(rates, os.environ.get("REHEARSAL_SEED", "0"))

    def strike(self, type_name: str, planned: Object, cloud: Cloud) -> bool:
        rate = self.rates.get(type_name, self.rates.get("*", 0.0))
        if not rate:
            return False
        what = hashlib.sha256(pack([type_name, planned])).hexdigest()
        number = cloud.attempt(f"create {what}")
        drawn = hashlib.sha256(f"{self.seed} {what} {number}".encode()).digest()
        return int.from_bytes(drawn[:4], "big") / 2**32 < rate


def identity(state: Object) -> str:
    """What tells a resource from all others of its type."""
    for name in IDENTITIES:
        if isinstance(state.get(name), str) and state[name]:
            return str(state[name])
    return hashlib.sha256(pack(state)).hexdigest()


def _made_up(type_: Type, made: Object, planned: Object) -> bool:
    """Whether the id was chosen by the cloud rather than taken from an argument."""
    name = next((n for n in IDENTITIES if made.get(n)), "")
    return not (type_.facts.id and isinstance(planned.get(type_.facts.id), str)) and planned.get(
        name
    ) != made.get(name)


def _unknown_state(type_: Type) -> Object:
    from rehearsal.protocol import UNKNOWN

    computed = {name: UNKNOWN for name, a in type_.block.attributes.items() if a.computed}
    return {**null(type_.block), **computed}


def _attribute_path(path: ArgumentPath) -> Any:
    pb = messages().AttributePath
    return pb(
        steps=[
            pb.Step(element_key_int=step) if isinstance(step, int) else pb.Step(attribute_name=step)
            for step in path
        ]
    )
