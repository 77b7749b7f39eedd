"""Tests of the stubs of the bindings for mypy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import ROOT

from tools import stubs

USE = """
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.vpc import Vpc

vpc = Vpc(TerraformStack(App(), "network"), "main", cidr_block={cidr_block})
reveal_type(vpc.arn)
"""


def test_a_wrong_type_is_found_with_the_stubs_alone(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    source = tmp_path / "modules/tier.py"
    source.write_text(USE.format(cidr_block=20))
    assert stubs.write(tmp_path, tmp_path / "stubs") == 2
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = true\nmypy_path = {tmp_path / 'stubs'}\n")
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file", str(tmp_path / "mypy.ini")),
            *("--cache-dir", str(tmp_path), str(source)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1
    assert (
        'Argument "cidr_block" to "Vpc" has incompatible type "int"; expected "str | None"' in checked.stdout
    )
    assert 'Revealed type is "str"' in checked.stdout
    assert checked.stdout.count("error:") == 1


def test_every_imported_binding_has_a_stub() -> None:
    for name, modules in stubs.imports(ROOT).items():
        for module in modules:
            assert (stubs.STUBS / name / module / "__init__.pyi").exists(), "remedy: make check"


def test_a_stub_has_no_bodies() -> None:
    source = """
import publication
class A(B, metaclass=M):
    '''Text.'''
    @builtins.property
    @jsii.member(jsii_name="a")
    def a(self) -> builtins.str:
        return jsii.get(self, "a")
def _typecheckingstub__1(a: int) -> None:
    pass
publication.publish()
"""
    assert " ".join(stubs.shortened(source).split()) == (
        "class A(B): @builtins.property def a(self) -> builtins.str: ..."
    )
