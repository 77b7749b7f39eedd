"""checkov checks production as a whole; tests/checkov.yaml lists the accepted findings with reasons.

checkov has a separate environment, .venv/checkov, because of its many dependencies; `make checkov` creates
it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Root, read_roots
from support.reading import parsed_file

from modules.loader import load

CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"
LISTED = parsed_file(ROOT / "tests" / "checkov.yaml")
MOST = 12


def merged(roots: dict[str, Root]) -> dict[str, Any]:
    """All tiers as one root module, so that checkov sees references between tiers.

    Names get the tier as a prefix; reads of the outputs of another tier become direct references.
    """
    resources: dict[str, Any] = {}

    def local(text: str, tier: str) -> str:
        return re.sub(r"\b(aws_[a-z0-9_]+)\.(?=[a-z])", rf"\1.{tier}_", text)

    def outputs(match: re.Match[str]) -> str:
        """The first reference in the value of an output, which is enough to connect the two resources."""
        value = json.dumps(roots[match[1]].body["output"][match[2]]["value"])
        references = re.findall(r"\$\{aws_[^}]*\}", value)
        return local(references[0], match[1]) if references else "known-later"

    for tier, root in roots.items():
        for terraform_type, name, arguments in root.each():
            text = local(json.dumps(arguments), tier)
            read = r"\$\{data\.terraform_remote_state\.([a-z]+)\.outputs\.([a-z0-9_]+)[^}]*\}"
            resources.setdefault(terraform_type, {})[f"{tier}_{name}"] = json.loads(
                re.sub(read, outputs, text)
            )
    return {"resource": resources}


def failures(reports: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    """Check and resource, as <tier>.<name>, of each failed check."""
    return {
        (failed["check_id"], failed["resource"].rpartition(".")[2].replace("_", ".", 1))
        for report in reports
        for failed in report["results"]["failed_checks"]
    }


@pytest.fixture(scope="module")
def failed_checks(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """The failed checks of production."""
    folder = tmp_path_factory.mktemp("checkov")
    roots = read_roots(folders["production"], load(ROOT / "environments" / "production.yaml"))
    (folder / "production.tf.json").write_text(json.dumps(merged(roots), indent=1), encoding="utf-8")
    done = subprocess.run(
        [CHECKOV, "-d", ".", "--framework", "terraform_json", "--skip-download", "--output", "json"],
        cwd=folder,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.lstrip().startswith(("{", "[")), done.stdout + done.stderr
    reports = json.loads(done.stdout)
    reports = reports if isinstance(reports, list) else [reports]
    summary = reports[0]["summary"]
    # A file that checkov cannot parse has no findings, either.
    assert summary["parsing_errors"] == 0
    assert summary["passed"] > 500
    return failures(reports)


def test_every_failed_check_is_listed_with_a_reason(failed_checks: set[tuple[str, str]]) -> None:
    unlisted = sorted(
        f"{check} {where}"
        for check, where in failed_checks
        if not any(fnmatchcase(where, pattern) for pattern in LISTED.get(check, {"where": []})["where"])
    )
    assert not unlisted, "\n".join(unlisted)


def test_every_listed_check_fails(failed_checks: set[tuple[str, str]]) -> None:
    old = sorted(
        f"{check} {pattern}"
        for check, entry in LISTED.items()
        for pattern in entry["where"]
        if not any(id_ == check and fnmatchcase(where, pattern) for id_, where in failed_checks)
    )
    assert not old, "\n".join(old)


def test_the_list_is_short_and_has_reasons() -> None:
    assert len(LISTED) <= MOST
    assert list(LISTED) == sorted(LISTED)
    for check, entry in LISTED.items():
        assert re.fullmatch(r"CKV2?_AWS_[0-9]+", check)
        assert set(entry) == {"finding", "where", "reason"}, check
        assert len(entry["reason"].split()) >= 8, check
        assert all(re.fullmatch(r"[a-z]+\.[a-z0-9_*]*[a-z0-9]+[a-z0-9_*]*", each) for each in entry["where"])
