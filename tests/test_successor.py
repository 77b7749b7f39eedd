"""Tests of synthesis with cdktn, the successor of cdktf."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.programs import run

from tierra.bindings import successor
from tools.successor import differences, explained, written


def test_cdktn_generates_the_same_terraform_of_production(tmp_path: Path) -> None:
    by_cdktf = written("production", "cdktf", tmp_path / "cdktf")
    by_cdktn = written("production", successor.NAME, tmp_path / successor.NAME)
    assert by_cdktf.keys() == by_cdktn.keys()
    assert len(by_cdktf) == 10
    assert [
        difference for difference in differences(by_cdktf, by_cdktn) if explained(difference[0]) is None
    ] == []
    # cdktn writes the source of a provider in full.
    names = [
        trees["gateway"]["terraform"]["required_providers"]["aws"]["source"] for trees in (by_cdktf, by_cdktn)
    ]
    assert names == ["aws", "hashicorp/aws"]


def test_differences_have_paths() -> None:
    left = {"a": {"b": [1, {"c": 2}], "same": []}, "gone": None}
    right = {"a": {"b": [1, {"c": 3}], "same": []}, "new": "x"}
    assert list(differences(left, right)) == [("a.b[1].c", "2", "3"), ("new", "null", '"x"')]
    assert list(differences({"a": [1]}, {"a": [1, 2]})) == [("a", "[1]", "[1, 2]")]


def test_unknown_bindings_are_refused() -> None:
    result = run("sandbox", BINDINGS="pulumi")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "BINDINGS=pulumi: must be cdktf or cdktn\n"


def test_missing_cdktn_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(successor.MissingError, match="does not exist; remedy: make successor"):
        successor.use(tmp_path)
