"""Tests that the lean bindings answer requests as Node would, and report errors of Node."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsii
import pytest
from cdktf import App, TerraformOutput, TerraformStack, Token
from cdktf_cdktf_provider_aws.autoscaling_group_tag import AutoscalingGroupTagA, AutoscalingGroupTagTag
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
from constructs import Construct

from tierra.bindings import trim
from tierra.bindings.kernel import KERNEL, Field
from tierra.bindings.thin import class_facts, thin

SUBNET = {"vpc_id": "vpc-1", "cidr_block": "10.0.0.0/24"}


@pytest.fixture
def stack(tmp_path: Path) -> TerraformStack:
    stack = TerraformStack(App(outdir=str(tmp_path), stack_traces=False), "trial")
    AwsProvider(stack, "aws", region="us-east-1")
    return stack


def written(stack: TerraformStack) -> dict[str, Any]:
    app = stack.node.root
    app.synth()
    parsed: dict[str, Any] = json.loads(Path(app.outdir, "stacks/trial/cdk.tf.json").read_text())
    return parsed


def bound() -> Iterator[type[Any]]:
    """Every resource and data source class of the lean bindings."""
    from importlib import import_module

    for name in sorted(path.name for path in (trim.current() / "cdktf_cdktf_provider_aws").iterdir()):
        if not name.startswith("_"):
            module = import_module(f"cdktf_cdktf_provider_aws.{name}")
            yield from (
                each
                for each in vars(module).values()
                if isinstance(each, type) and "TF_RESOURCE_TYPE" in vars(each)
            )


def test_an_argument_that_was_not_given_is_none(stack: TerraformStack) -> None:
    subnet = Subnet(stack, "a", **SUBNET)
    assert (subnet.cidr_block_input, subnet.ipv6_cidr_block_input, subnet.tags_input) == (
        "10.0.0.0/24",
        None,
        None,
    )


def test_type_names_are_those_of_node() -> None:
    classes = [each for each in bound() if isinstance(vars(each)["TF_RESOURCE_TYPE"], str)]
    assert len(classes) > 90
    for each in classes:
        assert jsii.sget(each, "tfResourceType") == each.TF_RESOURCE_TYPE


def test_references_are_those_of_node(stack: TerraformStack) -> None:
    vpc = Vpc(stack, "main", cidr_block="10.0.0.0/16")
    vpc.override_logical_id("main")
    fields = {name: each for name, each in vars(Vpc).items() if isinstance(each, Field) and each._reference}
    assert {"arn", "id", "cidr_block", "main_route_table_id"} <= fields.keys()
    for name, each in fields.items():
        answered = getattr(vpc, name)
        assert answered.startswith("${aws_vpc.main.")
        asked = jsii.get(vpc, each.__jsii_name__)
        assert asked != answered
        TerraformOutput(stack, f"answered_{name}", value=answered, static_id=True)
        TerraformOutput(stack, f"asked_{name}", value=asked, static_id=True)
    outputs = written(stack)["output"]
    for name in fields:
        assert outputs[f"answered_{name}"] == outputs[f"asked_{name}"]


def test_numbers_lists_maps_and_booleans_are_left_to_node(stack: TerraformStack) -> None:
    """cdktf encodes them as other kinds of tokens, which only Node can decode."""
    vpc = Vpc(stack, "main")
    vpc.override_logical_id("main")
    for name in ("ipv4_netmask_length", "tags_all", "enable_dns_support"):
        assert vars(Vpc)[name]._reference is None
    TerraformOutput(stack, "number", value=vpc.ipv4_netmask_length, static_id=True)
    TerraformOutput(stack, "map", value=vpc.tags_all, static_id=True)
    TerraformOutput(stack, "boolean", value=vpc.enable_dns_support, static_id=True)
    values = {name: each["value"] for name, each in written(stack)["output"].items()}
    assert values == {
        "number": "${aws_vpc.main.ipv4_netmask_length}",
        "map": "${aws_vpc.main.tags_all}",
        "boolean": "${aws_vpc.main.enable_dns_support}",
    }


def test_an_element_with_a_generated_name_is_left_to_node(stack: TerraformStack) -> None:
    vpc = Vpc(stack, "main")
    assert "TfToken" in vpc.arn


def test_a_literal_value_has_the_predicted_name(stack: TerraformStack) -> None:
    TerraformOutput(stack, "some", value=Token.as_any({"a": [1, True, None]}), static_id=True)
    Vpc(stack, "main")
    assert written(stack)["output"]["some"]["value"]["a"][:2] == [1, True]


def test_an_error_of_node_names_the_construct_and_later_requests_work(stack: TerraformStack) -> None:
    Subnet(stack, "private", **SUBNET)
    with pytest.raises(RuntimeError, match=r"already a Construct with name 'private'.*\(.*Subnet private\)"):  # noqa: PT012
        Subnet(stack, "private", **SUBNET)
        stack.node.find_all()
    vpc = Vpc(stack, "after")
    assert stack.node.find_child("after") is vpc
    assert written(stack)["resource"].keys() == {"aws_subnet", "aws_vpc"}


def test_requests_larger_than_the_buffer_pass(stack: TerraformStack) -> None:
    for number in range(1500):
        Construct(stack, f"room_{number}_{'x' * 200}")
    assert len(stack.node.children) == 1501


def test_overridden_methods_are_called_back_in_python(tmp_path: Path) -> None:
    class Mine(TerraformStack):
        def _allocate_logical_id(self, tf_element: Any) -> str:
            return f"mine_{(tf_element if hasattr(tf_element, 'path') else tf_element.node).id}"

    stack = Mine(App(outdir=str(tmp_path), stack_traces=False), "trial")
    AwsProvider(stack, "aws")
    Vpc(stack, "main")
    assert written(stack)["resource"]["aws_vpc"].keys() == {"mine_main"}


def test_an_error_in_python_reaches_the_caller(tmp_path: Path) -> None:
    class Broken(TerraformStack):
        def _allocate_logical_id(self, tf_element: Any) -> str:
            raise ValueError("no name today")

    stack = Broken(App(outdir=str(tmp_path), stack_traces=False), "trial")
    Vpc(stack, "main")
    with pytest.raises(RuntimeError, match="no name today"):
        stack.node.root.synth()


def test_structs_return_none_for_missing_values() -> None:
    tag = AutoscalingGroupTagTag(key="a", value="b", propagate_at_launch=True)
    assert (tag.key, tag.value) == ("a", "b")
    assert tag == AutoscalingGroupTagTag(key="a", value="b", propagate_at_launch=True)
    assert tag != AutoscalingGroupTagTag(key="a", value="c", propagate_at_launch=True)
    assert "key='a'" in repr(tag)
    with pytest.raises(AttributeError, match="AutoscalingGroupTagTag has no colour"):
        _ = tag.colour
    assert AutoscalingGroupTagA.TF_RESOURCE_TYPE == "aws_autoscaling_group_tag"


def test_the_facts_of_a_script_are_its_types_and_string_attributes() -> None:
    script = """
