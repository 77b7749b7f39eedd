"""Tests of refusals by AWS during an apply: for each rule a valid configuration and a refused edit."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from support.reading import parsed_file
from support.rehearsing import PROVIDERS, ROOT, Project, installed

from rehearsal.account import Account
from rehearsal.catalog import Catalog, Type, catalog_path
from rehearsal.changes import Changes
from rehearsal.cloud import Cloud
from rehearsal.outside import OUTSIDE
from rehearsal.planning import conform, null, plan
from rehearsal.protocol import Object
from rehearsal.refusals import RULES, SERVICES, refusals
from rehearsal.refusals.rules import Rule

TABLE = parsed_file(Path(__file__).parent / "refusals.yaml")
REFERENCE = re.compile(r"\$\{(\w+\.\w+)\.([\w.]+)\}")
Resources = dict[str, dict[str, Any]]
# Error codes that a service returns although its model lacks them: AWS's pages list them as common errors.
COMMON = {
    "AccessDenied",
    "AccessDeniedException",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "ValidationError",
}


@cache
def catalog_type(name: str) -> Type:
    installed()
    return Catalog(catalog_path()).load("aws", "resource", {name})[name]


class World:
    """An account to which resources are applied as terraform does, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.changes = Changes(Cloud(folder / "cloud.sqlite"), Account())
        self.objects: dict[str, Object] = {}
        self.keys: dict[str, bytes] = {}

    def apply(self, address: str, arguments: dict[str, Any]) -> str:
        """The error of AWS, or ""."""
        type_ = catalog_type(address.partition(".")[0])
        given = {name: self._value(value) for name, value in arguments.items()}
        unknown = set(given) - set(type_.block.attributes) - set(type_.block.blocks)
        assert not unknown, f"{address}: {unknown}"
        config = conform(type_.block, {**null(type_.block), **given})
        prior = self.objects.get(address)
        computed = {name: value for name, value in (prior or {}).items() if config.get(name) in (None, [])}
        planned, _ = plan(type_, prior, {**config, **computed}, config, self.changes.account)
        if prior is None:
            created, key, problem = self.changes.create(type_, planned)
        else:
            key = self.keys[address]
            created, problem = self.changes.update(type_, prior, planned, key)
        if problem:
            return str(problem.summary)
        self.objects[address], self.keys[address] = created, key
        return ""

    def delete(self, address: str) -> str:
        type_ = catalog_type(address.partition(".")[0])
        problem = self.changes.delete(type_, self.objects[address], self.keys[address])
        return str(problem.summary) if problem else ""

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, dict):
            if set(value) == {"json"}:
                return json.dumps(self._value(value["json"]))
            if set(value) == {"long"}:
                return _long(value["long"])
            return {key: self._value(item) for key, item in value.items()}
        whole = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        return self._attribute(whole[1], whole[2]) if whole else value

    def _attribute(self, address: str, path: str) -> Any:
        value: Any = self.objects[address]
        for step in path.split("."):
            value = value[int(step)] if step.isdigit() else value[step]
        return value


