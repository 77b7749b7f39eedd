"""Tests that imports of provider modules are found with their location, and invalid ones reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierra.bindings import trim
from tierra.bindings.imports import TrimError, imports

AWS = "cdktf_cdktf_provider_aws"


def write(root: Path, source: str) -> None:
    path = root / "modules" / "network" / "tier.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


def test_every_way_to_import_a_module_is_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        f"""
import {AWS}.eip as eip
from {AWS}.vpc import Vpc
from {AWS} import subnet, route
def later():
    from {AWS}.iam_role import IamRole
""",
    )
    assert imports(tmp_path) == {
        AWS: {
            "eip": "modules/network/tier.py:2",
            "vpc": "modules/network/tier.py:3",
            "subnet": "modules/network/tier.py:4",
            "route": "modules/network/tier.py:4",
            "iam_role": "modules/network/tier.py:6",
        }
    }


def test_names_in_text_and_comments_are_not_imports(tmp_path: Path) -> None:
    write(tmp_path, f"# from {AWS}.vpc import Vpc\ntext = 'import {AWS}.eip'\n")
    assert imports(tmp_path) == {}


@pytest.mark.parametrize("statement", [f"import {AWS}", f"from {AWS} import *"])
def test_importing_a_whole_package_is_refused_with_the_location(tmp_path: Path, statement: str) -> None:
    write(tmp_path, f"\n{statement}\n")
    with pytest.raises(TrimError, match=r"modules/network/tier\.py:2: import the modules you use"):
        imports(tmp_path)


def test_a_file_that_is_not_python_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, f"from {AWS}.vpc import\n")
    assert trim.main(tmp_path) == 1
    assert "modules/network/tier.py:1: not valid Python" in capsys.readouterr().err


def test_a_missing_provider_module_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, f"from {AWS}.subnett import Subnet\n")
    assert trim.main(tmp_path) == 1
    assert (
        "modules/network/tier.py:1: cdktf_cdktf_provider_aws has no module subnett" in capsys.readouterr().err
    )
    assert list((tmp_path / ".lean").glob("copy-*")) == []


def test_a_provider_that_is_not_installed_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "from cdktf_cdktf_provider_nowhere.vpc import Vpc\n")
    assert trim.main(tmp_path) == 1
    assert "cdktf_cdktf_provider_nowhere is not installed" in capsys.readouterr().err