class DataAwsA extends cdktf.TerraformDataSource {
    get arn() {
        return this.getStringAttribute('arn');
    }
    get size() {
        return this.getNumberAttribute('size');
    }
}
DataAwsA.tfResourceType = "aws_a";
"""
    (facts,) = class_facts(script).values()
    assert facts.terraform_type == "aws_a"
    assert facts.references == {"arn": "${data.aws_a.%s.arn}"}


def test_unknown_python_code_is_left_unchanged() -> None:
    text = "import jsii\n\ndef other(x: int) -> int:\n    return x\n"
    assert thin(text, {}, shared_check=True) == text


def test_node_is_started_once() -> None:
    first = KERNEL.channel.pid
    KERNEL.start(trim.current())
    assert KERNEL.channel.pid == first


def test_node_is_started_again_after_its_end(tmp_path: Path) -> None:
    def resources() -> dict[str, Any]:
        stack = TerraformStack(App(outdir=str(tmp_path), stack_traces=False), "trial")
        AwsProvider(stack, "aws", region="us-east-1")
        Subnet(stack, "a", **SUBNET)
        result: dict[str, Any] = written(stack)["resource"]
        return result

    before, first = resources(), KERNEL.channel.pid
    KERNEL.stop()
    assert KERNEL.objects == 0
    assert not Path(f"/proc/{first}").exists()
    assert resources() == before
    assert KERNEL.channel.pid != first
