"""Tests of the command, as make and the cdktf CLI run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT
from support.programs import run
from support.project import without_make


def test_every_tier_is_written_to_the_output_folder_of_cdktf(tmp_path: Path) -> None:
    done = run("sandbox", CDKTF_OUTDIR=str(tmp_path))
    # Without the lean copy a warning is printed, and everything works slowly.
    messages = [line for line in done.stderr.splitlines() if not line.startswith("warning: no lean bindings")]
    assert (done.returncode, done.stdout, messages) == (0, "", [])
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


# Runs main.py and prints every file of the checkout that was opened or imported.
READS = """
import os, runpy, sys
root, environment = sys.argv[1:]
opened = set()
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, os.PathLike)):
        opened.add(os.path.abspath(arguments[0]))
sys.addaudithook(note)
sys.argv = ["main.py", environment]
sys.path.insert(0, root)
os.chdir(root)
try:
    runpy.run_path("main.py", run_name="__main__")
except SystemExit as end:
    assert not end.code
opened.update(module.__file__ for module in [*sys.modules.values()] if getattr(module, "__file__", None))
print(*sorted(opened), sep="\\n")
"""


def test_make_synthesizes_again_after_a_change_of_any_file_that_synthesis_reads(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READS, str(ROOT), "production"],
        env={**os.environ, "CDKTF_OUTDIR": str(tmp_path / "out")},
        capture_output=True,
        text=True,
        check=True,
    )
    shown = subprocess.run(
        ["make", "--eval", 'print-sources: ; @printf "%s\\n" $(SOURCES)', "print-sources"],
        cwd=ROOT,
        env=without_make(),
        capture_output=True,
        text=True,
        check=True,
    )
    watched = set(shown.stdout.split())
    read = [path for path in map(Path, done.stdout.splitlines()) if path.is_relative_to(ROOT)]
    files = {path.relative_to(ROOT) for path in read if path.is_file() and path.suffix != ".pyc"}
    ours = {path.as_posix() for path in files if path.parts[0] != "environments" and path.parts[0][0] != "."}
    missing = ours - watched
    assert len(ours) > 100
    assert missing == set()
    assert all((ROOT / path).is_file() for path in watched), "the date of a folder can change by itself"


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
