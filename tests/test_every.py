"""Tests of ENV=all: what runs, what is printed for each environment, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierra.run import every

MAKE = """#!/bin/sh
echo "$*|$MAKEFLAGS|$TIER" >>calls
case "$*" in *bad*) exit 2 ;; esac
"""
PLAN = '{"verdict": "changes", "verdict_line": "3 to create"}'


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAKEFLAGS", " -j4 -- ENV=all")
    monkeypatch.setenv("TIER", "network")
    (tmp_path / "make").write_text(MAKE)
    (tmp_path / "make").chmod(0o755)
    for name in ("bad", "good"):
        (tmp_path / "environments").mkdir(exist_ok=True)
        (tmp_path / f"environments/{name}.yaml").write_text("project: acme\nregion: us-east-1\n")
        (tmp_path / f"cdktf.out/{name}").mkdir(parents=True)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, verbs: str) -> int:
    monkeypatch.setattr("sys.argv", ["every", verbs, "./make"])
    return every.main()


def test_a_failed_environment_does_not_stop_the_others(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "cdktf.out/good/report.json").write_text(PLAN)
    assert run(monkeypatch, "plan") == 1
    assert (checkout / "calls").read_text() == "plan ENV=bad||network\nplan ENV=good||network\n"
    assert "  bad   failed; the cause is above\n  good  3 to create\n" in capsys.readouterr().out


def test_drift_and_failures_have_different_exit_codes(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "cdktf.out/bad/drift.json").write_text('{"verdict": "drift"}')
    assert run(monkeypatch, "drift") == 1
    assert "  bad   drift\n  good  done\n" in capsys.readouterr().out


def test_commands_that_change_environments_are_refused(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "plan apply") == 1
    assert "remedy: name one, as in make apply ENV=bad" in capsys.readouterr().err
    assert not (checkout / "calls").exists()


def test_images_are_promoted_from_the_first_environment_on(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (checkout / "environments/bad.yaml").open("a") as file:
        file.write("delivery: {promote_from: good}\n")
    run(monkeypatch, "synth validate")
    verbs = ["synth ENV=good", "synth ENV=bad", "validate ENV=good", "validate ENV=bad"]
    assert [line.partition("|")[0] for line in (checkout / "calls").read_text().splitlines()] == verbs
