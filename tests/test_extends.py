"""Tests of specs that extend a base."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modules.loader import load
from tierra.validation.errors import SpecError
from tools import resolved

BASE = """\
project: acme
region: us-east-1
tags: {Team: platform, Cost: "1"}
network:
  cidr: 10.20.0.0/16
  zones: [a, b]
compute:
  nodes: {min: 3, max: 9}
"""


def specs(folder: Path, spec: str, base: str = BASE) -> Path:
    (folder / "shared").mkdir()
    (folder / "shared/base.yaml").write_text(base)
    (folder / "dev.yaml").write_text(f"extends: shared/base.yaml\n{spec}")
    return folder / "dev.yaml"


def test_mappings_are_merged_and_lists_replaced(tmp_path: Path) -> None:
    spec = load(specs(tmp_path, "network: {zones: [b, c, d]}\ntags: {Team: shop}\n"))
    assert (spec.project, str(spec.network.cidr), spec.compute.nodes.max) == ("acme", "10.20.0.0/16", 9)
    assert list(spec.network.zones) == ["b", "c", "d"]
    assert spec.tags == {"Team": "shop", "Cost": "1"}


def test_a_problem_names_the_file_and_the_line_of_its_value(tmp_path: Path) -> None:
    path = specs(tmp_path, "network: {zones: [a, b, z]}\n", BASE.replace("max: 9", "max: many"))
    with pytest.raises(SpecError) as refused:
        load(path)
    message = str(refused.value)
    assert re.search(r"shared/base\.yaml:8: compute\.nodes\.max", message)
    assert re.search(r"dev\.yaml:2: network\.zones\[2\]", message)


@pytest.mark.parametrize(
    ("extends", "says"),
    [
        ("base.yaml", "files beside a spec are environments"),
        ("../base.yaml", "write extends: shared/base.yaml"),
        (
            "shared/none.yaml",
            "dev.yaml:1: extends: shared/none.yaml\n  rule:   the base must exist, and there is no ",
        ),
        ("shared/base.yaml", "a base must not extend another file"),
    ],
)
def test_invalid_bases_are_refused(tmp_path: Path, extends: str, says: str) -> None:
    path = specs(tmp_path, "", f"extends: shared/more.yaml\n{BASE}")
    path.write_text(f"extends: {extends}\n")
    with pytest.raises(SpecError, match=re.escape(says)):
        load(path)


def test_make_spec_shows_the_merged_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = specs(tmp_path, "tags: {Team: shop}\n")
    monkeypatch.setattr("sys.argv", ["resolved", str(path)])
    assert resolved.main() == 0
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone/dev.yaml").write_text(printed := capsys.readouterr().out)
    assert printed.startswith("version: 1\n")
    assert "extends" not in printed
    assert load(tmp_path / "alone/dev.yaml").model_copy(update={"extends": None}) == load(path).model_copy(
        update={"extends": None}
    )
