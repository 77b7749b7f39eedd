"""Tests of specs in earlier formats, with the steps of fictitious later versions."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

import main
from modules.loader import load_upgraded
from tierra.validation.errors import SpecError
from tierra.validation.upgrades import Old


def postgres_has_its_own_name(spec: Old) -> None:
    spec.move(("database",), ("data", "postgres"))


def disks_are_called_storage(spec: Old) -> None:
    spec.move(("data", "postgres", "disk_gb"), ("data", "postgres", "storage_gb"))
    if spec.get(("network", "nat")) == "one":
        spec.replace(("network", "nat"), "single")


STEPS = {1: postgres_has_its_own_name, 2: disks_are_called_storage}
FIRST = """\
project: acme
region: us-east-1
protection: false
network: {nat: one}
database:
  replicas: 1
  disk_gb: 40
"""


def spec(folder: Path, text: str) -> Path:
    file = folder / "dev.yaml"
    file.write_text(text)
    return file


def test_an_older_spec_is_upgraded_step_by_step_with_messages(tmp_path: Path) -> None:
    environment, changes = load_upgraded(spec(tmp_path, FIRST), STEPS)
    assert (environment.data.postgres.replicas, environment.data.postgres.storage_gb) == (1, 40)
    assert environment.network.nat == "single"
    assert changes == [
        "line 5: database is data.postgres now",
        "line 7: database.disk_gb is data.postgres.storage_gb now",
        "line 4: network.nat reads single now",
    ]


def test_steps_up_to_the_version_of_a_spec_are_skipped(tmp_path: Path) -> None:
    second = FIRST.partition("database:")[0] + "data: {postgres: {replicas: 1, disk_gb: 40}}"
    environment, changes = load_upgraded(spec(tmp_path, f"version: 2\n{second}\n"), STEPS)
    assert environment.data.postgres.storage_gb == 40
    assert [change.partition(": ")[2] for change in changes] == [
        "data.postgres.disk_gb is data.postgres.storage_gb now",
        "network.nat reads single now",
    ]
    third = second.replace("disk_gb", "storage_gb").replace("one", "single")
    assert load_upgraded(spec(tmp_path, f"version: 3\n{third}\n"), STEPS) == (environment, [])
    with pytest.raises(SpecError, match="this Tierra reads, versions 1 to 3"):
        load_upgraded(spec(tmp_path, f"version: 4\n{third}\n"), STEPS)


def test_a_problem_of_an_older_spec_names_line_and_key_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_upgraded(spec(tmp_path, FIRST.replace("40", "4")), STEPS)
    [problem] = caught.value.problems
    assert (problem.line, problem.path, problem.value) == (7, "data.postgres.storage_gb", "4")
    assert problem.rule.endswith("(the file has it under its earlier name, database.disk_gb)")


def test_conflicting_old_and_new_keys_are_refused(tmp_path: Path) -> None:
    both = "project: acme\nregion: us-east-1\ndata: {postgres: {disk_gb: 40, storage_gb: 50}}\n"
    with pytest.raises(SpecError, match=r"data\.postgres\.disk_gb"):
        load_upgraded(spec(tmp_path, both), STEPS)
    taken = "project: acme\nregion: us-east-1\ndata: 5\ndatabase: {replicas: 1}\n"
    with pytest.raises(SpecError) as caught:
        load_upgraded(spec(tmp_path, taken), STEPS)
    assert {problem.path for problem in caught.value.problems} == {"data", "database"}


def test_synthesis_of_an_older_spec_prints_the_new_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "environments").mkdir()
    spec(tmp_path / "environments", FIRST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CDKTF_OUTDIR", raising=False)
    monkeypatch.setattr("modules.loader.load_upgraded", partial(load_upgraded, steps=STEPS))
    assert main.main(["dev"]) == 0
    errors = capsys.readouterr().err
    assert "environments/dev.yaml has an earlier version" in errors
    assert "  line 7: database.disk_gb is data.postgres.storage_gb now" in errors
    assert (tmp_path / "cdktf.out/dev/tiers.mk").exists()
