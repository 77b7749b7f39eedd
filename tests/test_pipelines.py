"""Tests of delivery without GitHub: no trusted workflows, and scripts with the same steps for other CIs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Variant
from support.actions import SHA
from support.deployments import NEW, SPEC, Deployment, all_of

from modules.loader import load
from modules.spec import Environment
from tierra.github import __main__ as workflows_command
from tierra.github import environments as environments_command
from tierra.github.workflows import STEPS, pipelines
from tierra.terraform.templating import TEMPLATES
from tierra.validation.errors import SpecError

OFF: dict[str, Any] = {
    **SPEC,
    "delivery": {"ci": "off"},
    "observability": {"runbooks": "https://example.com/r"},
}


def without(spec: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in keys}


@pytest.mark.parametrize("written", ["off", False])
def test_nothing_trusts_github_and_systems_keep_their_registries(
    variant: Callable[..., Variant], written: Any
) -> None:
    delivery = variant(**without(SPEC, "delivery", "target"), delivery={"ci": written})["delivery"]
    assert not delivery.all("aws_iam_role")
    assert not delivery.all("aws_iam_openid_connect_provider")
    assert set(delivery.all("aws_ecr_repository")) == {"shop", "site"}
    assert "RefuseImagesFromElsewhere" not in delivery.statements("aws_ecr_repository_policy.shop")
    outputs = {"repository_urls", "repository_arns", "images_key_arn", "protection"}
    assert set(delivery.body["output"]) == outputs


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"delivery": {"ci": "off", "connection": None, "runner": ["linux"]}}, "delivery.runner"),
        ({"delivery": {"ci": "off", "promote_from": "staging"}}, "delivery.promote_from"),
        ({"observability": {}}, "observability.runbooks"),
        ({"delivery": {"ci": "jenkins"}}, "must be github or off"),
    ],
)
def test_keys_without_effect_without_github_are_refused(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    file = tmp_path / "live.yaml"
    file.write_text(yaml.safe_dump({**OFF, **changes}))
    with pytest.raises(SpecError) as refused:
        load(file)
    assert says in str(refused.value)


def test_no_image_is_promoted_between_github_and_another_ci(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(yaml.safe_dump(OFF))
    taking = {**SPEC, "delivery": {**SPEC["delivery"], "promote_from": "dev"}}
    (tmp_path / "live.yaml").write_text(yaml.safe_dump(taking))
    with pytest.raises(
        SpecError,
        match=r"delivery\.ci must be the same in both: it is github here, and off in environments/dev",
    ):
        load(tmp_path / "live.yaml")


def test_scripts_are_generated_and_removed_with_the_specs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    spec = tmp_path / "environments/live.yaml"
    spec.parent.mkdir()
    spec.write_text(yaml.safe_dump(OFF))
    assert workflows_command.main() == 0
    script = tmp_path / "pipelines/shop.live.sh"
    assert os.access(script, os.X_OK)
    assert not (tmp_path / ".github").exists()
    assert environments_command.main() == 0
    assert "all=[]" in capsys.readouterr().out
    spec.write_text(yaml.safe_dump({**OFF, "systems": {"site": {"framework": "go"}}}))
    assert workflows_command.main() == 0
    assert not script.exists()
    assert (tmp_path / "pipelines/site.live.sh").exists()


def test_a_script_has_every_step_of_the_workflow_unchanged(environment: Callable[..., Environment]) -> None:
    trial = environment(**without(OFF, "target"))
    text = re.sub(r"^ +", "", pipelines(trial)["pipelines/shop.trial.sh"], flags=re.MULTILINE)
    for step in [*STEPS, "find-image", "tag"]:
        source = (TEMPLATES / f"delivery/steps/{step}.sh").read_text()
        assert re.sub(r"^ +", "", source, flags=re.MULTILINE).strip() in text, step


@pytest.fixture
def start(running: Deployment, shop: tuple[Environment, dict[str, Any]]) -> Callable[..., tuple[int, str]]:
    """Runs the script of the shop while the old image runs."""
    (text,) = pipelines(shop[0]).values()
    script = running.folder / "shop.sh"
    script.write_text(text.replace("TRIES=60", "TRIES=5").replace("TRIES=180", "TRIES=5"))
    bin_folder = running.folder / "bin"
    (bin_folder / "mktemp").symlink_to(shutil.which("mktemp") or "mktemp")
    scan = bin_folder / "grype"
    scan.write_text('#!/bin/sh\necho "scanned $*"\n[ ! -e "$(dirname "$WORLD")/vulnerable" ]\n')
    scan.chmod(0o755)

    def run(**variables: str) -> tuple[int, str]:
        ended = subprocess.run(
            ["bash", script],
            env={
                "PATH": f"{bin_folder}",
                "HOME": os.environ["HOME"],
                "WORLD": str(running.file),
                "COMMIT": SHA,
                **variables,
            },
            cwd=running.folder / "checkout",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        running.look()
        return ended.returncode, ended.stdout

    running.change(registry={}, digest=NEW.partition("@")[2])
    return run


def test_a_new_commit_is_built_scanned_migrated_rolled_out_and_recorded(
    start: Callable[..., tuple[int, str]], running: Deployment
) -> None:
    code, output = start()
    assert code == 0, output
    assert running.runs() == all_of(NEW)
    assert running.world["parameters"] == {"/acme/trial/systems/shop/image": NEW}
    assert running.world["registry"] == {SHA: NEW.partition("@")[2]}
    assert f"scanned {NEW} --only-fixed --fail-on high" in output
    assert [call for call in running.calls if "--target test" in call and "linux/amd64" in call]
    running.change()
    assert start()[0] == 0
    assert not [call for call in running.calls if call.startswith("docker")]


def test_a_failed_deployment_is_rolled_back(
    start: Callable[..., tuple[int, str]], running: Deployment
) -> None:
    before = running.runs()
    running.change(ill=[NEW])
    code, output = start()
    assert code == 1
    assert "does not answer 200" in output
    assert "runs what it ran before" in output
    assert running.runs() == before


@pytest.mark.parametrize(
    ("world", "says"),
    [
        ({"tests": False}, "== Test"),
        ({"account": "999999999999"}, "these credentials are for the account 999999999999"),
        ({"reachable": False}, "does not reach the cluster"),
    ],
)
def test_an_early_failure_changes_nothing(
    start: Callable[..., tuple[int, str]], running: Deployment, world: dict[str, Any], says: str
) -> None:
    before = running.runs()
    running.change(**world)
    code, output = start()
    assert code != 0
    assert says in output
    assert "== Roll back" not in output
    assert running.runs() == before


def test_a_vulnerable_image_gets_no_tag(start: Callable[..., tuple[int, str]], running: Deployment) -> None:
    (running.folder / "vulnerable").touch()
    assert start()[0] == 1
    assert running.world["registry"] == {}
    assert start(SCAN="no")[0] == 0


def test_the_commit_is_required(start: Callable[..., tuple[int, str]]) -> None:
    code, output = start(COMMIT="")
    assert code == 1
    assert output.startswith("name the commit")
