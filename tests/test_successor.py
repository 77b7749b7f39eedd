"""Tests of synthesis with cdktn, the successor of cdktf."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.programs import run
from support.project import ROOT

from tierra.bindings import successor, trim
from tierra.bindings.imports import imports
from tierra.bindings.package import CDKTN
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
    before = (list(sys.path), list(sys.meta_path))
    with pytest.raises(successor.MissingError) as refusal:
        successor.use(tmp_path)
    assert str(refusal.value) == "BINDINGS=cdktn: there is no lean copy yet; remedy: make successor"
    assert (sys.path, sys.meta_path) == before


def test_lean_cdktn_has_its_own_packages_and_the_modules_that_they_name() -> None:
    """Its provider module names the class of the functions of the provider, in a module of its own."""
    copy = trim.current(bindings=CDKTN)
    assert trim.problem(ROOT, CDKTN) is None
    modules = {folder.name for folder in (copy / "cdktn_provider_aws").iterdir() if folder.is_dir()}
    wanted = {module for name, modules in imports(ROOT).items() for module in modules if name.endswith("aws")}
    assert modules - {"__pycache__", "_jsii"} == wanted | {"provider_functions"}
    assert [part["name"] for part in json.loads((copy / "archives.json").read_text())] == [
        "constructs",
        "cdktn",
        "@cdktn/provider-aws",
        "@cdktn/provider-helm",
    ]


def test_make_uses_the_lean_copy_of_the_chosen_bindings() -> None:
    def needed(bindings: str) -> set[str]:
        command = ["make", "--no-print-directory", "-np", "ENV=all", f"BINDINGS={bindings}"]
        database = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
        (line,) = re.findall(r"^app: (.*)$", database, re.M)
        return set(line.split())

    assert needed("cdktf") == {".venv/installed", ".lean/manifest.json"}
    assert needed("cdktn") == {".venv/installed", ".lean/cdktn.json"}
