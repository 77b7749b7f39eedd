"""Tests that every type of the providers can be planned and applied, and that every fact is valid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.rehearsing import Project, installed

from rehearsal import data_sources
from rehearsal.account import Account
from rehearsal.catalog import Catalog, Type, catalog_path, read_facts
from rehearsal.cloud import Cloud
from rehearsal.planning import null, plan
from rehearsal.protocol import Object, pack
from rehearsal.values import _SIZED, WORDS, ValueFactory, _unknown_in

WORD = re.compile(r"(?<![$#])\{(\w+)\}")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    installed()
    return Catalog(catalog_path())


@pytest.fixture(scope="module")
def resources(catalog: Catalog) -> dict[str, Type]:
    return {**catalog.load("aws", "resource"), **catalog.load("helm", "resource")}


def smallest(type_: Type) -> Object:
    """A configuration with only the required text arguments."""
    required = {name: "x" for name, a in type_.block.attributes.items() if a.required and a.type == "string"}
    return {**null(type_.block), **required}


def test_the_whole_provider_is_known(catalog: Catalog) -> None:
    kinds = {kind: len(catalog.load("aws", kind)) for kind in ("resource", "data", "provider")}
    assert kinds == {"resource": 1735, "data": 685, "provider": 1}
    assert set(catalog.load("helm", "resource")) == {"helm_release"}


def test_terraform_accepts_the_schema_of_every_type(tmp_path: Path, catalog: Catalog) -> None:
    types = [*catalog.load("aws", "resource"), *catalog.load("aws", "data")]
    comments = "".join(f"# {name}\n" for name in types)
    project = Project(tmp_path, f'provider "aws" {{}}\n{comments}')
    accepted = json.loads(project.run("providers", "schema", "-json"))["provider_schemas"]
    aws = accepted["registry.terraform.io/hashicorp/aws"]
    assert len(aws["resource_schemas"]) == 1735
    assert len(aws["data_source_schemas"]) == 685
    assert len(aws["ephemeral_resource_schemas"]) == 8


def test_every_resource_is_planned_completed_and_then_unchanged(resources: dict[str, Type]) -> None:
    for type_ in resources.values():
        config = smallest(type_)
        planned, replace = plan(type_, None, config, config, Account())
        created = ValueFactory(type_, planned, Account()).completed()
        assert not _unknown_in(created), type_.name
        assert not replace, type_.name
        computed = {name: created[name] for name, a in type_.block.attributes.items() if a.computed}
        again, replace = plan(type_, created, {**config, **computed}, config, Account())
        assert (again, replace) == (created, []), type_.name
        pack(created)


def test_every_data_source_answers(catalog: Catalog) -> None:
    for type_ in catalog.load("aws", "data").values():
        state = data_sources.answer(type_, smallest(type_), Account(), Cloud(None))
        assert not _unknown_in(state), type_.name
        pack(state)


def test_every_placeholder_in_a_pattern_is_known(resources: dict[str, Type]) -> None:
    for name, facts in read_facts().items():
        attributes = resources[name].block.attributes
        for pattern in _texts([facts.id, facts.arn, facts.values]):
            for word in WORD.findall(pattern):
                assert word in attributes or word in WORDS or _SIZED.fullmatch(word), (name, pattern)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from _texts(inner)


def test_every_path_in_the_facts_names_an_argument(resources: dict[str, Type]) -> None:
    for name, facts in read_facts().items():
        block = resources[name].block
        paths = [
            *facts.replace,
            *facts.computed,
            *facts.defaults,
            *facts.nested,
            *facts.changes,
            *facts.values,
        ]
        unknown = [
            path for path in [*paths, *facts.write_only, *facts.required_blocks] if not block.find(path)
        ]
        assert not unknown, name


def test_differences_from_the_real_schema_have_a_reason() -> None:
    """support/witness.py compares the facts with the real provider's schema; each difference has a reason."""
    witness = yaml.safe_load((Path(__file__).parent / "rehearsal/witness.yaml").read_text(encoding="utf-8"))
    reasons = [line for lines in witness["differ"].values() for line in lines.values()]
    assert witness["types"] > 100
    assert not [line for line in reasons if line.endswith("not explained yet")]
