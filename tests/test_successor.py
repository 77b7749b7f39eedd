"""Tests that cdktn, the successor of cdktf, generates the same Terraform."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.programs import run

from tierra.bindings import successor
from tools.successor import differences, explained, written


def test_production_is_the_same(tmp_path: Path) -> None:
    before = written("production", "cdktf", tmp_path / "cdktf")
    after = written("production", successor.NAME, tmp_path / successor.NAME)
    assert before.keys() == after.keys()
    assert len(before) == 10
    assert [each for each in differences(before, after) if explained(each[0]) is None] == []
    # The second was written by the successor, which writes the source in full.
    names = [
        trees["gateway"]["terraform"]["required_providers"]["aws"]["source"] for trees in (before, after)
    ]
    assert names == ["aws", "hashicorp/aws"]


def test_differences_are_reported_with_their_path() -> None:
    left = {"a": {"b": [1, {"c": 2}], "same": []}, "gone": None}
    right = {"a": {"b": [1, {"c": 3}], "same": []}, "new": "x"}
    assert list(differences(left, right)) == [("a.b[1].c", "2", "3"), ("new", "null", '"x"')]
    assert list(differences({"a": [1]}, {"a": [1, 2]})) == [("a", "[1]", "[1, 2]")]


def test_other_bindings_are_refused() -> None:
    done = run("sandbox", BINDINGS="pulumi")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "BINDINGS=pulumi: must be cdktf or cdktn\n"


def test_the_successor_must_be_installed(tmp_path: Path) -> None:
    with pytest.raises(successor.MissingError, match="does not exist; remedy: make successor"):
        successor.use(tmp_path)
