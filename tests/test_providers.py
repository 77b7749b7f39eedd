"""Tests of the generated Terraform against the schemas of the newest providers."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Root
from support.reading import parsed_file

from rehearsal.waf import complete
from tierra.bindings import providers
from tierra.bindings.schema import Attribute, Block, Nested
from tierra.terraform.stack import PROVIDERS
from tierra.versions import numbers

# The newest versions that the generated JSON was checked against.
CHECKED = {"aws": "6.69.1", "helm": "3.3.0"}

DEPRECATED = parsed_file(ROOT / "tests" / "deprecated.yaml")
# Arguments of terraform in every resource.
META = ("lifecycle", "depends_on", "provider", "timeouts", "connection", "provisioner")
REFERENCE = re.compile(
    r"(?<!ephemeral\.)\b(data\.)?((?:aws|helm)_\w+)\.([a-z0-9_]+)(?:\[\w+\])?\.([a-z][a-z0-9_]*)"
)


@pytest.fixture(scope="module")
def stored() -> dict[str, providers.Provider]:
    return providers.read_providers()


@pytest.fixture(scope="module")
def types(stored: dict[str, providers.Provider]) -> providers.Types:
    by_name = {key: block for provider in stored.values() for key, block in provider.types.items()}
    for (kind, name), block in by_name.items():
        if kind == "resource":
            complete(name, block)
    return by_name


def configured(root: Root) -> Iterator[tuple[str, str, str, Any]]:
    """Address, kind, type and arguments of every resource and data source."""
    for kind, section in (("resource", "resource"), ("data", "data")):
        for terraform_type, named in root.body.get(section, {}).items():
            for name, arguments in named.items():
                prefix = "" if kind == "resource" else "data."
                yield f"{prefix}{terraform_type}.{name}", kind, terraform_type, arguments


def unknown(block: Block, arguments: Mapping[str, Any], path: str) -> Iterator[str]:
    """Arguments that the block does not have, and required ones that are missing."""
    for name, value in arguments.items():
        if name in META:
            continue
        definition = block.find(name)
        if definition is None or (
            isinstance(definition, Attribute) and not (definition.required or definition.optional)
        ):
            yield f"{path}.{name}: cannot be set"
        elif isinstance(definition, Nested):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    yield from unknown(definition.block, each, f"{path}.{name}")
    for name in (*block.attributes, *block.blocks):
        definition = block.find(name)
        if definition and definition.required and arguments.get(name) is None:
            yield f"{path}.{name}: is required"


def test_every_argument_exists_in_the_newest_provider(roots: dict[str, Root], types: providers.Types) -> None:
    """Reported by address: removed, renamed and newly required arguments."""
    wrong = [
        f"{tier}: {line}"
        for tier, root in roots.items()
        for address, kind, terraform_type, arguments in configured(root)
        if terraform_type.startswith(("aws_", "helm_"))
        for line in unknown(types[kind, terraform_type], arguments, address)
    ]
    assert not wrong, "\n".join(wrong)


def test_removed_renamed_and_required_arguments_are_reported_with_addresses() -> None:
    block = Block(
        {"name": Attribute("string", required=True), "arn": Attribute("string", computed=True)},
        {"rule": Nested(Block({"port": Attribute("number", optional=True)}), "list")},
    )
    arguments = {"arn": "a", "label": "b", "rule": [{"ports": [1]}], "lifecycle": {"prevent_destroy": True}}
    assert list(unknown(block, arguments, "aws_x.main")) == [
        "aws_x.main.arn: cannot be set",
        "aws_x.main.label: cannot be set",
        "aws_x.main.rule.ports: cannot be set",
        "aws_x.main.name: is required",
    ]


def references(root: Root) -> Iterator[tuple[str, str, str, str]]:
    """The address with the reference, and kind, type and attribute of its target."""
    for address, _, _, arguments in configured(root):
        for text in _texts(arguments):
            for match in REFERENCE.finditer(text):
                yield address, "data" if match[1] else "resource", match[2], match[4]
    for name, output in root.body.get("output", {}).items():
        for text in _texts(output):
            for match in REFERENCE.finditer(text):
                yield f"output.{name}", "data" if match[1] else "resource", match[2], match[4]


def _texts(value: Any) -> Iterator[str]:
    """The expressions in a value."""
    if isinstance(value, str):
        yield from re.findall(r"(?<!\$)\$\{[^}]*\}", value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def test_every_attribute_in_use_exists_in_the_newest_provider(
    roots: dict[str, Root], types: providers.Types
) -> None:
    read = [(tier, *each) for tier, root in roots.items() for each in references(root)]
    assert len(read) > 50
    wrong = [
        f"{tier}: {address} reads {terraform_type}.{attribute}"
        for tier, address, kind, terraform_type, attribute in read
        if types[kind, terraform_type].find(attribute) is None
    ]
    assert not wrong, "\n".join(wrong)


def _set(arguments: Any, path: str = "") -> Iterator[str]:
    """Dotted paths of all set arguments."""
    for each in arguments if isinstance(arguments, list) else [arguments]:
        for name, value in each.items() if isinstance(each, dict) else ():
            yield f"{path}{name}"
            yield from _set(value, f"{path}{name}.")


def test_no_argument_or_attribute_in_use_is_deprecated(roots: dict[str, Root]) -> None:
    used = [
        *(
            (tier, address, kind, terraform_type, path)
            for tier, root in roots.items()
            for address, kind, terraform_type, arguments in configured(root)
            for path in _set(arguments)
        ),
        *((tier, *each) for tier, root in roots.items() for each in references(root)),
    ]
    wrong = [
        f"{tier}: {address}: {terraform_type}.{path} is deprecated"
        for tier, address, kind, terraform_type, path in used
        if path in DEPRECATED[kind].get(terraform_type, ())
    ]
    assert not wrong, "\n".join(wrong)


def test_every_listed_deprecation_exists(types: providers.Types) -> None:
    for kind, named in DEPRECATED.items():
        for terraform_type, paths in named.items():
            assert paths == sorted(paths)
            assert all(types[kind, terraform_type].find(path) for path in paths), terraform_type


def test_the_schemas_are_those_of_a_version_in_the_range(stored: dict[str, providers.Provider]) -> None:
    assert {name: provider.version for name, provider in stored.items()} == CHECKED
    for name, asked in PROVIDERS.items():
        limits = re.fullmatch(r">= ([\d.]+), < ([\d.]+)", asked)
        assert limits, asked
        assert all(
            lower <= higher
            for lower, higher in pairwise([numbers(limits[1]), numbers(CHECKED[name]), numbers(limits[2])])
        )
        # The range starts at this version, because older ones are not checked.
        assert numbers(CHECKED[name])[:2] == numbers(limits[1])


def test_the_schemas_are_those_of_the_locked_packages(stored: dict[str, providers.Provider]) -> None:
    locked = providers.LOCK.read_text(encoding="utf-8")
    for name, provider in stored.items():
        assert provider.package == providers.PACKAGES[name]
        [hashes] = re.findall(rf"^{provider.package}=={provider.release} ((?:.+\n)+?)(?=\w|\Z)", locked, re.M)
        assert f"sha256:{provider.checksum}" in hashes


def test_stored_schemas_are_read_back_unchanged(tmp_path: Path) -> None:
    stored, file = providers.read_providers(), tmp_path / "providers.json.gz"
    file.write_bytes(gzip.compress(providers.text(stored).encode()))
    assert providers.read_providers(file) == stored
    assert len(stored["aws"].schemas) > 2000


def test_a_new_version_is_compared_with_the_previous_one() -> None:
    def types(block: Block) -> providers.Types:
        return {("resource", "aws_x"): block}

    old = Block(
        {
            "gone": Attribute("string", optional=True),
            "kept": Attribute("string", optional=True),
            "list": Attribute(["list", "string"], optional=True),
            "answer": Attribute("string", optional=True),
        },
        {"inner": Nested(Block({"old": Attribute("bool", optional=True)}), "list")},
    )
    new = Block(
        {
            "kept": Attribute("string", required=True),
            "list": Attribute(["set", "string"], optional=True),
            "answer": Attribute("string", computed=True),
            "added": Attribute("string", optional=True),
            "needed": Attribute("string", required=True),
        },
        {"inner": Nested(Block({"new": Attribute("bool", optional=True)}), "list")},
    )
    assert list(providers.differences(types(old), types(new))) == [
        "aws_x.answer: cannot be set any more",
        "aws_x.gone: is gone",
        "aws_x.inner.old: is gone",
        "aws_x.kept: is required now",
        "aws_x.list: has another type now",
        "aws_x.needed: is new and required",
    ]
    assert list(providers.differences(types(old), {})) == ["aws_x: is gone"]
    assert list(providers.differences(types(new), types(new))) == []
