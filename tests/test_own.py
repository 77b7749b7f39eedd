"""Tests of own Terraform, which a company adds to a tier."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.own_terraform import change

from modules.architecture import TIERS, synthesize
from modules.own.clashes import check
from modules.own.needs import needs
from modules.own.terraform import OwnError, read
from modules.spec import Environment
from tierra.diagram.read import picture_of as picture
from tierra.diagram.terraform import load as loaded
from tierra.hcl import __main__ as hcl
from tierra.plans import own
from tierra.run import forecast, order, saved, target, upstream
from tierra.run.workspace import Workspace

QUEUE = """\
resource "aws_sqs_queue" "jobs" {
  name   = "jobs"
  policy = file("${path.module}/files/policy.json")

  lifecycle {
    prevent_destroy = true
  }
}

output "jobs" {
  value = aws_sqs_queue.jobs.arn
}
"""
POLICY = """\
resource "aws_iam_policy" "jobs" {
  name   = "jobs"
  policy = jsonencode({ Resource = data.terraform_remote_state.network.outputs.jobs })
}
"""
Synthesized = Callable[..., Path]


@pytest.fixture
def built(environment: Callable[..., Environment], tmp_path: Path) -> Synthesized:
    """Writes files of own Terraform, synthesizes these tiers, and returns the output folder."""

    def make(files: dict[str, str], tiers: str = "network data") -> Path:
        folder = tmp_path / "own"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        chosen = {name: TIERS[name] for name in tiers.split()}
        synthesize(environment(), tmp_path / "out", chosen, own=read(folder, list(TIERS)))
        return tmp_path / "out"

    return make


# The parts of the generated Terraform that the checks read.
GENERATED: dict[str, Any] = {
    tier: {
        "terraform": {"required_providers": {"aws": {}}},
        "resource": {"aws_vpc": {"main": {"cidr_block": "10.0.0.0/16"}}},
        "output": {"vpc_id": {"value": "${aws_vpc.main.id}"}},
    }
    for tier in ("network", "data", "storage")
}
Refusal = Callable[[dict[str, str]], str]


@pytest.fixture
def refusal(tmp_path: Path) -> Refusal:
    """The message about invalid files."""

    def message_for(files: dict[str, str]) -> str:
        for name, text in files.items():
            (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "own" / name).write_text(text)
        try:
            by_tier = read(tmp_path / "own", list(TIERS))
            needs(by_tier, {name: tier.needs for name, tier in TIERS.items()})
            check(by_tier, GENERATED)
        except OwnError as refused:
            return str(refused)
        return "nothing"

    return message_for


def test_own_files_are_copied_byte_for_byte(built: Synthesized) -> None:
    out = built({"network/queues.tf": QUEUE, "network/files/policy.json": "{}", "network/README.md": "why"})
    stack = out / "stacks/network"
    assert (stack / "own_queues.tf").read_text() == QUEUE
    assert (stack / "files/policy.json").read_text() == "{}"
    assert not (stack / "README.md").exists()
    assert "aws_sqs_queue" not in json.loads((stack / "cdk.tf.json").read_text())["resource"]


def test_a_deleted_file_is_removed_from_the_root_module(built: Synthesized, tmp_path: Path) -> None:
    stack = built({"network/queues.tf": QUEUE, "network/files/policy.json": "{}"}) / "stacks/network"
    for file in ("queues.tf", "files/policy.json"):
        (tmp_path / "own/network" / file).unlink()
    built({})
    assert sorted(each.name for each in stack.iterdir()) == ["cdk.tf.json", "versions.tf"]


def test_an_environment_without_own_terraform_is_unchanged(
    built: Synthesized, environment: Callable[..., Environment], tmp_path: Path
) -> None:
    synthesize(environment(), tmp_path / "plain", {name: TIERS[name] for name in ("network", "data")})
    out = built({})
    for file in (tmp_path / "plain").rglob("*"):
        assert (
            not file.is_file()
            or file.read_bytes() == (out / file.relative_to(tmp_path / "plain")).read_bytes()
        )


def test_own_outputs_can_be_read_in_another_tier(built: Synthesized) -> None:
    out = built({"network/queues.tf": QUEUE, "data/policies.tf": POLICY})
    tier = Workspace("trial", out, {}).tier("data")
    assert ("network", "jobs") in upstream.references(tier.configured())
    assert upstream.moving(tier) == ["network"]


def test_a_tier_needs_the_tiers_that_its_own_terraform_reads(built: Synthesized) -> None:
    text = POLICY.replace("network.outputs.jobs", "network.outputs.vpc_id")
    out = built({"storage/policies.tf": text}, "network storage")
    assert "plan-storage: plan-network" in (out / "tiers.mk").read_text()
    states = json.loads((out / "stacks/storage/cdk.tf.json").read_text())["data"]["terraform_remote_state"]
    assert list(states) == ["network"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("network/a.tf", '\nresource "aws_vpc" "main" {\n}\n', ["network/a.tf:2: aws_vpc.main", "own_main"]),
        ("network/a.tf.json", '{"output": {"vpc_id": {"value": 1}}}', ["a.tf.json:1: output.vpc_id"]),
        ("network/a.tf", 'terraform {\n  backend "s3" {}\n}\n', ["a.tf:1: terraform", "remove the block"]),
        ("network/a.tf", 'provider "aws" {\n}\n', ["a.tf:1: provider aws", "give it an alias"]),
        (
            "network/a.tf",
            'resource "helm_release" "x" {\n}\n',
            ["must be one of this tier: aws", "gateway, systems"],
        ),
        ("network/a.tf", 'resource "random_id" "x" {\n}\n', ["must be one of this tier: aws"]),
        ("network/a.tf", 'variable "x" {\n}\n', ["write a default"]),
        ("network/a.tf", 'data "terraform_remote_state" "x" {\n}\n', ["aws_ssm_parameter"]),
        ("network/a.tf", "locals {\n  x = \n}\n", ["a.tf:2\n", "the file must be Terraform"]),
        ("network/a_override.tf", "locals {\n}\n", ["merge this file", "rename the file"]),
        ("network/a.json", "{}", ["must be *.tf or *.tf.json", "move it to files/"]),
        ("network/other/a.json", "{}", ["must be files, modules or charts"]),
        ("netwrok/a.tf", "locals {\n}\n", ["own/netwrok", "rename it to network"]),
        ("stateful/a.tf", "locals {\n}\n", ["own/stateful", "remedy: the tiers are network, storage"]),
        ("a.tf", "locals {\n}\n", ["a folder with the name of its tier"]),
        ("state/a.tf", "locals {\n}\n", ["bucket for the states", "storage"]),
        (
            "network/a.tf",
            POLICY,
            ["a.tf:3: data.terraform_remote_state.network", "must not read outputs of its own tier, network"],
        ),
        (
            "network/a.tf",
            POLICY.replace("network.", "data."),
            ["must not read data, which is built after it"],
        ),
        ("network/a.tf", POLICY.replace("network.", "nowhere."), ["the state must be that of a tier"]),
        ("data/a.tf", POLICY.replace("outputs.jobs", "outputs"), ["outputs must be read one by one"]),
        (
            "data/a.tf",
            POLICY.replace("outputs.jobs", "outputs.vpc_idd"),
            ["network has no vpc_idd", "write vpc_id"],
        ),
    ],
)
def test_invalid_own_terraform_is_refused_with_file_line_and_remedy(
    refusal: Refusal, name: str, text: str, says: list[str]
) -> None:
    refused = refusal({name: text})
    assert "remedy:" in refused
    assert all(each in refused for each in says), refused


def test_a_name_in_two_files_is_refused(refusal: Refusal) -> None:
    assert "a.tf:1 declares this one" in refusal({"network/a.tf": QUEUE, "network/b.tf": QUEUE})


def test_a_cycle_of_tiers_is_refused(refusal: Refusal) -> None:
    network = POLICY.replace("network.outputs.jobs", "storage.outputs.vpc_id")
    storage = POLICY.replace("network.outputs.jobs", "network.outputs.vpc_id")
    assert "storage must not read network, which is built after it" in refusal(
        {"network/a.tf": network, "storage/a.tf": storage}
    )


def test_symbolic_links_are_refused(refusal: Refusal, tmp_path: Path) -> None:
    (tmp_path / "own/network/files").mkdir(parents=True)
    (tmp_path / "own/network/files/key").symlink_to("/etc/hosts")
    assert "it must be a file, not a link" in refusal({"network/a.tf": QUEUE})


def test_synthesis_refuses_a_conflict_and_writes_nothing(built: Synthesized, tmp_path: Path) -> None:
    with pytest.raises(OwnError, match=r"a\.tf:1: aws_vpc\.main"):
        built({"network/a.tf": 'resource "aws_vpc" "main" {\n}\n'}, "network")
    assert not (tmp_path / "out").exists()


def test_a_seal_covers_own_terraform_and_its_files(built: Synthesized) -> None:
    tier = Workspace("trial", built({"network/a.tf": QUEUE, "network/files/policy.json": "{}"}), {}).tier(
        "network"
    )
    first = saved.carried(tier)
    built({"network/a.tf": f"# as before\n{QUEUE}"})
    second = saved.carried(tier)
    built({"network/files/policy.json": "{} "})
    assert len({first, second, saved.carried(tier)}) == 3


def test_a_forecast_of_previous_own_terraform_is_not_applied(built: Synthesized) -> None:
    tier = Workspace("trial", built({"network/a.tf": QUEUE}), {}).tier("network")
    tier.keep_configuration()
    tier.forecast.touch()
    assert saved.fault(tier) == ""
    built({"network/a.tf": QUEUE.replace('"jobs"\n', '"tasks"\n', 1)})
    assert saved.fault(tier) == "the configuration is newer than the forecast of network"


def test_a_change_of_target_and_a_forecast_keep_own_terraform(
    built: Synthesized, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = built({"network/a.tf": QUEUE, "network/files/policy.json": "{}"})
    workspace = Workspace("trial", out, {})
    target.switch(workspace)
    tier = workspace.tier("network")
    assert [each.name for each in tier.own_files] == ["own_a.tf"]
    assert tier.own.exists()
    monkeypatch.setattr(forecast.Terraform, "init", lambda _: None)
    forecast.prepare(tier, "")
    assert (tier.scratch / "own_a.tf").read_text() == QUEUE
    assert (tier.scratch / "files/policy.json").read_text() == "{}"


def test_own_resources_and_modules_are_planned_when_others_are_left_out(built: Synthesized) -> None:
    out = built({"network/a.tf": f'{QUEUE}\nmodule "m" {{\n  source = "./modules/m"\n}}\n'})
    options = order.targets(Workspace("trial", out, {}).tier("network"), set())
    assert {"-target=aws_sqs_queue.jobs", "-target=module.m", "-target=aws_vpc.main"} <= set(options)


def test_own_terraform_has_its_own_box_in_the_diagram(
    environment: Callable[..., Environment], tmp_path: Path
) -> None:
    (tmp_path / "own/network").mkdir(parents=True)
    (tmp_path / "own/network/a.tf").write_text(
        f'{QUEUE}\nresource "aws_kms_key" "jobs" {{\n}}\nmodule "m" {{\n  source = "./modules/m"\n}}\n'
    )
    synthesize(environment(), tmp_path / "out", own=read(tmp_path / "own", list(TIERS)))
    tier = Workspace("trial", tmp_path / "out", {}).tier("network")
    tier.keep_configuration()
    changes = [change("aws_sqs_queue.jobs"), change("module.m.aws_sns_topic.x")]
    tier.plan_json.write_text(json.dumps({"resource_changes": changes}))
    terraform, stale = loaded(tmp_path / "out", list(TIERS))
    assert not stale
    [box] = [each for each in picture("trial", "rehearsal", terraform).boxes() if each.kind == "own"]
    assert (box.title, box.badge) == ("Own Terraform", "+2")
    assert box.notes == ("network: aws_sqs_queue.jobs, aws_kms_key.jobs, module.m",)
    keys = [each for each in picture("trial", "rehearsal", terraform).boxes() if each.kind == "key"]
    assert not any("network/aws_kms_key.jobs" in each.addresses for each in keys)


def test_generated_hcl_has_own_terraform_unchanged(built: Synthesized, tmp_path: Path) -> None:
    stack = built({"network/a.tf": QUEUE, "network/files/policy.json": "{}"}) / "stacks/network"
    (tmp_path / "hcl").mkdir()
    (tmp_path / "hcl/own_old.tf.json").write_text("{}")
    hcl.save(tmp_path / "hcl", {"main.tf": "", **hcl.carried(stack)})
    written = {each.relative_to(tmp_path / "hcl").as_posix() for each in (tmp_path / "hcl").rglob("*")}
    assert written == {"main.tf", "own_a.tf", "files", "files/policy.json"}


def test_the_index_has_the_format_of_generated_terraform(built: Synthesized) -> None:
    tier = Workspace("trial", built({"network/a.tf": QUEUE}), {}).tier("network")
    queue = tier.configured()["resource"]["aws_sqs_queue"]["jobs"]
    assert queue["lifecycle"] == {"prevent_destroy": True}
    assert tier.configured()["output"]["jobs"] == {"value": "${aws_sqs_queue.jobs.arn}"}
    assert own.index(tier.own)["sources"] == {
        "own_a.tf": (tier.workspace.out.parent / "own/network/a.tf").as_posix()
    }
