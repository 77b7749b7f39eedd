"""Tests of make destroy: protected resources and tiers with dependents are refused, losses are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Root
from support.operating import TIERS, AppliedSandbox, answered
from support.project import Project, refused, succeeded

from modules.architecture import TIERS as GRAPH
from tierra.aws.types import known
from tierra.report.holdings import outcome
from tierra.report.tenants import inside
from tierra.run import approve
from tierra.run.board import Board
from tierra.run.preflight import TierState, refusals
from tierra.run.workspace import Failed, Workspace


def test_protected_sandbox_is_destroyed_after_protection_off_is_approved_and_applied(tmp_path: Path) -> None:
    project = AppliedSandbox(tmp_path / "tierra")
    applied = project.addresses()

    run = project.make("destroy", APPROVE="sandbox")
    refused(
        run,
        "destroy: refused, nothing was changed: network, data: environments/sandbox.yaml has protection on",
    )
    rows = {line.split()[1]: line for line in run.stdout.splitlines() if len(line.split()) > 2}
    assert "deletion_protection, prevent_destroy" in rows["aws_db_instance.postgres"]
    assert "prevent_destroy" in rows["aws_kms_key.redis"]
    for address, role in (
        ("aws_db_instance.postgres", "postgres"),
        ("aws_docdb_cluster.documentdb", "documentdb"),
        ("aws_elasticache_replication_group.redis", "redis"),
    ):
        assert f"final snapshot acme-sandbox-{role}-final-1" in rows[address]
    assert "aws_db_instance.replica_1" not in rows  # a copy of postgres
    assert project.addresses() == applied

    project.edit("protection: true", "protection: false")
    project.edit("endpoints: gateway", "endpoints: gateway\n  flow_log_days: 30")
    refused(project.make("destroy", APPROVE="sandbox"), "protection off, and this is not applied yet")
    assert project.addresses() == applied

    # An apply requires the answer yes.
    succeeded(project.make("plan", TIER=TIERS))
    before = project.cloud().all("aws_db_instance"), project.cloud().all("aws_cloudwatch_log_group")
    code, prompt, _ = answered(project, "no", "apply", f"TIER={TIERS}")
    assert code == 2
    assert "total" in prompt
    after = project.cloud().all("aws_db_instance"), project.cloud().all("aws_cloudwatch_log_group")
    assert after == before
    assert answered(project, "yes", "apply", f"TIER={TIERS}")[0] == 0
    assert project.existing("aws_cloudwatch_log_group", "acme-sandbox-flow")["retention_in_days"] == 30
    refused(project.make("destroy", TIER="network", APPROVE="sandbox"), "data depends on it and still has")
    refused(project.make("destroy", APPROVE="yes"), "is the environment's name: APPROVE=sandbox")
    assert project.addresses() == applied

    code, prompt, _ = answered(project, "yes", "destroy")
    assert code == 2
    assert "final snapshot acme-sandbox-postgres-final-1" in prompt  # before the answer
    assert "copy those that you keep under another key" in " ".join(prompt.split())
    assert "destroy network, data? Type the name of the environment: " in prompt
    assert project.addresses() == applied
    code, prompt, output = answered(project, "sandbox", "destroy")
    assert code == 0, prompt
    assert output.index("destroy  data") < output.index("destroy  network")
    assert project.addresses() == set()


def test_dry_run_of_destroy_prints_commands_in_order_of_dependency(project: Project) -> None:
    for verb, command in (
        ("destroy", "destroy -auto-approve -input=false"),
        ("drift", "plan -refresh-only -input=false"),
        ("import", "plan -input=false"),
    ):
        output = succeeded(project.make("-n", verb, "TIER=network"))
        assert f"terraform -chdir=cdktf.out/sandbox/stacks/network {command}" in output
    assert not (project.folder / "cdktf.out/sandbox/stacks/network/.terraform").exists()

    commands = succeeded(project.make("-n", "destroy"))
    positions = {name: commands.index(f"stacks/{name} destroy -auto-approve") for name in GRAPH}
    wrong = [
        (need, name)
        for name, tier in GRAPH.items()
        for need in tier.needs
        if positions[need] < positions[name]
    ]
    assert wrong == []  # a tier is destroyed before those that it needs


def state(folder: Path, *resources: tuple[str, dict[str, Any]], **outputs: Any) -> TierState:
    """The state of a tier with resources of these addresses and values, without protection."""
    tier = Workspace("sandbox", folder).tier("trial")
    tier.folder.mkdir(parents=True)
    body = {
        "outputs": {name: {"value": value} for name, value in outputs.items()},
        "root_module": {
            "resources": [
                {"address": address, "type": address.partition(".")[0], "mode": "managed", "values": values}
                for address, values in resources
            ]
        },
    }
    tier.state_json.write_text(json.dumps({"values": body}))
    tier.configuration.write_text('{"output": {"protection": {"value": false}}}')
    return TierState(tier)


def test_deletion_protection_set_by_hand_is_refused(tmp_path: Path) -> None:
    database = ("aws_db_instance.postgres", {"deletion_protection": True})
    sandbox = Workspace("sandbox", tmp_path)
    [refusal] = refusals(sandbox, [state(tmp_path, database, protection=False)], [])
    assert "aws_db_instance.postgres (deletion_protection)" in refusal


@pytest.mark.parametrize(
    ("addresses", "count"),
    [(["aws_vpc.main"], "1 resource\n"), (["aws_vpc.main", "aws_eip.a"], "2 resources\n")],
)
def test_resources_of_a_dependent_tier_are_counted(tmp_path: Path, addresses: list[str], count: str) -> None:
    dependent = state(tmp_path, *((address, {}) for address in addresses))
    [refusal] = refusals(Workspace("sandbox", tmp_path), [], [dependent])
    assert f"still has {count}" in refusal


def test_tier_without_output_is_protected_if_its_resources_are(tmp_path: Path) -> None:
    protected, unprotected = (
        ("aws_db_instance.postgres", {"deletion_protection": each}) for each in (True, False)
    )
    assert state(tmp_path / "on", protected).applied_protection
    assert not state(tmp_path / "off", unprotected).applied_protection


def test_resources_outside_the_state_are_reported(tmp_path: Path) -> None:
    tier_state = state(
        tmp_path,
        ("aws_eks_cluster.main", {}),
        ("helm_release.prometheus", {}),
        ("helm_release.grafana", {}),
        ("aws_cloudwatch_log_group.flow", {}),
        ("aws_cloudwatch_log_group.waf", {}),
        ("aws_cloudwatch_log_group.kept", {"skip_destroy": True}),
        ("aws_cloudwatch_log_group.guarded", {"deletion_protection_enabled": True}),
        ("aws_vpc.main", {}),
    )
    assert {holding.address: holding.outcome for holding in tier_state.holdings} == {
        "aws_eks_cluster.main": "volumes of its pods are in no state: they stay in EC2, and are billed",
        "helm_release.* (2)": "volumes of its pods are in no state, and may stay",
        "aws_cloudwatch_log_group.* (2)": "its logs are deleted",
        "aws_cloudwatch_log_group.kept": "stays in AWS",
        "aws_cloudwatch_log_group.guarded": "its logs are deleted",
    }


def test_every_protected_type_has_an_outcome(roots: dict[str, Root]) -> None:
    missing = [
        f"{tier}: {kind}.{name}"
        for tier, root in roots.items()
        for kind, name, values in root.each()
        if values.get("lifecycle", {}).get("prevent_destroy")
        and not (
            outcome(kind, values) or inside(kind, values, []) or known(kind).outage or kind == "aws_subnet"
        )
    ]
    assert missing == []


def test_question_without_a_terminal_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(approve, "TERMINAL", "/dev/no-such-terminal")
    with pytest.raises(
        Failed, match="no terminal for questions\n  remedy: approve in advance with APPROVE=sandbox"
    ):
        approve.ask(Board(tmp_path), "sandbox", "destroy network? ", ["what is lost"])
    assert "what is lost" in capsys.readouterr().out
