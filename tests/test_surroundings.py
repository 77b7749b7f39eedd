"""Tests of conditions on the operator's machine: folders with spaces, variables of terraform, an old make,
interrupts, pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.on_aws import Production
from support.project import Copy, Project, planned, refused, succeeded, synthesized, without_make

from tierra.run import __main__ as driver
from tierra.run.terraform import INTERRUPTED


def test_project_in_a_folder_with_spaces_is_planned_applied_and_destroyed(tmp_path: Path) -> None:
    project = Copy(tmp_path / "my own tierra", synthesized())
    # A closed pipe does not stop the plan.
    run = subprocess.run(
        ["sh", "-c", "make plan TIER=storage | head -n 1"],
        cwd=project.folder,
        env=without_make(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.startswith("rehearsal: ")
    assert "Traceback" not in run.stderr
    assert "BrokenPipe" not in run.stderr
    assert (project.folder / "cdktf.out" / "sandbox" / "report.json").exists()
    succeeded(project.make("apply", TIER="storage", APPROVE="yes"))
    assert len(project.addresses()) == 35
    succeeded(project.make("-n", "plan", TIER="storage"))
    succeeded(project.make("hcl", TIER="storage"))
    succeeded(project.make("diagram"))
    succeeded(project.make("destroy", TIER="storage", APPROVE="sandbox"))
    assert project.addresses() == set()


def test_variables_that_change_terraform_and_an_old_make_are_refused(project: Project) -> None:
    for name in ("TF_WORKSPACE", "TF_DATA_DIR", "TF_CLI_ARGS", "TF_CLI_ARGS_plan"):
        run = project.make("plan", TIER="storage", **{name: "x"})
        refused(run, f"{name}: must not be set")
        assert f"remedy: unset {name}" in run.stderr
        assert not list(project.folder.glob("cdktf.out/**/plan.json")), name

    run = project.make("plan", "MAKE_VERSION=3.81")
    refused(
        run, "GNU make 3.81 is too old, Tierra needs 4.0 or newer. macOS: brew install make, then type gmake"
    )
    assert len(run.stderr.splitlines()) == 1


def test_only_one_init_at_a_time_uses_the_plugin_cache(project: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    succeeded(project.make("init", TF_PLUGIN_CACHE_DIR=str(cache)))
    assert (cache / ".tierra.lock").exists()
    assert list(cache.glob("registry.terraform.io/hashicorp/aws/*"))
    assert len(list(project.folder.glob("cdktf.out/sandbox/stacks/*/.terraform/tierra.init"))) == 10


def test_interrupt_stops_terraform_gracefully(tmp_path: Path) -> None:
    project = Copy(tmp_path / "tierra", planned())
    process = subprocess.Popen(
        ["make", "apply", "TIER=network", "APPROVE=yes"],
        cwd=project.folder,
        env=without_make(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    journal = project.folder / "cdktf.out/sandbox/stacks/network/journal"
    while not (journal.exists() and b"Creation complete" in journal.read_bytes()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode != 0
    assert "Traceback" not in errors
    assert "apply: interrupted; what was done is in the state\nNext: make plan ENV=sandbox" in errors
    assert "remedy" not in errors
    created = project.addresses()
    assert created
    succeeded(project.make("plan", TIER="network"))
    succeeded(project.make("apply", TIER="network", APPROVE="yes"))
    assert len(project.addresses()) == 103


def test_rehearsal_of_an_environment_on_aws_needs_no_account(production: Production) -> None:
    for name in [name for name in production.variables if name.startswith("AWS_")]:
        del production.variables[name]
    variables = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/none",
        "AWS_SHARED_CREDENTIALS_FILE": "/none",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    run = production.make("plan", **variables)
    refused(run, "there are no credentials for AWS")
    assert "make plan ENV=production REHEARSE=yes" in run.stderr
    of_aws = production.stack("state") / "plan.json"
    before = of_aws.stat().st_mtime_ns
    output = succeeded(production.make("plan", "REHEARSE=yes", "TIER=state storage", **variables))
    assert "REHEARSAL" in output
    assert 'Next: make apply ENV=production TIER="state storage" REHEARSE=yes' in output
    assert (production.folder / "cdktf.out" / "rehearsal" / "production" / "report.html").exists()
    assert of_aws.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        ("plan", "plan: interrupted; nothing was changed"),
        ("ask-apply", "apply: interrupted; nothing was changed"),
        ("destroy", "destroy: interrupted; what was done is in the state\nNext: make destroy ENV=dev"),
    ],
)
def test_ctrl_c_reports_the_state_and_the_next_command(
    verb: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(driver, "_run", interrupt)
    monkeypatch.setattr("sys.argv", ["run", "--env", "dev", "--out", "cdktf.out/dev", verb])
    monkeypatch.delenv("REHEARSE", raising=False)
    assert driver.main() == INTERRUPTED
    assert capsys.readouterr().err == f"{message}\n"
