"""Tests of compatibility with releases: their specs are valid, and their resources are moved, not rebuilt.

tests/releases/<version>/ has the specs of the project's environments as released, and their addresses in
addresses.txt. UPDATE_RELEASE=1 writes those of the version in pyproject.toml; that run still fails.
"""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import pytest
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from conftest import ENVIRONMENTS, ROOT
from support.rehearsing import Project

from modules.architecture import Tier, addresses, synthesize
from modules.loader import load
from modules.spec import Environment
from tierra.run.override import rehearsed, save
from tierra.terraform.renames import RENAMES, Rename, moved, pattern
from tierra.terraform.stack import Stack, TierError

RELEASES = ROOT / "tests" / "releases"
CURRENT = RELEASES / tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
# Addresses that were removed on purpose, with the reason: terraform destroys their resources. `*` is a name.
REMOVED: Mapping[tuple[str, str], str] = {}


def generated(folder: Path) -> dict[str, list[str]]:
    """Addresses by tier."""
    files = sorted(folder.glob("stacks/*/cdk.tf.json"))
    return {file.parent.name: addresses(json.loads(file.read_text())) for file in files}


def lost(
    tier: str,
    released: Collection[str],
    now: Collection[str],
    renames: Sequence[Rename] = RENAMES,
    removed: Mapping[tuple[str, str], str] = REMOVED,
) -> list[str]:
    """Addresses of a release that are not generated, moved, or removed on purpose."""
    led = {block["from"] for block in moved(tier, now, renames)}
    gone = [pattern(address) for of_tier, address in removed if of_tier == tier]
    left = sorted(set(released) - set(now) - led)
    return [address for address in left if not any(each.fullmatch(address) for each in gone)]


def test_the_snapshot_of_the_current_release_is_current(folders: dict[str, Path]) -> None:
    if os.environ.get("UPDATE_RELEASE") == "1":
        CURRENT.mkdir(parents=True, exist_ok=True)
        lines = [
            f"{name} {tier} {address}\n"
            for name in ENVIRONMENTS
            for tier, names in generated(folders[name]).items()
            for address in sorted(names)
        ]
        (CURRENT / "addresses.txt").write_text("".join(lines))
        for name in ENVIRONMENTS:
            shutil.copy(ROOT / "environments" / f"{name}.yaml", CURRENT)
        pytest.fail("rewritten; read the difference and run again without UPDATE_RELEASE", pytrace=False)
    files = {file.name for file in CURRENT.glob("*")}
    assert files >= {"addresses.txt", *(f"{name}.yaml" for name in ENVIRONMENTS)}, (
        "UPDATE_RELEASE=1 .venv/bin/python -m pytest tests/test_releases.py writes them"
    )


@pytest.mark.parametrize(
    "spec", sorted(RELEASES.glob("*/*.yaml")), ids=lambda spec: f"{spec.parent.name}-{spec.stem}"
)
def test_every_address_of_a_release_exists_is_moved_or_is_removed_on_purpose(
    spec: Path, tmp_path: Path
) -> None:
    synthesize(load(spec), tmp_path)
    now = generated(tmp_path)
    lines = [line.split() for line in (spec.parent / "addresses.txt").read_text().splitlines()]
    then: dict[str, list[str]] = {}
    for name, tier, address in lines:
        if name == spec.stem:
            then.setdefault(tier, []).append(address)
    assert then
    gone = {tier: lost(tier, names, now.get(tier, [])) for tier, names in then.items()}
    assert {tier: each for tier, each in gone.items() if each} == {}, (
        "terraform would destroy these: name them in RENAMES of tierra/terraform/renames.py, or in REMOVED"
    )


def test_a_missing_address_without_a_move_is_lost() -> None:
    then, now = ["aws_vpc.main", "aws_iam_role.deploy_a"], ["aws_vpc.this", "aws_iam_role.deployer_a"]
    assert lost("network", then, now) == sorted(then)
    vpc = Rename("0.2.0", "network", "aws_vpc.main", "aws_vpc.this")
    roles = Rename("0.2.0", "network", "aws_iam_role.deploy_*", "aws_iam_role.deployer_*")
    assert lost("network", then, now, [vpc]) == ["aws_iam_role.deploy_a"]
    assert lost("network", then, now, [vpc, roles]) == []
    assert lost("edge", then, now, [vpc, roles]) == sorted(then)  # the same address in another tier
    removed = {("network", "aws_iam_role.*"): "they had no use"}
    assert lost("network", then, now, [vpc], removed) == []


def test_renames_are_followed_over_several_releases() -> None:
    chain = [
        Rename("0.2.0", "network", "aws_vpc.a", "aws_vpc.b"),
        Rename("0.3.0", "network", "aws_vpc.b", "aws_vpc.c"),
    ]
    assert moved("network", ["aws_vpc.c"], chain) == [
        {"from": "aws_vpc.a", "to": "aws_vpc.b"},
        {"from": "aws_vpc.b", "to": "aws_vpc.c"},
    ]
    assert moved("network", ["aws_vpc.other"], chain) == []


def test_a_rename_that_terraform_cannot_follow_is_refused() -> None:
    with pytest.raises(TierError, match="terraform moves within a type"):
        Rename("0.2.0", "network", "aws_vpc.a", "aws_subnet.a")
    with pytest.raises(TierError, match="one \\* each"):
        Rename("0.2.0", "network", "aws_vpc.*", "aws_vpc.a")
    both = [Rename("0.2.0", "network", "aws_vpc.a", "aws_vpc.b")]
    with pytest.raises(TierError, match=r"aws_vpc.a was renamed to aws_vpc.b, and both are generated"):
        moved("network", ["aws_vpc.a", "aws_vpc.b"], both)


def topics(*names: str) -> Tier:
    """A tier with topics for these resource names; a topic is alarms-a or alarms-b, by the last letter."""

    def build(stack: Stack) -> None:
        for name in names:
            stack.add(SnsTopic, name, name=f"alarms-{name[-1]}")

    return Tier(build)


def test_terraform_moves_renamed_resources(environment: Callable[..., Environment], tmp_path: Path) -> None:
    project = Project(tmp_path / "root")

    def write(names: Collection[str], renames: list[Rename]) -> None:
        synthesize(environment(), tmp_path / "out", {"trial": topics(*names)}, renames)
        shutil.copy(tmp_path / "out" / "stacks" / "trial" / "cdk.tf.json", project.folder)
        save(
            project.folder / "rehearsal_override.tf.json",
            rehearsed(project.folder, project.folder / "terraform.tfstate", {}),
        )

    write(["topic_a", "topic_b"], [])
    project.run("init", "-input=false", "-reconfigure")
    project.apply()
    before = {address: each["arn"] for address, each in project.state().items()}
    jumped = [
        Rename("0.2.0", "trial", "aws_sns_topic.topic_*", "aws_sns_topic.alarms_*"),
        Rename("0.3.0", "trial", "aws_sns_topic.alarms_*", "aws_sns_topic.system_*"),
    ]
    write(["system_a", "system_b"], jumped)
    assert "0 added, 0 changed, 0 destroyed" in project.apply()
    assert {address: each["arn"] for address, each in project.state().items()} == {
        f"aws_sns_topic.system_{letter}": before[f"aws_sns_topic.topic_{letter}"] for letter in "ab"
    }
