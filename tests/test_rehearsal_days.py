"""Tests of passing days in the rehearsal: maintenance windows, end of support, reserved names."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.rehearsing import PROVIDERS, Project
from support.waiting import ADDRESS, spec

from rehearsal import days
from rehearsal.cloud import Cloud
from tierra.run.failure import explained

SECRET = 'resource "aws_secretsmanager_secret" "a" {{\n  name = "a"\n  recovery_window_in_days = {}\n}}\n'
CLUSTER = """
resource "aws_eks_cluster" "main" {
  name     = "main"
  role_arn = "arn:aws:iam::123456789012:role/a"
  version  = "1.33"
  vpc_config { subnet_ids = ["subnet-a", "subnet-b"] }
  upgrade_policy { support_type = "%s" }
}
"""
DATABASE = """
resource "aws_db_instance" "a" {
  identifier                = "a"
  engine                    = "postgres"
  instance_class            = "db.t4g.medium"
  allocated_storage         = 20
  username                  = "root"
  password_wo               = "not-kept"
  password_wo_version       = 1
  final_snapshot_identifier = "last"
}
"""


LOCK = """
resource "aws_backup_vault" "a" { name = "main" }
resource "aws_backup_vault_lock_configuration" "a" {
  backup_vault_name   = aws_backup_vault.a.name
  changeable_for_days = 3
  max_retention_days  = %d
}
"""


def test_a_vault_lock_is_permanent_after_its_grace_days(tmp_path: Path) -> None:
    project = Project(tmp_path, PROVIDERS + LOCK % 100)
    project.apply()
    project.apply(PROVIDERS + LOCK % 200, REHEARSAL_DAYS="2")  # a new lock with a new grace time
    project.write(PROVIDERS + LOCK % 300)
    assert "InvalidRequestException" in project.apply(code=1, REHEARSAL_DAYS="5")


def test_pending_changes_are_applied_within_a_week(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(spec("db.t4g.medium"))
    project.apply(spec("db.t4g.large"))
    assert project.state()[ADDRESS]["instance_class"] == "db.t4g.medium"
    project.run("plan", "-detailed-exitcode", code=2, REHEARSAL_DAYS="6")
    project.run("plan", "-detailed-exitcode", code=0, REHEARSAL_DAYS="7")
    assert project.unchanged()  # the clock stays unchanged


@pytest.mark.parametrize(
    ("policy", "day", "version"),
    [
        ("STANDARD", "2026-07-29", "1.33"),
        ("STANDARD", "2026-08-01", "1.34"),
        ("STANDARD", "2026-12-05", "1.35"),
        ("EXTENDED", "2026-12-05", "1.33"),
        ("EXTENDED", "2027-08-01", "1.34"),
    ],
)
def test_eks_upgrades_a_cluster_after_the_end_of_support(
    tmp_path: Path, policy: str, day: str, version: str
) -> None:
    cloud = Cloud(tmp_path / "cloud.sqlite")
    cluster = {"name": "main", "version": "1.33", "upgrade_policy": [{"support_type": policy}]}
    cloud.put("aws_eks_cluster", "us-east-1/main", cluster)
    days.pass_to(cloud, {"REHEARSAL_DAYS": "1", "TIERRA_TODAY": day})
    [(_, stored)] = cloud.items("aws_eks_cluster")
    assert stored["version"] == version


def test_lowering_the_version_after_an_upgrade_by_eks_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path, PROVIDERS + CLUSTER % "STANDARD")
    project.apply()
    days_later = {"REHEARSAL_DAYS": "30", "TIERRA_TODAY": "2026-08-01"}
    assert '"1.34" -> "1.33"' in project.run("plan", **days_later)
    assert "InvalidParameterException" in project.apply(code=1)


def test_rds_upgrades_postgres_without_extended_support(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "cloud.sqlite")
    database = {"id": "a", "identifier": "a", "engine": "postgres", "engine_version": "14.19"}
    for name, support in (("a", days.UNSUPPORTED), ("b", "open-source-rds-extended-support")):
        cloud.put(
            "aws_db_instance",
            name,
            {**database, "engine_version_actual": "14.19", "engine_lifecycle_support": support},
        )
    days.pass_to(cloud, {"REHEARSAL_DAYS": "1", "TIERRA_TODAY": "2027-03-01"})
    versions = {key: each["engine_version"] for key, each in cloud.items("aws_db_instance")}
    assert versions == {"a": "15.13", "b": "14.19"}


def test_a_rotation_changes_the_current_version(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "cloud.sqlite")
    rules = [{"automatically_after_days": 30}]
    cloud.put("aws_secretsmanager_secret_rotation", "r", {"secret_id": "s", "rotation_rules": rules})
    cloud.put("aws_secretsmanager_secret_version", "v", {"secret_id": "s", "version_stages": ["AWSCURRENT"]})
    stages = []
    for day in ("29", "30"):
        days.pass_to(cloud, {"REHEARSAL_DAYS": day})
        stages += [each["version_stages"] for each in cloud.all("aws_secretsmanager_secret_version")]
    assert stages == [["AWSCURRENT"], ["AWSPREVIOUS"]]


def test_the_name_of_a_secret_is_reserved_during_its_recovery_window(tmp_path: Path) -> None:
    project = Project(tmp_path, PROVIDERS + SECRET.format(7))
    project.apply()
    project.run("destroy", "-auto-approve")
    output = project.apply(code=1)
    assert "already scheduled for deletion, in 7 days" in output.replace("\n", " ").replace("│ ", "")
    facts = {"env": "dev", "verb": "apply", "tier": "systems", "stack": "", "program": "Terraform"}
    assert explained(output, facts).splitlines() == [
        "apply: systems of dev: a deleted secret still has the name of aws_secretsmanager_secret.a",
        "  remedy: aws secretsmanager restore-secret --secret-id with that name; add"
        " aws_secretsmanager_secret.a to environments/imports/dev.yaml under systems, then make import"
        " ENV=dev TIER=systems",
    ]
    project.apply(REHEARSAL_DAYS="7")
    project.apply(PROVIDERS + SECRET.format(0))
    project.run("destroy", "-auto-approve")
    project.apply()


def test_a_final_snapshot_keeps_its_name(tmp_path: Path) -> None:
    project = Project(tmp_path, PROVIDERS + DATABASE)
    for code in (0, 1):
        project.apply()
        printed = project.run("destroy", "-auto-approve", code=code)
    assert "DBSnapshotAlreadyExists" in printed


def test_an_invalid_number_of_days_gets_one_message(tmp_path: Path) -> None:
    printed = Project(tmp_path, 'provider "aws" {}\nresource "aws_eip" "a" {}\n').run(
        "plan", code=1, REHEARSAL_DAYS="soon"
    )
    assert printed.count("Error:") == 1
    assert "REHEARSAL_DAYS=soon: it must be a number of days" in printed.replace("\n", " ")