def _long(length: int) -> str:
    """A policy or a word of about this length."""
    if length == 2100:
        return "a" * length
    resources = [f"arn:aws:s3:::bucket-{number:03}" for number in range(length // 27)]
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": resources}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def given(case: dict[str, Any]) -> Resources:
    whole: Resources = {}
    for base in case["given"]:
        whole.update(copy.deepcopy(TABLE["bases"][base]))
    whole.update(copy.deepcopy(case.get("with", {})))
    return whole


def merged(resources: Resources, edit: Resources) -> Resources:
    return {
        address: {**resources.get(address, {}), **edit.get(address, {})} for address in [*resources, *edit]
    }


def case_id(case: dict[str, Any]) -> str:
    return f"{case['rule']}-{case['refused']}"


def outside(case: dict[str, Any]) -> str:
    """Most cases refer to existing objects; cases about missing objects do not."""
    judged = case["rule"].startswith("there_") or "nobody" in json.dumps(case.get("edit"))
    return "" if judged else "*"


@pytest.mark.parametrize("case", TABLE["cases"], ids=case_id)
def test_each_rule_accepts_the_configuration_and_refuses_the_edit(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REHEARSAL_EXISTS", outside(case))
    world = World(tmp_path / "taken")
    resources = given(case)
    refused = {address: world.apply(address, arguments) for address, arguments in resources.items()}
    assert not any(refused.values()), refused

    words = list(_refused(case, resources, world, tmp_path))
    assert [address for address, _ in words] == [case["refused"]]
    assert f": {case['code']}" in words[0][1]


def _refused(
    case: dict[str, Any], resources: Resources, world: World, folder: Path
) -> Iterator[tuple[str, str]]:
    """The first refusal of the edited configuration, of a change or of a deletion."""
    if "delete" in case:
        yield case["delete"], world.delete(case["delete"])
        return
    fresh = world if "change" in case else World(folder / "edited")
    edit = case.get("change") or case["edit"]
    changed = merged(resources, edit)
    for address in edit if "change" in case else changed:
        if words := fresh.apply(address, changed[address]):
            yield address, words
            return


def test_unknown_values_are_not_refused() -> None:
    """All references are to objects outside of the configuration, so no rule can decide."""
    outside: dict[str, dict[str, Any]] = {
        "aws_subnet": {"vpc_id": "vpc-1", "cidr_block": "10.0.0.0/24", "availability_zone": "us-east-1a"},
        "aws_lb": {"name": "web", "subnets": ["subnet-1"], "security_groups": ["sg-1"]},
        "aws_db_subnet_group": {"name": "main", "subnet_ids": ["subnet-1"]},
        "aws_eks_cluster": {"role_arn": "arn:aws:iam::123456789012:role/a"},
        "aws_eks_pod_identity_association": {"role_arn": "arn:aws:iam::123456789012:role/a"},
        "aws_cloudwatch_log_group": {
            "name": "a",
            "region": "us-east-1",
            "kms_key_id": "arn:aws:kms:us-east-1:123456789012:key/a",
        },
        "aws_route53_record": {"zone_id": "Z1", "name": "example.com", "type": "CNAME"},
        "aws_nat_gateway": {"subnet_id": "subnet-1", "allocation_id": "eipalloc-1"},
        "aws_lb_listener": {"certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/a"},
        "aws_s3_bucket_policy": {"bucket": "a", "policy": None},
        "aws_backup_selection": {"iam_role_arn": "arn:aws:iam::123456789012:role/a", "resources": ["*"]},
    }
    refused = {
        name: answer
        for name, values in outside.items()
        for _, answer in refusals(
            name, None, values, lambda type_: [{"pattern": "*"}] if type_ == OUTSIDE else ()
        )
    }
    assert refused == {}


def test_every_rule_has_a_name_a_source_and_types_that_exist() -> None:
    assert [name for name, number in Counter(rule.name for rule in RULES).items() if number > 1] == [
        "lifecycle"
    ]
    assert all(rule.source and rule.description for rule in RULES)
    for name in sorted({name for rule in RULES for name in rule.types}):
        assert catalog_type(name)


def test_most_rules_have_a_test() -> None:
    """Rules that only differ in the type share a case."""
    tried = {case["rule"] for case in TABLE["cases"]}
    assert tried <= {rule.name for rule in RULES}
    assert len(tried) >= 120, len(tried)


@cache
def api_words(service: str) -> set[str]:
    """Operations, shapes, members and codes of errors."""
    model = botocore.session.get_session().get_service_model(service)
    known = set(model.operation_names) | set(model.shape_names)
    for shape in map(model.shape_for, model.shape_names):
        known |= set(getattr(shape, "members", {}))
        known |= {(shape.metadata.get("error") or {}).get("code", "")}
    return known


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_source_of_a_rule_exists_in_the_api(rule: Rule) -> None:
    """Operations, shapes, members and errors that a source names are in botocore's models."""
    for source in rule.source.split("; "):
        if not (match := re.fullmatch(r"API ([\w-]+), (.+)", source)):
            continue
        known = api_words(match[1])
        for word in match[2].split(", "):
            assert word.partition(":")[0] in known | COMMON, (rule.name, word)


def test_the_docs_list_the_rules() -> None:
    text = (ROOT / "docs/rehearsal.md").read_text()
    for service, rules in SERVICES.items():
        assert f"- **{service}.**" in text
        for rule in rules:
            assert rule.description in re.sub(r"\n\s*", " ", text), (service, rule.description)


def test_results_of_data_sources_count_as_existing(tmp_path: Path) -> None:
    """A subnet may use a VPC that a data source has returned; an unknown VPC is refused."""
    lookup = 'data "aws_vpc" "old" { id = "vpc-0123456789abcdef0" }\n'
    subnet = """
resource "aws_subnet" "a" {
  vpc_id     = %s
  cidr_block = "10.0.0.0/24"
}
"""
    in_existing_vpc = PROVIDERS + lookup + subnet % "data.aws_vpc.old.id"
    Project(tmp_path / "found", in_existing_vpc).apply(REHEARSAL_EXISTS="")
    nothing = Project(tmp_path / "nothing", PROVIDERS + subnet % '"vpc-0123456789abcdef0"')
    words = nothing.apply(code=1, REHEARSAL_EXISTS="")
    assert "InvalidVpcID.NotFound" in words
    assert "REHEARSAL_EXISTS" in words


NETWORK = """
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "a" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.0.0.0/24"
  availability_zone = "us-east-1a"
}
resource "aws_subnet" "b" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.0.1.0/24"
  availability_zone = "us-east-1b"
}
resource "aws_db_subnet_group" "main" {
  name       = "main"
  subnet_ids = [aws_subnet.a.id, aws_subnet.b.id]
}
resource "aws_eip" "all" {
  count  = 5
  domain = "vpc"
}
"""


def test_terraform_stops_with_the_address(tmp_path: Path) -> None:
    project = Project(tmp_path / "refused", PROVIDERS + NETWORK.replace("us-east-1b", "us-east-1a"))
    words = " ".join(project.apply(code=1).split())
    assert "DBSubnetGroupDoesNotCoverEnoughAZs" in words
    assert "with aws_db_subnet_group.main" in words

    project.write(PROVIDERS + NETWORK)
    project.apply()
    project.unchanged()


def test_conflicting_resources_are_refused(tmp_path: Path) -> None:
    """terraform creates both in parallel."""
    both = NETWORK.replace("10.0.1.0/24", "10.0.0.0/25").replace("count  = 5", "count  = 6")
    words = " ".join(Project(tmp_path / "both", PROVIDERS + both).apply(code=1).split())
    assert words.count("InvalidSubnet.Conflict") == 1
    assert words.count("AddressLimitExceeded") == 1
