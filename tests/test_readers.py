"""Third-party tools read the generated files, and none of them misses a resource.

checkov has a separate environment, .venv/checkov; `make test` creates it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import hcl2
import pytest
from conftest import ROOT, read_roots
from support.hcl import Pair
from support.rehearsing import terraform_command
from tfnag.loader import load_plan

from modules.loader import load
from tierra.hcl.__main__ import GENERATED, generate

BIN = ROOT / ".venv" / "bin"
CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"
# A check that fails for every resource.
CHECK_OF_CHECKOV = """
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck


class Seen(BaseResourceCheck):
    def __init__(self):
        super().__init__("Every resource is seen", "CKV_SEEN_1", [CheckCategories.CONVENTION], ["*"])

    def scan_resource_conf(self, conf):
        return CheckResult.PASSED


check = Seen()
"""
CHECK_OF_TRIVY = """
# METADATA
# title: Every resource is seen
# custom:
#   id: SEEN-0001
#   severity: LOW
#   input:
#     selector:
#       - type: terraform-raw
package user.seen

import rego.v1

deny contains res if {
	some module in input.modules
	some block in module.blocks
	block.kind == "resource"
	res := result.new(sprintf("%s.%s", [block.type, block.name]), block)
}
"""


@pytest.fixture(scope="module")
def stacks(folders: dict[str, Path]) -> Path:
    """The synthesized root modules of production."""
    return folders["production"] / "stacks"


@pytest.fixture(scope="module")
def resources(folders: dict[str, Path]) -> Counter[str]:
    """The number of resources by tier."""
    roots = read_roots(folders["production"], load(ROOT / "environments" / "production.yaml"))
    return Counter({tier: sum(1 for _ in root.each()) for tier, root in roots.items()})


def answer(*command: Any, folder: Path) -> Any:
    """The JSON output of a tool. The exit code is ignored, because it depends on the findings."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.lstrip().startswith(("{", "[")), done.stdout + done.stderr
    return json.loads(done.stdout)


def test_checkov_reads_every_resource_and_passes_almost_all(
    stacks: Path, resources: Counter[str], tmp_path: Path
) -> None:
    """The other findings are listed with reasons in tests/checkov.yaml: see test_checkov.py."""
    (tmp_path / "__init__.py").touch()
    (tmp_path / "seen.py").write_text(CHECK_OF_CHECKOV)
    options = ("--skip-download", "--external-checks-dir", tmp_path, "--output", "json")
    frameworks = ("--framework", "terraform", "terraform_json")
    reports = answer(CHECKOV, "-d", stacks, *frameworks, *options, folder=tmp_path)
    [report] = [each for each in (reports if isinstance(reports, list) else [reports]) if "results" in each]
    assert report["summary"]["parsing_errors"] == 0
    passed = report["results"]["passed_checks"]
    seen = [check for check in passed if check["check_id"] == "CKV_SEEN_1"]
    assert Counter(check["file_path"].split("/")[1] for check in seen) == resources
    failed = report["summary"]["failed"]
    assert 0 < failed < 0.03 * (failed + len(passed) - len(seen))


def test_trivy_reads_every_resource(stacks: Path, resources: Counter[str], tmp_path: Path) -> None:
    (tmp_path / "seen.rego").write_text(CHECK_OF_TRIVY)
    options = ("--skip-check-update", "--skip-version-check", "--raw-config-scanners", "terraform")
    own = ("--config-check", tmp_path, "--check-namespaces", "user", "--format", "json")
    cache = ("--cache-dir", tmp_path / "cache")
    report = answer(BIN / "trivy", "config", *options, *own, *cache, stacks, folder=tmp_path)
    seen = [
        (result["Target"].split("/")[0], finding["Message"])
        for result in report["Results"]
        for finding in result.get("Misconfigurations", ())
        if finding["ID"] == "SEEN-0001"
    ]
    assert len(set(seen)) == len(seen)
    assert Counter(tier for tier, _ in seen) == resources


def test_tf_nag_reads_every_resource_of_a_plan(stacks: Path, resources: Counter[str], tmp_path: Path) -> None:
    pair = Pair(tmp_path / "network")
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(pair.plan({GENERATED: (stacks / "network" / GENERATED).read_text()})))
    read, _ = load_plan(plan)
    assert sum(resource.address.startswith("aws_") for resource in read) == resources["network"]
    result = answer(BIN / "tf-nag", "scan", "--plan-json", plan, "--format", "json", folder=tmp_path)
    assert "NON_COMPLIANT" in {finding["compliance"] for finding in result}


def test_python_hcl2_reads_every_resource_of_the_generated_hcl(
    folders: dict[str, Path], resources: Counter[str]
) -> None:
    [terraform] = terraform_command()
    written = generate(terraform, folders["production"], "environments/production.yaml", sorted(resources))
    read: Counter[str] = Counter()
    for tier, files in written.items():
        for text in files.values():
            read[tier] += len(hcl2.loads(text).get("resource", []))
    assert read == resources


def test_no_argument_is_null(folders: dict[str, Path]) -> None:
    """Some readers take null for a value."""

    def nulls(value: Any, path: str) -> list[str]:
        if value is None:
            return [path]
        inner = (
            value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
        )
        return [each for key, item in inner for each in nulls(item, f"{path}.{key}")]

    for name, folder in folders.items():
        for file in sorted(folder.glob("stacks/*/cdk.tf.json")):
            body = json.loads(file.read_text(encoding="utf-8"))
            assert nulls(body, f"{name}/{file.parent.name}") == []
