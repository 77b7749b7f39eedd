"""Tests of company policies that check a plan before its apply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tierra.report import report as reports
from tierra.report.findings import FORBIDS, POLICY, verdicts
from tierra.run import approve, gate, order, saved
from tierra.run.board import Board
from tierra.run.workspace import Failed, Tier, Workspace

PLAN: dict[str, Any] = {"resource_changes": [], "output_changes": {}, "planned_values": {}}


@pytest.fixture
def tier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tier:
    """A tier with a saved plan, in a checkout without policies."""
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    (out / "stacks/network").mkdir(parents=True)
    (out / "environment.json").write_text(json.dumps({"target": "rehearsal", "tiers": {"network": []}}))
    network = Workspace("trial", out, {"PATH": "/usr/bin:/bin"}).tier("network")
    network.plan_json.write_text(json.dumps(PLAN))
    network.planned_configuration.write_text("{}")
    return network


def policy(name: str, text: str, mode: int = 0o755) -> None:
    file = Path("policy", name)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


def findings(tier: Tier) -> list[tuple[str, str, tuple[str, ...], bool]]:
    return [(each.address, each.message, each.lines, each.critical) for each in gate.findings([tier])]


def test_without_a_folder_no_policy_runs(tier: Tier) -> None:
    assert findings(tier) == []


def test_a_policy_gets_the_plan_and_reports_findings(tier: Tier) -> None:
    policy("keys.sh", '#!/bin/sh\necho "$ENV $TIER $(cat "$1")"\n')
    [(address, says, lines, critical)] = findings(tier)
    assert (address, says, critical) == ("policy/keys.sh", "", False)
    assert lines == (f"~ trial network {json.dumps(PLAN)}",)


def test_a_passing_policy_prints_nothing(tier: Tier) -> None:
    policy("keys.sh", "#!/bin/sh\nexit 0\n")
    assert findings(tier) == []


def test_another_exit_code_refuses_the_plan(tier: Tier) -> None:
    policy("keys.sh", "#!/bin/sh\necho no key of ours\nprintf '\\033[31mred\\n' >&2\nexit 3\n")
    [(_, says, lines, critical)] = findings(tier)
    assert says == "it ended with exit code 3"
    assert critical
    assert lines == ("~ no key of ours", "~  [31mred")
    assert verdicts(gate.findings([tier]), changes=True) == [FORBIDS]


def test_files_that_are_not_executable_are_skipped(tier: Tier) -> None:
    policy("tags.rego", "package main\n", 0o644)
    assert findings(tier) == []


def test_a_policy_that_fails_to_start_or_times_out_refuses_the_plan(
    tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy("broken", "no program\n")
    policy("slow.sh", "#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(gate, "SECONDS", 0.2)
    broken, slow = findings(tier)
    assert broken[1].startswith("it cannot be started")
    assert slow[1].startswith("it did not end")
    assert broken[3]
    assert slow[3]


def test_long_output_is_truncated_with_a_count(tier: Tier) -> None:
    policy("keys.sh", "#!/bin/sh\nseq 100\n")
    lines = findings(tier)[0][2]
    assert len(lines) == gate.MOST + 1
    assert lines[-1] == "~ … 60 more lines"


def test_a_plan_that_an_apply_repeats_is_checked_again(tier: Tier) -> None:
    policy("keys.sh", "#!/bin/sh\necho no key of ours\nexit 1\n")
    with pytest.raises(Failed, match=r"your own forbids this\n.*\n.*exit code 1\n.*no key of ours"):
        approve.again(tier, Board(tier.workspace.out), "it is a test")


def test_a_refused_apply_changes_nothing(tier: Tier, monkeypatch: pytest.MonkeyPatch) -> None:
    policy("keys.sh", "#!/bin/sh\nexit 1\n")

    def report(*arguments: Any) -> dict[str, Any]:
        reported = arguments[3]
        assert [each.subject for each in reported] == [POLICY]
        return {"findings": [{**vars(each)} for each in reported]}

    monkeypatch.setattr(saved, "check", lambda *_: None)
    monkeypatch.setattr(reports, "report", report)
    monkeypatch.setattr(order, "findings", lambda _: [])
    with pytest.raises(Failed, match="a policy of your own forbids this"):
        approve.apply(tier.workspace)
