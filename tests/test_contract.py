"""Tests that pods get the variables that the examples read, and that docs/contract.md lists all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT

from modules.loader import load
from tools import contract

EXAMPLES = {"django": "sistema-1", "fastapi": "sistema-2", "go": "sistema-3"}


@pytest.fixture(scope="session")
def given(folders: dict[str, Path]) -> dict[str, list[str]]:
    """Variables of each system of the sandbox."""
    return contract.of_release(folders["sandbox"] / "stacks/systems/cdk.tf.json")


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_read_only_variables_that_they_get(example: str, given: dict[str, list[str]]) -> None:
    read = contract.read_by(example)
    handed = set(given[EXAMPLES[example]])
    without_traces = {"OTEL_SDK_DISABLED"}
    assert read - handed - without_traces == set(), "no chart sets these"
    assert handed - read - contract.BY_SDK == set(), "no example reads these"


def test_every_variable_is_read_by_some_example(given: dict[str, list[str]]) -> None:
    read = set().union(*(contract.read_by(example) for example in EXAMPLES))
    assert read | contract.BY_SDK == set(contract.MEANINGS)


def test_the_contract_page_lists_all_variables() -> None:
    variables = contract.handed_over()
    assert set(variables) == set(contract.MEANINGS)
    assert variables["PORT"] == "always"
    assert variables["REDIS_USER"] == "with `needs: [redis]`"
    assert "root certificate" in variables["DOCUMENTDB_TLS_CA"]
    stale = "docs/contract.md is stale: .venv/bin/python -m tools.contract"
    assert contract.FILE.read_text(encoding="utf-8") == contract.text(), stale


def test_the_sandbox_runs_the_examples() -> None:
    systems = load(ROOT / "environments/sandbox.yaml").systems
    assert {systems[name].framework: systems[name].folder for name in systems} == {
        example: f"examples/{example}" for example in EXAMPLES
    }
    for example in EXAMPLES:
        text = (contract.EXAMPLES / example / "Dockerfile").read_text(encoding="utf-8")
        assert " AS test\n" in text
        assert text.index(" AS test\n") < text.index("USER 10001:10001\n")


def test_names_of_variables_are_found_in_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "EXAMPLES", tmp_path)
    (tmp_path / "it/tests").mkdir(parents=True)
    (tmp_path / "it/a.py").write_text(
        'import os\nx = os.environ["A"], env.get("B"), os.getenv("C"), other["D"]\n'
    )
    (tmp_path / "it/tests/b.py").write_text('x = env["E"]\n')
    (tmp_path / "it/c.go").write_text('var a = os.Getenv("F") + env("G")\n')
    assert contract.read_by("it") == {"A", "B", "C", "F", "G"}
