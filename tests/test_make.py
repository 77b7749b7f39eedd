"""Tests of the Makefile's commands with real terraform."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.living import applied as applied_environment
from support.living import first_base, planned_change
from support.project import PLAN_OUTPUT, Copy, Project, applied, planned, refused, succeeded, without_make

from modules.architecture import TIERS, order

if TYPE_CHECKING:
    from support.on_aws import Production


SYSTEM = (
    "delivery: aws_ecr_repository.{name}",
    "delivery: aws_ecr_repository_policy.{name}",
    "delivery: aws_ecr_lifecycle_policy.{name}",
    "delivery: aws_eks_access_entry.deploy_{name}",
    "delivery: aws_iam_role.deploy_{name}",
    "delivery: aws_iam_role.push_{name}",
    "delivery: aws_iam_role_policy.deploy_{name}",
    "delivery: aws_iam_role_policy.push_{name}",
    "systems: aws_eks_pod_identity_association.{name}",
    "systems: aws_iam_role.{name}",
    "systems: aws_iam_role.secrets_{name}",
    "systems: aws_iam_role_policy.{name}",
    "systems: aws_iam_role_policy.secrets_{name}",
    "systems: aws_secretsmanager_secret.{name}",
    "systems: aws_secretsmanager_secret_version.{name}",
    "systems: aws_ssm_parameter.{name}",
    "systems: helm_release.{name}",
    "systems: helm_release.{name}_namespace",
    "observability: helm_release.system_{name}",
)
SYSTEMS = {"shop": "create", "cart": "create", "sistema_1": "delete", "sistema_3": "delete"}
EDGE = {
    "aws_acm_certificate.main": ["create", "delete"],  # it gets another name
    "aws_acm_certificate_validation.main": ["delete", "create"],
    "aws_lb_listener.https": ["update"],
    "aws_lb_listener_rule.gateway": ["update"],
    "aws_route53_record.address_www_example_com": ["create"],
    "aws_route53_record.caa_www_example_com": ["create"],
    "aws_route53_record.proof_app_example_com": ["delete", "create"],
    "aws_route53_record.proof_www_example_com": ["create"],
    "aws_wafv2_ip_set.blocked": ["create"],
    "aws_wafv2_web_acl.main": ["update"],
}
ALARMS = "observability: aws_cloudwatch_metric_alarm"
REPLICA_ALARMS = ("connections", "cpu", "credits", "lag", "memory", "storage")
CERTIFICATE_ALARMS = ("certificate_due", "certificate_ends")
SUBSCRIPTIONS = ("backups_night_at_example_com", "page_night_at_example_com", "ticket_night_at_example_com")
STORAGE_ALARMS = ("postgres_held_back", "postgres_storage", "replica_1_storage", "replica_2_storage")


def forecast_ids(project: Project) -> set[str]:
    """The ids that the forecast of the network generated."""
    state = project.folder / "cdktf.out" / "sandbox" / "forecast" / "network" / "scratch.tfstate"
    return {
        instance["attributes"]["id"]
        for resource in json.loads(state.read_text())["resources"]
        for instance in resource["instances"]
        if resource["type"] in ("aws_kms_key", "aws_security_group", "aws_subnet", "aws_vpc")
    }


def total(report: dict[str, dict[str, int]], action: str) -> int:
    return sum(tier[action] for tier in report.values())


def test_apply_without_a_plan_is_refused(project: Project) -> None:
    run = project.make("apply")
    refused(run, f"apply: there is no saved plan of {', '.join(order())}: run make plan ENV=sandbox")


def test_exported_cdpath_changes_nothing_and_a_plan_of_another_embedded_provider_is_refused(
    project: Project,
) -> None:
    succeeded(project.make("plan", "TIER=state", CDPATH="."))
    file = project.folder / "cdktf.out/sandbox/stacks/state/plan.seal"
    seal = json.loads(file.read_text())
    del seal["embedded"]  # as in the seals of earlier versions
    file.write_text(json.dumps(seal))
    refused(
        project.make("apply", "TIER=state", "APPROVE=yes"),
        "the saved plan of state was made with the embedded provider of another version of Tierra:"
        " run make plan ENV=sandbox",
    )


def test_sandbox_is_planned_applied_changed_and_destroyed(tmp_path: Path) -> None:
    project = Copy(tmp_path / "planned", planned())
    first_output = (project.folder / PLAN_OUTPUT).read_text()
    assert first_output.count("rehearsal: Tierra's embedded provider answers") == 1
    plan = project.report()
    assert list(plan) == order()
    assert total(plan, "add") > 100
    assert total(plan, "change") == total(plan, "destroy") == 0
    forecast = {name for name, tier in plan.items() if tier["forecast"]}
    assert forecast == {name for name, tier in TIERS.items() if tier.needs}
    output = project.folder / "cdktf.out" / "sandbox"
    assert {file.parent.name for file in output.glob("**/plan.tfplan")} == TIERS.keys() - forecast
    validated = succeeded(project.make("validate", "TIER=state systems"))
    assert validated.count("the configuration is valid") == 2

    refused(project.make("apply"), "approve in advance with APPROVE=yes")
    assert project.addresses() == set()

    project = Copy(tmp_path / "applied", applied())
    assert len(project.addresses()) == total(plan, "add")
    states = [file.read_text() for file in (project.folder / ".rehearsal" / "sandbox").glob("*.tfstate")]
    assert len(forecast_ids(project)) > 10
    assert not [id_ for id_ in forecast_ids(project) if any(id_ in state for state in states)]
    assert "applied before" in succeeded(project.make("apply", APPROVE="yes"))

    # Of the other tiers, the actions listed below and make unchanged in test_living.py say so.
    tiers = ("network", "delivery", "systems", "observability")
    assert succeeded(project.make("plan", f"TIER={' '.join(tiers)}")).endswith("\nNo changes.\n")
    unchanged = {"add": 0, "change": 0, "destroy": 0, "forecast": False}
    assert project.report() == dict.fromkeys(tiers, unchanged)

    project.edit("endpoints: gateway", "endpoints: gateway\n  flow_log_days: 30")
    refused(
        project.make("apply", APPROVE="yes"),
        "the configuration is newer than the saved plan of network",
    )

    project = Copy(tmp_path / "changed", planned_change())
    assert project.actions() == {
        "network: aws_cloudwatch_log_group.flow": ["update"],
        "storage: aws_s3_bucket_cors_configuration.files": ["create"],
        "data: aws_db_instance.postgres": ["update"],
        "data: aws_elasticache_replication_group.redis": ["update"],
        "data: aws_db_instance.replica_3": ["create"],
        "data: aws_cloudwatch_log_group.replica_3_postgresql": ["create"],
        "data: aws_cloudwatch_log_group.replica_3_upgrade": ["create"],
        **{f"compute: aws_eks_node_group.{zone}": ["update"] for zone in "abc"},
        "compute: aws_eks_access_entry.admin_owners": ["create"],
        "compute: aws_eks_access_policy_association.admin_owners": ["create"],
        **{f"edge: {address}": actions for address, actions in EDGE.items()},
        **{each.format(name=name): [action] for name, action in SYSTEMS.items() for each in SYSTEM},
        # Systems that read PostgreSQL get the host of the replica.
        "systems: helm_release.sistema_2": ["update"],
        **{f"{ALARMS}.replica_3_{each}": ["create"] for each in REPLICA_ALARMS},
        **{f"{ALARMS}.{each}": ["update"] for each in (*STORAGE_ALARMS, *CERTIFICATE_ALARMS)},
        "observability: aws_budgets_budget.month": ["create"],
        "observability: aws_cloudwatch_composite_alarm.replicas_lag": ["update"],
        **{f"observability: aws_cloudwatch_dashboard.{each}": ["update"] for each in ("data", "edge")},
        "observability: aws_kms_key.alarms": ["update"],
        **{f"observability: aws_sns_topic_policy.{each}": ["update"] for each in ("page", "ticket")},
        **{f"observability: aws_sns_topic_subscription.{each}": ["create"] for each in SUBSCRIPTIONS},
    }
    forecast = {name for name, tier in project.report().items() if tier["forecast"]}
    assert forecast == {"systems", "observability"}  # they need the address of the new replica
    succeeded(project.make("diagram"))
    drawing = (project.folder / "cdktf.out" / "sandbox" / "diagram.svg").read_text()
    assert 'data-addresses="data/aws_db_instance.replica_3" data-mark="added"' in drawing

    project = Copy(tmp_path / "destroyed", applied_environment(first_base()))
    refused(project.make("destroy"), "approve in advance with APPROVE=sandbox")
    succeeded(project.make("destroy", APPROVE="sandbox"))
    assert project.addresses() == set()


@pytest.mark.parametrize("environment", [pytest.param("staging", marks=pytest.mark.soak), "production"])
def test_environment_is_rehearsed_completely(project: Project, environment: str) -> None:
    output = succeeded(project.make("rehearse", f"ENV={environment}"))
    assert f"{environment} was planned, applied, found unchanged and destroyed; nothing is left" in output
    applied = re.findall(r"^apply  (\w+) ", output, re.M)
    assert applied.index("delivery") < applied.index("edge"), "an administrator makes the roles first"
    assert not (project.folder / "cdktf.out" / environment).exists()


@pytest.mark.soak
def test_environment_without_databases_firewall_and_pipeline_is_rehearsed(project: Project) -> None:
    spec = {
        "project": "acme",
        "region": "us-east-1",
        "data": dict.fromkeys(("postgres", "redis", "documentdb"), "off"),
        "edge": {"waf": "off"},
        "delivery": {"ci": "off"},
        "systems": {"shop": {"framework": "go", "needs": ["files"]}},
    }
    (project.folder / "environments/bare.yaml").write_text(json.dumps(spec))
    succeeded(project.make("rehearse", "ENV=bare"))


def test_partial_apply_is_completed_and_its_first_plan_refused(
    project: Project,
) -> None:
    failing = {"REHEARSAL_FAIL": "aws_subnet=0.2,aws_kms_key=0.4", "TIER": "network", "APPROVE": "yes"}
    succeeded(project.make("plan", **failing))
    assert "aws_subnet.private_a will be created" in succeeded(project.make("show", TIER="network"))
    output = project.folder / "cdktf.out" / "sandbox"
    stack = output / "stacks" / "network"
    first_plan = {file: file.read_bytes() for file in (output / "report.json", *stack.glob("plan.*"))}
    planned_resources = total(project.report(), "add")
    created: set[str] = set()
    runs = 0
    while runs < 12:
        runs += 1
        run = project.make("apply", **failing)
        assert project.addresses() >= created
        created = project.addresses()
        if run.returncode == 0:
            break
        refused(run, "failure injected by REHEARSAL_FAIL")
        assert 0 < len(created) < planned_resources
        succeeded(project.make("plan", **failing))
    assert runs > 1
    assert len(project.addresses()) == planned_resources
    assert "No changes" not in (stack / "apply.log").read_text()
    assert "# aws_subnet.private_a:" in succeeded(project.make("show", TIER="network"))
    assert "vpc_id" in succeeded(project.make("output", TIER="network"))

    (stack / "applied").unlink()
    for file, content in first_plan.items():
        file.write_bytes(content)
    refused(
        project.make("apply", TIER="network", APPROVE="yes"),
        "network of sandbox: the state has changed since the saved plan was made",
    )
    assert project.addresses() == created
    assert all(address.startswith("network: ") for address in created)
    assert succeeded(project.make("plan", TIER="network")).endswith("\nNo changes.\n")


def test_dry_run_prints_commands_and_writes_nothing(project: Project) -> None:
    generated = project.folder / "cdktf.out"
    generated.rename(project.folder / "moved")
    output_before_synthesis = succeeded(project.make("-n", "plan", "TIER=network"))
    assert output_before_synthesis.startswith("make synth ENV=sandbox  # writes cdktf.out/sandbox")
    assert not generated.exists()
    (project.folder / "moved").rename(generated)

    def file_times() -> dict[Path, int]:
        paths = (path for path in project.folder.rglob("*") if not {".venv", "__pycache__"} & {*path.parts})
        return {path: path.stat().st_mtime_ns for path in paths}

    before = file_times()
    output = succeeded(project.make("-n", "plan", "TIER=network"))
    assert file_times() == before
    assert output.splitlines()[0].startswith("make init ENV=sandbox  # ")
    commands = [line.split(" -chdir=")[1] for line in output.splitlines() if " -chdir=" in line]
    assert len(commands) == len(output.splitlines()) - 1
    folder = "cdktf.out/sandbox/stacks/network"
    assert commands[0].startswith(f"{folder} init -input=false")
    assert commands[1].startswith(f"{folder} plan -input=false -lock-timeout=60s")
    assert commands[2].startswith(f"{folder} show -json plan.tfplan")
    assert not (project.folder / folder / ".terraform").exists()


def test_commands_of_a_dry_run_plan_production(production: Production) -> None:
    del production.variables["TERRAFORM"]
    commands = succeeded(production.make("-n", "plan")).splitlines()
    assert all(line.startswith("terraform -chdir=cdktf.out/production/stacks/") for line in commands)
    assert {Path(line.split()[1]).name for line in commands} == set(TIERS)
    state_commands = [line for line in commands if "/stacks/state " in line]
    assert [line.split()[2] for line in state_commands] == ["init", "plan", "show"]
    plan = production.stack("state") / "plan.tfplan"
    plan.unlink()
    for line in state_commands:
        run = production.shell(line)
        assert run.returncode == 0, run.stderr
    assert plan.exists()
    assert json.loads((production.stack("state") / "plan.json").read_text())["planned_values"]


def test_unknown_environment_and_tier_are_refused(project: Project) -> None:
    refused(
        project.make("plan", "ENV=nope"),
        "environments/nope.yaml does not exist; ENV is one of: production sandbox staging",
    )
    refused(
        project.make("plan", "TIER=netwrk"),
        "TIER=netwrk: there is no such tier; the tiers of sandbox are: state network",
    )
    assert not (project.folder / "cdktf.out" / "nope").exists()


def test_invalid_spec_stops_make_and_leaves_the_generated_files(project: Project) -> None:
    generated = project.folder / "cdktf.out" / "sandbox" / "stacks" / "network" / "cdk.tf.json"
    before = generated.read_bytes()
    project.edit("cidr: 10.20.0.0/16", "cidr: 8.8.0.0/16")
    run = project.make("plan")
    refused(run, "environments/sandbox.yaml:")
    assert "network.cidr: 8.8.0.0/16" in run.stderr
    assert "No such file" not in run.stderr
    assert generated.read_bytes() == before


def test_help_names_every_target(project: Project) -> None:
    output = succeeded(project.make())
    targets = "setup synth validate plan apply destroy show output bootstrap unlock recover lock hcl rehearse"
    targets += " successor charts check test bench soak faults referees clean"
    assert all(f"\n  {target} " in output for target in targets.split())


def test_make_hcl_prints_the_folder_and_the_files(project: Project) -> None:
    message, _, names = succeeded(project.make("hcl", "TIER=network")).splitlines()[-1].rpartition(": ")
    assert message == "hcl: cdktf.out/sandbox/hcl/network"
    folder = project.folder / "cdktf.out" / "sandbox" / "hcl"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.tf")) == [
        f"network/{name}" for name in names.split(", ")
    ]


def test_app_of_cdktf_json_writes_a_manifest_for_the_cdktf_cli(project: Project) -> None:
    settings = json.loads((project.folder / "cdktf.json").read_text())
    assert settings["language"] == "python"
    run = subprocess.run(
        settings["app"],
        shell=True,
        cwd=project.folder,
        env={**without_make(), "CDKTF_OUTDIR": settings["output"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert succeeded(run) == ""
    assert run.stderr == ""
    manifest = json.loads((project.folder / settings["output"] / "manifest.json").read_text())
    assert sorted(manifest["stacks"]) == sorted(TIERS)
    for stack in manifest["stacks"].values():
        assert (project.folder / settings["output"] / stack["synthesizedStackPath"]).is_file()


def test_env_all_synthesizes_and_plans_all_but_applies_none(project: Project) -> None:
    for path in (project.folder / "environments").glob("*.yaml"):
        path.unlink()
    for name in ("one", "two"):
        (project.folder / f"environments/{name}.yaml").write_text("project: acme\nregion: us-east-1\n")
    assert re.search(r"one +done\n +two +done", succeeded(project.make("synth", "ENV=all")))
    assert (project.folder / "cdktf.out/two/tiers.mk").exists()
    apply = project.make("apply", "ENV=all")
    assert apply.returncode == 2
    assert "at a time\n  remedy: name one, as in make apply ENV=one" in apply.stderr
    assert "ENV=one" in succeeded(project.make("-n", "plan", "ENV=all"))
    assert "leave it out with ENV=all" in project.make("synth", "ENV=all", "OUT=x").stderr
    (project.folder / "environments/two.yaml").write_text("project: acme\n")
    plan = project.make("plan", "ENV=all")
    assert plan.returncode == 2
    assert "two.yaml:1: region" in plan.stderr
    assert "===" not in plan.stdout
