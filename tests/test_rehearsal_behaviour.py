"""Tests that the embedded provider behaves like the real one: schemas, defaults, names, imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from support.rehearsing import Project, installed

from rehearsal import data_sources, tables
from rehearsal.account import Account
from rehearsal.catalog import Catalog, Type, catalog_path
from rehearsal.changes import Changes
from rehearsal.cloud import Cloud
from rehearsal.planning import null, plan
from rehearsal.protocol import UNKNOWN, Object
from rehearsal.provider import unproven
from rehearsal.refusals.names import NAMES
from rehearsal.schema_messages import schema
from rehearsal.values import ValueFactory
from tierra.bindings import providers


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    installed()
    return Catalog(catalog_path())


def resource(catalog: Catalog, name: str) -> Type:
    return catalog.load("aws", "resource", {name})[name]


def planned(type_: Type, prior: Object | None, **given: Any) -> tuple[Object, list[Any]]:
    """The plan of a configuration, with terraform's proposal for computed arguments."""
    config = {**null(type_.block), **given}
    computed = {
        name: prior[name]
        for name, attribute in type_.block.attributes.items()
        if prior and attribute.computed and config[name] is None
    }
    return plan(type_, prior, {**config, **computed}, config, Account())


def created(type_: Type, **given: Any) -> Object:
    return ValueFactory(type_, planned(type_, None, **given)[0], Account()).completed()


def test_the_tables_are_of_the_pinned_provider_and_know_almost_every_type() -> None:
    known, pinned = tables.read_rows(), providers.read_providers()["aws"]
    types = {key for key in pinned.types if key[0] != "provider"}
    assert known.keys() <= types
    assert sum(row.schema for row in known.values()) > 0.95 * len(types)


@pytest.mark.parametrize(
    ("type_name", "argument", "sensitive"),
    [
        ("aws_db_instance", "manage_master_user_password", False),
        ("aws_db_instance", "password", True),
        ("aws_ssm_parameter", "value", True),
        ("aws_cognito_user_pool_client", "client_secret", True),
        ("aws_iam_access_key", "secret", True),
    ],
)
def test_sensitive_attributes_are_those_of_the_real_schema(
    catalog: Catalog, type_name: str, argument: str, sensitive: bool
) -> None:
    assert resource(catalog, type_name).block.attributes[argument].sensitive is sensitive


def test_a_block_that_is_allowed_five_times_is_refused_a_sixth_time(catalog: Catalog) -> None:
    message = schema(resource(catalog, "aws_ecr_repository").block)
    most = {block.type_name: block.max_items for block in message.block.block_types}
    assert most["image_tag_mutability_exclusion_filter"] == 5
    assert most["image_scanning_configuration"] == 1


def test_types_without_facts_use_create_only_properties_of_cloudformation(catalog: Catalog) -> None:
    type_ = resource(catalog, "aws_kinesis_stream_consumer")
    before = created(type_, name="a", stream_arn="arn:aws:kinesis:us-east-1:123456789012:stream/a")
    _, replace = planned(
        type_, before, name="a", stream_arn="arn:aws:kinesis:us-east-1:123456789012:stream/b"
    )
    assert replace == [("stream_arn",)]


def test_data_sources_fill_optional_computed_attributes(catalog: Catalog, tmp_path: Path) -> None:
    types = catalog.load("aws", "data", {"aws_region", "aws_lambda_function"})
    region = data_sources.answer(types["aws_region"], null(types["aws_region"].block), Account(), Cloud(None))
    assert region["name"] == "us-east-1"
    cloud = Cloud(tmp_path / "cloud.sqlite")
    cloud.put("aws_lambda_function", "us-east-1/x", {"function_name": "x", "tags": {"a": "b"}})
    config = {**null(types["aws_lambda_function"].block), "function_name": "x"}
    assert data_sources.answer(types["aws_lambda_function"], config, Account(), cloud)["tags"] == {"a": "b"}


def test_engine_data_sources_have_a_version_and_a_family(catalog: Catalog) -> None:
    type_ = catalog.load("aws", "data", {"aws_rds_engine_version"})["aws_rds_engine_version"]
    config = {**null(type_.block), "engine": "postgres"}
    answer = data_sources.answer(type_, config, Account(), Cloud(None))
    assert (answer["version"], answer["parameter_group_family"]) == ("17.6", "postgres17")
    asked = data_sources.answer(type_, {**config, "preferred_versions": ["16.9"]}, Account(), Cloud(None))
    assert (asked["version"], asked["parameter_group_family"]) == ("16.9", "postgres16")


CERTIFICATE = """
resource "aws_acm_certificate" "this" {
  domain_name               = "example.com"
  subject_alternative_names = ["www.example.com"]
  validation_method         = "DNS"
}
resource "aws_route53_record" "proof" {
  for_each = {
    for each in aws_acm_certificate.this.domain_validation_options : each.domain_name => each
  }
  zone_id = "Z0123456789ABCDEFGHIJ"
  name    = each.value.resource_record_name
  type    = each.value.resource_record_type
  records = [each.value.resource_record_value]
  ttl     = 60
}
"""


