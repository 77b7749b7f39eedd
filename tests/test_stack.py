"""Tests of the stack of a tier: addresses, backend, provider and outputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from cdktf import App, TerraformResource
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.subnet import Subnet
from conftest import ROOT, Root, read_roots
from constructs import Construct

from modules.architecture import TIERS, Tier, build, synthesize
from modules.loader import load
from modules.network.outputs import NetworkOutputs
from modules.network.tier import Network
from modules.spec import Environment
from modules.storage.outputs import StorageOutputs
from tierra.terraform.outputs import Outputs, keyed_by
from tierra.terraform.policy import Statement, document
from tierra.terraform.stack import PROVIDERS, Stack, TierError

MakeEnvironment = Callable[..., Environment]


def one_tier(build_tier: Callable[[Stack], object]) -> dict[str, Tier]:
    return {"trial": Tier(build_tier)}


def synthesized(environment: Environment, folder: Path, tiers: dict[str, Tier]) -> dict[str, Root]:
    synthesize(environment, folder, tiers)
    return read_roots(folder, environment)


def test_no_two_elements_share_an_address(tmp_path: Path) -> None:
    for spec in sorted((ROOT / "environments").glob("*.yaml")):
        app = App(outdir=str(tmp_path / spec.stem), stack_traces=False)
        stacks = build(app, load(spec))
        app.synth()
        for name, stack in stacks.items():
            body = json.loads((tmp_path / spec.stem / "stacks" / name / "cdk.tf.json").read_text())
            written = sum(len(resources) for resources in body["resource"].values())
            elements = [each for each in stack.node.find_all() if isinstance(each, TerraformResource)]
            assert written == len(elements) > 10


def test_addresses_are_the_names_of_elements(network: Root) -> None:
    names = {
        "aws_subnet": "private_a",
        "aws_route_table": "private_a",
        "aws_nat_gateway": "a",
        "aws_vpc": "main",
    }
    for terraform_type, name in names.items():
        assert name in network.all(terraform_type)


def test_a_repeated_address_is_an_error_that_names_it(environment: MakeEnvironment, tmp_path: Path) -> None:
    def twice(stack: Stack) -> None:
        for _ in range(2):
            stack.add(Subnet, "private_a", vpc_id="vpc-1")

    with pytest.raises(TierError, match=r"trial: two elements have the address aws_subnet\.private_a"):
        synthesize(environment(), tmp_path, one_tier(twice))


def test_addresses_that_collide_when_joined_are_an_error(
    environment: MakeEnvironment, tmp_path: Path
) -> None:
    def meeting(stack: Stack) -> None:
        Subnet(Construct(stack, "a"), "b_c", vpc_id="vpc-1")
        Subnet(Construct(stack, "a_b"), "c", vpc_id="vpc-1")

    with pytest.raises(TierError, match=r"aws_subnet\.a_b_c"):
        synthesize(environment(), tmp_path / "out", one_tier(meeting))
    assert not (tmp_path / "out").exists()


def test_elements_of_several_types_share_a_name_and_nested_ones_are_joined(
    environment: MakeEnvironment, tmp_path: Path
) -> None:
    def mixed(stack: Stack) -> None:
        stack.add(Subnet, "private_a", vpc_id="vpc-1")
        stack.add(RouteTable, "private_a", vpc_id="vpc-1")
        RouteTable(Construct(stack, "worker"), "table", vpc_id="vpc-1")

    root = synthesized(environment(), tmp_path, one_tier(mixed))["trial"]
    assert {kind: sorted(elements) for kind, elements in root.body["resource"].items()} == {
        "aws_subnet": ["private_a"],
        "aws_route_table": ["private_a", "worker_table"],
    }


@pytest.mark.parametrize("name", ["Private", "private-a", "1a", "", "a.b"])
def test_an_invalid_name_is_an_error(environment: MakeEnvironment, tmp_path: Path, name: str) -> None:
    with pytest.raises(TierError, match="lower-case letters, digits and underscores"):
        synthesize(environment(), tmp_path, one_tier(lambda stack: stack.add(Subnet, name, vpc_id="vpc-1")))


def test_each_tier_has_an_encrypted_and_locked_state(roots: dict[str, Root]) -> None:
    for tier, root in roots.items():
        environment = root.environment
        stem = f"{environment.project}-{environment.environment}"
        assert root.body["terraform"]["backend"] == {
            "s3": {
                "bucket": f"{stem}-{environment.account}-state",
                "key": f"{environment.project}/{environment.environment}/{tier}/terraform.tfstate",
                "region": environment.region,
                "encrypt": True,
                "kms_key_id": f"arn:aws:kms:{environment.region}:{environment.account}:alias/{stem}-state",
                "allowed_account_ids": [environment.account],
                "use_lockfile": True,
            }
        }


def test_the_version_of_terraform_is_in_a_separate_file(folders: dict[str, Path]) -> None:
    """checkov cannot parse a JSON file with a text directly below `terraform`."""
    for folder in folders.values():
        for file in folder.glob("stacks/*/cdk.tf.json"):
            settings = json.loads(file.read_text())["terraform"]
            assert all(isinstance(block, dict) for block in settings.values())
            text = file.with_name("versions.tf").read_text()
            assert text.endswith('\nterraform {\n  required_version = ">= 1.11"\n}\n')


def test_versions_are_ranges(roots: dict[str, Root]) -> None:
    for root in roots.values():
        wanted = {"aws": {"source": "aws", "version": PROVIDERS["aws"]}}
        if "helm_release" in root.body["resource"]:
            wanted["helm"] = {"source": "helm", "version": PROVIDERS["helm"]}
        assert root.body["terraform"]["required_providers"] == wanted


def test_the_provider_only_works_in_the_account_of_the_spec(roots: dict[str, Root]) -> None:
    for tier, root in roots.items():
        [provider] = root.body["provider"]["aws"]
        environment = root.environment
        assert provider["allowed_account_ids"] == [environment.account]
        assert provider["region"] == environment.region
        [shared] = provider["default_tags"]
        ours = {
            "Project": "acme",
            "Environment": environment.environment,
            "Tier": tier,
            "ManagedBy": "tierra",
        }
        assert shared["tags"].items() >= ours.items()
        assert {"access_key", "secret_key", "token", "profile"}.isdisjoint(provider)


def test_every_resource_gets_the_tags_of_the_spec(variant: Callable[..., dict[str, Root]]) -> None:
    roots = variant(owner="payments", tags={"CostCenter": "1234"})
    for root in roots.values():
        [shared] = root.body["provider"]["aws"][0]["default_tags"]
        assert shared["tags"].items() >= {"Owner": "payments", "CostCenter": "1234"}.items()


def test_outputs_have_descriptions_and_are_not_sensitive(roots: dict[str, Root]) -> None:
    for outputs in (NetworkOutputs, StorageOutputs):
        body = dict(roots[outputs.tier].body["output"])
        assert body.pop("protection")["value"] is roots[outputs.tier].environment.protection
        assert {name: each["description"] for name, each in body.items()} == {
            each.name: each.description
            for each in outputs.described()
            if each.where(roots[outputs.tier].environment)
        }
        assert not [name for name, each in body.items() if each.get("sensitive")]


def consumer(stack: Stack) -> None:
    """A tier that reads every kind of output, one of them twice."""
    network = NetworkOutputs.read(stack)
    assert NetworkOutputs.read(stack).vpc_id == network.vpc_id
    for zone, subnet in network.private_subnet_ids.items():
        stack.add(Subnet, f"beside_{zone}", vpc_id=network.vpc_id, outpost_arn=subnet)
    stack.add(
        IamRolePolicy,
        "use",
        role="trial",
        policy=document(Statement("Use", "kms:Decrypt", network.logs_key_arn)),
    )
    stack.output("addresses", network.nat_public_ips, "As they come")


def test_a_consumer_gets_typed_references_to_one_remote_state(
    environment: MakeEnvironment, tmp_path: Path
) -> None:
    tiers = {"consumer": Tier(consumer, frozenset({"network"})), "network": Tier(Network)}
    root = synthesized(environment(network={"zones": ["a", "b"]}), tmp_path, tiers)["consumer"]
    state = {"bucket": "acme-trial-123456789012-state", "region": "us-east-1"}
    assert root.body["data"] == {
        "terraform_remote_state": {
            "network": {"backend": "s3", "config": {**state, "key": "acme/trial/network/terraform.tfstate"}}
        }
    }
    outputs = "data.terraform_remote_state.network.outputs"
    assert root["aws_subnet.beside_b"] == {
        "vpc_id": f"${{{outputs}.vpc_id}}",
        "outpost_arn": f"${{{outputs}.private_subnet_ids.b}}",
    }
    assert root.statements("aws_iam_role_policy.use")["Use"]["Resource"] == f"${{{outputs}.logs_key_arn}}"
    assert root.body["output"]["addresses"]["value"] == f"${{{outputs}.nat_public_ips}}"
    assert (tmp_path / "tiers.mk").read_text().splitlines()[2:] == [
        "TIERS := network consumer",
        "plan-consumer: plan-network",
        "apply-consumer: apply-network",
        "destroy-network: destroy-consumer",
    ]
    assert json.loads((tmp_path / "environment.json").read_text())["tiers"] == {
        "network": [],
        "consumer": ["network"],
    }
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["stacks"]["consumer"]["dependencies"] == ["network"]


def test_reading_a_tier_that_is_not_needed_is_an_error(environment: MakeEnvironment, tmp_path: Path) -> None:
    tiers = {"network": Tier(Network), "consumer": Tier(consumer)}
    with pytest.raises(TierError, match="consumer reads outputs of network, which is not among its needs"):
        synthesize(environment(), tmp_path, tiers)


def test_needing_a_tier_that_is_not_read_is_an_error(environment: MakeEnvironment, tmp_path: Path) -> None:
    tiers = {**TIERS, "idle": Tier(lambda stack: None, frozenset({"network"}))}
    with pytest.raises(TierError, match="idle: it needs network and reads no output of it"):
        synthesize(environment(), tmp_path, tiers)


@pytest.mark.parametrize(
    "hint",
    [
        str,
        Annotated[int, "A number"],
        Annotated[dict[str, str], "No keys"],
        Annotated[str, "Text", keyed_by(lambda _: "a")],
    ],
)
def test_an_output_without_type_description_or_keys_is_an_error(hint: Any) -> None:
    shaped = dataclass(frozen=True)(
        type("Shaped", (Outputs,), {"__annotations__": {"value": hint}}, tier="shaped")
    )
    with pytest.raises(TypeError, match=r"Shaped\.value"):
        list(shaped.described())
