"""Tests that schemas read from the bindings equal those of the provider."""

from __future__ import annotations

import pytest
from support.rehearsing import installed

from rehearsal.catalog import Catalog, catalog_path
from tierra.bindings.schema import Attribute, Block, Nested


def block(name: str, kind: str = "resource", provider: str = "aws") -> Block:
    installed()
    return Catalog(catalog_path()).load(provider, kind, {name})[name].block


@pytest.mark.parametrize(
    ("name", "path", "type_"),
    [
        ("aws_vpc", "enable_dns_support", "bool"),
        ("aws_vpc", "tags", ["map", "string"]),
        ("aws_db_instance", "allocated_storage", "number"),
        ("aws_db_instance", "vpc_security_group_ids", ["set", "string"]),
        ("aws_lb_target_group", "load_balancer_arns", ["set", "string"]),
        (
            "aws_medialive_channel",
            "encoder_settings.audio_descriptions.name",
            "string",
        ),  # kept in index-structs
        ("aws_lexv2models_intent", "sample_utterance.utterance", "string"),
        ("aws_fms_policy", "exclude_map.account", ["set", "string"]),  # a name that ends in Map
        ("aws_quicksight_data_set", "physical_table_map.s3_source.data_source_arn", "string"),
        ("aws_quicksight_dashboard", "definition", "dynamic"),  # untyped in the bindings
        ("aws_wafv2_web_acl", "rule.statement.rate_based_statement.limit", "number"),  # from rehearsal/waf.py
    ],
)
def test_types_of_arguments_are_read(name: str, path: str, type_: object) -> None:
    argument = block(name).find(path)
    assert isinstance(argument, Attribute)
    assert argument.type == type_


def test_required_arguments_come_from_the_declarations() -> None:
    subnet = block("aws_subnet").attributes
    assert subnet["vpc_id"].required
    assert subnet["cidr_block"].optional
    assert not subnet["cidr_block"].required
    # This interface is called ConfigA, as another is called Config.
    assert block("aws_wafv2_web_acl_association").attributes["resource_arn"].required
    assert block("aws_eks_cluster").blocks["vpc_config"].required


@pytest.mark.parametrize(
    ("name", "path", "nesting", "single"),
    [
        ("aws_eks_cluster", "vpc_config", "list", True),
        ("aws_lb_listener", "default_action", "list", False),
        ("aws_autoscaling_group", "tag", "set", False),
        ("aws_medialive_channel", "vpc", "list", True),
        ("aws_vpc", "timeouts", "single", False),
        ("aws_wafv2_web_acl", "rule", "set", False),
        ("aws_wafv2_web_acl", "rule.statement", "list", True),
        ("aws_wafv2_rule_group", "rule.statement.and_statement.statement", "list", False),
    ],
)
def test_nesting_modes_of_blocks_are_read(name: str, path: str, nesting: str, single: bool) -> None:
    nested = block(name).find(path)
    if name == "aws_vpc":
        assert nested is None  # aws_vpc has no timeouts
        return
    assert isinstance(nested, Nested)
    assert (nested.nesting, nested.single, nested.attribute) == (nesting, single, False)


def test_optional_computed_lists_are_attributes_of_objects() -> None:
    ingress = block("aws_security_group").attributes["ingress"]
    assert ingress.optional
    assert ingress.computed
    assert isinstance(ingress.type, list)
    assert ingress.type[0] == "set"
    assert ingress.type[1][1]["cidr_blocks"] == ["list", "string"]
    assert "encryption_configuration" in block("aws_s3tables_table_bucket").attributes


def test_computed_lists_of_objects_have_their_fields() -> None:
    identity = block("aws_eks_cluster").attributes["identity"]
    assert identity.type == ["list", ["object", {"oidc": ["list", ["object", {"issuer": "string"}]]}]]


def test_the_helm_provider_has_attributes_of_objects() -> None:
    release = block("helm_release", provider="helm")
    assert release.blocks["set"].attribute
    assert not release.blocks["timeouts"].attribute if "timeouts" in release.blocks else True


def test_secrets_are_sensitive_and_write_only_arguments_are_marked() -> None:
    instance = block("aws_db_instance").attributes
    assert instance["password"].sensitive
    assert not instance["password"].write_only
    assert instance["password_wo"].write_only
    assert not instance["password_wo_version"].write_only
    assert block("aws_ssm_parameter").attributes["value"].sensitive