def test_the_names_of_a_certificate_are_known_at_plan(tmp_path: Path) -> None:
    project = Project(tmp_path, CERTIFICATE)
    project.apply()
    assert {"example.com", "www.example.com"} == {
        address.split('"')[1] if '"' in address else address.split("[")[1].rstrip("]")
        for address in project.state()
        if address.startswith("aws_route53_record")
    }
    assert project.unchanged()


def test_a_new_name_replaces_the_certificate_with_known_validation_records(catalog: Catalog) -> None:
    type_ = resource(catalog, "aws_acm_certificate")
    first = created(type_, domain_name="example.com", validation_method="DNS")
    assert first["subject_alternative_names"] == ["example.com"]
    assert [each["domain_name"] for each in first["domain_validation_options"]] == ["example.com"]
    same, replace = planned(type_, first, domain_name="example.com", validation_method="DNS")
    assert (same, replace) == (first, [])
    names = ["www.example.com"]
    second, replace = planned(
        type_, first, domain_name="example.com", validation_method="DNS", subject_alternative_names=names
    )
    assert replace == [("subject_alternative_names",)]
    assert [each["domain_name"] for each in second["domain_validation_options"]] == ["example.com", *names]
    unknown, _ = planned(type_, None, domain_name=UNKNOWN, validation_method="DNS")
    assert unknown["domain_validation_options"] is UNKNOWN


STATEMENT: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({**STATEMENT, "Action": ["s3:GetObject"]}, True),
        ([{**STATEMENT, "Resource": ["*"]}], True),
        ({**STATEMENT, "Action": ["s3:GetObject", "s3:PutObject"]}, False),
        ({**STATEMENT, "Effect": "Deny"}, False),
    ],
)
def test_equivalent_policies_are_no_difference(catalog: Catalog, changed: Any, same: bool) -> None:
    type_ = resource(catalog, "aws_iam_policy")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})
    before = created(type_, name="a", policy=policy)
    after, _ = planned(
        type_, before, name="a", policy=json.dumps({"Version": "2012-10-17", "Statement": changed})
    )
    assert (after == before) is same


def test_the_case_of_windows_is_no_difference(catalog: Catalog) -> None:
    type_ = resource(catalog, "aws_db_instance")
    given = {"identifier": "a", "instance_class": "db.t4g.medium", "engine": "postgres"}
    before = created(type_, **given, maintenance_window="sun:05:00-sun:06:00")
    assert planned(type_, before, **given, maintenance_window="Sun:05:00-Sun:06:00") == (before, [])
    assert planned(type_, before, **given, maintenance_window="mon:05:00-mon:06:00")[0] != before


def test_a_cluster_is_replaced_when_its_encryption_is_removed_not_when_it_is_added(catalog: Catalog) -> None:
    type_ = resource(catalog, "aws_eks_cluster")
    encryption = [
        {"provider": [{"key_arn": "arn:aws:kms:us-east-1:123456789012:key/a"}], "resources": ["secrets"]}
    ]
    given = {
        "name": "a",
        "role_arn": "arn:aws:iam::123456789012:role/a",
        "vpc_config": [{**null(type_.block.blocks["vpc_config"].block), "subnet_ids": ["subnet-a"]}],
    }
    plain, encrypted = created(type_, **given), created(type_, **given, encryption_config=encryption)
    assert planned(type_, encrypted, **given)[1] == [("encryption_config",)]
    assert planned(type_, plain, **given, encryption_config=encryption)[1] == []


def test_a_type_without_facts_has_the_defaults_of_cloudformation(catalog: Catalog) -> None:
    """A default is planned if the provider has one, and unknown until the apply if AWS chooses the value."""
    type_ = resource(catalog, "aws_globalaccelerator_endpoint_group")
    plans, _ = planned(type_, None, listener_arn="arn:aws:globalaccelerator::123456789012:listener/a")
    assert (plans["threshold_count"], plans["health_check_path"]) == (3, UNKNOWN)
    assert created(type_, listener_arn="a", threshold_count=5)["threshold_count"] == 5
    assert created(type_, listener_arn="a")["health_check_path"] == "/"


def test_the_defaults_of_cloudformation_agree_with_the_facts(catalog: Catalog) -> None:
    rows, compared = tables.read_rows(), 0
    for name, type_ in catalog.load("aws", "resource").items():
        row = rows.get(("resource", name))
        if row and type_.facts.source.startswith("internal/"):
            for argument in row.defaults.keys() & type_.facts.defaults.keys():
                assert type_.facts.defaults[argument] == row.defaults[argument], (name, argument)
                compared += 1
    assert compared > 2


