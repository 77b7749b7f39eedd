"""Tests of the command, as make and the cdktf CLI run it."""

from __future__ import annotations

from pathlib import Path

from conftest import ROOT
from support.programs import run


def test_every_tier_is_written_to_the_output_folder_of_cdktf(tmp_path: Path) -> None:
    done = run("sandbox", CDKTF_OUTDIR=str(tmp_path))
    # Without the lean copy everything works, slowly, and says so.
    said = [line for line in done.stderr.splitlines() if not line.startswith("warning: no lean bindings")]
    assert (done.returncode, done.stdout, said) == (0, "", [])
    assert sorted(
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    ) == sorted(
        [
            "environment.json",
            "manifest.json",
            "sources.json",
            "stacks/.checkov.yaml",
            "stacks/compute/cdk.tf.json",
            "stacks/compute/versions.tf",
            "stacks/data/cdk.tf.json",
            "stacks/data/versions.tf",
            "stacks/delivery/cdk.tf.json",
            "stacks/delivery/versions.tf",
            "stacks/edge/cdk.tf.json",
            "stacks/edge/versions.tf",
            "stacks/gateway/cdk.tf.json",
            "stacks/gateway/versions.tf",
            "stacks/gateway/charts/cluster/Chart.yaml",
            "stacks/gateway/charts/cluster/templates/load-balancers.yaml",
            "stacks/gateway/charts/cluster/templates/namespaces.yaml",
            "stacks/gateway/charts/cluster/templates/network-policies.yaml",
            "stacks/gateway/charts/cluster/templates/priority-class.yaml",
            "stacks/gateway/charts/cluster/templates/storage-class.yaml",
            "stacks/gateway/charts/cluster/values.schema.json",
            "stacks/gateway/charts/cluster/values.yaml",
            "stacks/network/cdk.tf.json",
            "stacks/network/versions.tf",
            "stacks/observability/cdk.tf.json",
            "stacks/observability/versions.tf",
            *(
                f"stacks/observability/charts/{path.relative_to(ROOT / 'templates/observability').as_posix()}"
                for chart in ("platform", "system")
                for path in sorted((ROOT / "templates/observability" / chart).rglob("*"))
                if path.is_file()
            ),
            "stacks/state/cdk.tf.json",
            "stacks/state/versions.tf",
            "stacks/storage/cdk.tf.json",
            "stacks/storage/versions.tf",
            "stacks/systems/cdk.tf.json",
            "stacks/systems/versions.tf",
            *(
                f"stacks/systems/charts/{path.relative_to(ROOT / 'templates/systems').as_posix()}"
                for path in sorted((ROOT / "templates/systems").rglob("*"))
                if path.is_file()
            ),
            "tiers.mk",
        ]
    )


def test_the_environment_comes_from_the_argument_or_from_env(tmp_path: Path) -> None:
    assert run(ENV="production", CDKTF_OUTDIR=str(tmp_path)).returncode == 0
    assert "\nTARGET := aws\n" in (tmp_path / "tiers.mk").read_text()


def test_an_unknown_environment_gives_one_message_and_loads_no_provider(
    tmp_path: Path,
) -> None:
    done = run("nowhere", CDKTF_OUTDIR=str(tmp_path), PYTHONPROFILEIMPORTTIME="1")
    message = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("import time:"))
    assert done.returncode == 1
    assert "environments/nowhere.yaml" in message
    assert "Traceback" not in message
    assert "cdktf" not in done.stderr.replace(message, "")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_output_folder_gives_one_message(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file, not a folder")
    done = run("sandbox", CDKTF_OUTDIR=str(taken))
    assert done.returncode == 1
    assert str(taken) in done.stderr
    assert "Traceback" not in done.stderr