def test_a_type_without_any_replacement_facts_gets_a_warning(tmp_path: Path, catalog: Catalog) -> None:
    unknown = next(t for t in catalog.load("aws", "resource").values() if not t.facts.source)
    assert unknown.name in unproven(unknown).summary
    database = 'resource "aws_athena_database" "x" {{\n  name = "a"\n  comment = "{}"\n}}\n'
    project = Project(tmp_path, database.format("one"))
    assert "AWS may replace" not in project.apply()
    project.write(database.format("two"))
    assert "aws_athena_database: AWS may replace" in project.run("plan")


def test_error_codes_of_existing_names_are_those_of_the_api() -> None:
    session = botocore.session.get_session()
    for type_name, name in NAMES.items():
        if not name.operation:
            continue
        service, operation = name.operation.split()
        shapes = session.get_service_model(service).operation_model(operation).error_shapes
        codes = {shape.metadata.get("error", {}).get("code", shape.name) for shape in shapes}
        assert name.code in codes | {shape.name for shape in shapes}, (type_name, sorted(codes))


def test_unique_names_are_arguments(catalog: Catalog) -> None:
    for type_name, name in NAMES.items():
        block = resource(catalog, type_name).block
        assert [each for each in name.by if each not in block.attributes] == [], type_name


def test_an_existing_name_is_refused_in_its_scope(catalog: Catalog, tmp_path: Path) -> None:
    changes = Changes(Cloud(tmp_path / "cloud.sqlite"), Account())
    group = resource(catalog, "aws_security_group")

    def create(**given: Any) -> str:
        problem = changes.create(group, planned(group, None, **given)[0])[2]
        return problem.summary if problem else ""

    assert create(name="web", vpc_id="vpc-a") == ""
    assert create(name="web", vpc_id="vpc-b") == ""
    assert "InvalidGroup.Duplicate: The security group 'web' already exists for VPC 'vpc-a'" in create(
        name="web", vpc_id="vpc-a", description="another"
    )
    assert create(name="web", vpc_id="vpc-a", region="eu-west-1") == ""


@pytest.mark.parametrize(
    ("type_name", "given", "identity"),
    [
        (
            "aws_route",
            {"route_table_id": "rtb-a", "destination_cidr_block": "10.0.0.0/8"},
            "rtb-a_10.0.0.0/8",
        ),
        (
            "aws_route_table_association",
            {"route_table_id": "rtb-a", "subnet_id": "subnet-a"},
            "subnet-a/rtb-a",
        ),
        (
            "aws_network_acl_rule",
            {"network_acl_id": "acl-a", "rule_number": 100, "protocol": "tcp", "egress": False},
            "acl-a:100:tcp:false",
        ),
        ("aws_backup_selection", {"plan_id": "p", "name": "a", "resources": ["*"]}, "p|{id}"),
        ("aws_eks_pod_identity_association", {"cluster_name": "c"}, "c,{association_id}"),
        (
            "aws_eks_access_policy_association",
            {"cluster_name": "c", "principal_arn": "arn:p", "policy_arn": "arn:q"},
            "c#arn:p#arn:q",
        ),
        ("aws_wafv2_web_acl", {"name": "a", "scope": "REGIONAL"}, "{id}/a/REGIONAL"),
        ("aws_route53_record", {"zone_id": "Z1", "name": "a.example.com", "type": "A"}, "Z1_a.example.com_A"),
        ("helm_release", {"name": "karpenter", "namespace": "kube-system"}, "kube-system/karpenter"),
    ],
)
def test_objects_are_imported_by_their_documented_id(
    catalog: Catalog, tmp_path: Path, type_name: str, given: dict[str, Any], identity: str
) -> None:
    type_ = catalog.load(type_name.split("_")[0], "resource", {type_name})[type_name]
    changes = Changes(Cloud(tmp_path / "cloud.sqlite"), Account())
    existing, key, refused = changes.create(type_, planned(type_, None, **given)[0])
    assert refused is None
    imported, private = changes.imported(type_, identity.format(**existing))
    assert private == key
    assert imported == existing


def test_an_import_leaves_write_only_arguments_unset(catalog: Catalog, tmp_path: Path) -> None:
    type_ = resource(catalog, "aws_db_instance")
    changes = Changes(Cloud(tmp_path / "cloud.sqlite"), Account())
    given: dict[str, Any] = {"identifier": "a", "engine": "postgres", "instance_class": "db.t4g.medium"}
    given |= {"password": "not-kept", "apply_immediately": True, "skip_final_snapshot": False}
    existing, key, _ = changes.create(type_, planned(type_, None, **given)[0])
    imported, private = changes.imported(type_, "a")
    assert (imported["password"], imported["apply_immediately"]) == (None, None)
    assert imported["skip_final_snapshot"] is True
    assert changes.read(type_, imported, private)[0] == imported
    assert changes.read(type_, existing, key)[0] == existing
    after, replace = planned(type_, imported, **given)
    assert (after["password"], replace) == ("not-kept", [])
