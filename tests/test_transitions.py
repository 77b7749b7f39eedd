"""Tests of changes that AWS refuses: the report of the plan names them with a remedy, and the embedded
provider refuses them at apply. Other changes are applied."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.rehearsing import PROVIDERS, Project

from rehearsal.catalog import Catalog, catalog_path
from rehearsal.cloud import Cloud
from rehearsal.engines import open_window
from rehearsal.nodes import want
from rehearsal.protocol import UNKNOWN
from tierra.aws.transitions import RULES, refusals
from tierra.plans.changes import Change
from tierra.report.findings import REFUSED as REFUSED_BY_AWS
from tierra.report.transitions import REMEDIES, refused, refused_plan

POSTGRES = """
resource "aws_db_instance" "postgres" {
  identifier                  = "orders"
  engine                      = "postgres"
  engine_version              = "17"
  instance_class              = "db.t4g.medium"
  storage_type                = "gp3"
  allocated_storage           = 60
  allow_major_version_upgrade = false
  username                    = "platform"
  password_wo                 = "not-kept"
  password_wo_version         = 1
  skip_final_snapshot         = true
}
"""
DOCUMENTDB = """
resource "aws_docdb_cluster" "documents" {
  cluster_identifier          = "documents"
  engine                      = "docdb"
  engine_version              = "4.0.0"
  allow_major_version_upgrade = true
  master_username             = "platform"
  master_password_wo          = "not-kept"
  master_password_wo_version  = 1
  skip_final_snapshot         = true
}
"""
REDIS = """
resource "aws_elasticache_replication_group" "redis" {
  replication_group_id       = "redis"
  description                = "Cache"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = "cache.t4g.small"
  num_cache_clusters         = 3
  automatic_failover_enabled = true
  multi_az_enabled           = true
}
"""
SUBNETS = """
resource "aws_subnet" "private" {
  for_each          = toset(["a", "b", "c"])
  vpc_id            = "vpc-1"
  availability_zone = "us-east-1${each.key}"
  cidr_block        = { a = "10.0.0.0/24", b = "10.0.1.0/24", c = "10.0.2.0/24" }[each.key]
}
"""
CLUSTER = """
resource "aws_eks_cluster" "main" {
  name     = "main"
  role_arn = "arn:aws:iam::123456789012:role/cluster"
  version  = "1.33"
  encryption_config {
    resources = ["secrets"]
    provider {
      key_arn = "arn:aws:kms:us-east-1:210987654321:key/01234567-89ab-cdef-0123-456789abcdef"
    }
  }
  vpc_config {
    subnet_ids = [for zone in ["a", "b"] : aws_subnet.private[zone].id]
  }
}
"""
NODE_GROUP = """
resource "aws_eks_node_group" "a" {
  cluster_name    = aws_eks_cluster.main.name
  node_group_name = "a"
  node_role_arn   = "arn:aws:iam::123456789012:role/node"
  subnet_ids      = [aws_subnet.private["a"].id]
  version         = "1.33"
  scaling_config {
    desired_size = 2
    max_size     = 3
    min_size     = 1
  }
  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }
}
"""
# A second cluster without nodes: a refused change of a cluster stops that of its node groups.
OTHER = CLUSTER.replace('"main"', '"other"')
RESOURCES = "".join((POSTGRES, DOCUMENTDB, REDIS, SUBNETS, CLUSTER, NODE_GROUP, OTHER))
KUBERNETES = 'version  = "1.33"'
NODES = 'version         = "1.33"'
COMBINATION, PARAMETER = "InvalidParameterCombination: ", "InvalidParameterException: "
FLAG = f"{COMBINATION}The AllowMajorVersionUpgrade flag"
MINOR = "Unsupported Kubernetes minor version update from 1.33 to"


class Case(NamedTuple):
    """A replacement in one resource, the error of AWS, the broken rule, and a part of the remedy."""

    section: str
    old: str
    new: str
    answer: str
    rule: str
    remedy: str


REFUSED = {
    "major": Case(
        POSTGRES,
        '"17"',
        '"18"',
        FLAG,
        "postgres_major",
        "data.postgres.allow_major_upgrade: true for this one apply",
    ),
    "lower": Case(
        POSTGRES,
        '"17"',
        '"16"',
        f"{COMBINATION}Cannot upgrade postgres from 17 to 16",
        "postgres_lower",
        'write data.postgres.version: "17" again',
    ),
    "shrink": Case(
        POSTGRES,
        "= 60",
        "= 30",
        f"{COMBINATION}Allocated storage cannot be reduced from 60 to 30",
        "storage_lower",
        "write data.postgres.storage_gb: 60 again",
    ),
    "ceiling": Case(
        POSTGRES,
        "= 60",
        "= 60\n max_allocated_storage = 60",
        f"{COMBINATION}Max storage size must be greater",
        "storage_ceiling",
        "raise data.postgres.max_storage_gb above 60",
    ),
    "speed": Case(
        POSTGRES,
        "= 60",
        "= 60\n iops = 12000",
        f"{COMBINATION}You can't specify IOPS",
        "storage_speed",
        "remove data.postgres.iops",
    ),
    "path": Case(
        DOCUMENTDB,
        '"4.0.0"',
        '"8.0.0"',
        f"{COMBINATION}Cannot upgrade docdb from 4.0.0 to 8.0.0",
        "documentdb_path",
        "write data.documentdb.version: 5.0.0",
    ),
    "flag": Case(
        DOCUMENTDB,
        '"4.0.0"\n  allow_major_version_upgrade = true',
        '"5.0.0"',
        FLAG,
        "documentdb_major",
        "data.documentdb.allow_major_upgrade: true",
    ),
    "nodes": Case(
        REDIS,
        "= 3\n  automatic",
        "= 1\n  automatic",
        "InvalidParameterValue: Must have at least 1 replica",
        "redis_nodes",
        "raise data.redis.nodes to 2",
    ),
    "skipped": Case(
        OTHER,
        KUBERNETES,
        KUBERNETES.replace("33", "35"),
        f"{PARAMETER}{MINOR} 1.35",
        "kubernetes",
        'write compute.kubernetes: "1.34"',
    ),
    "back": Case(
        OTHER,
        KUBERNETES,
        KUBERNETES.replace("33", "32"),
        f"{PARAMETER}{MINOR} 1.32",
        "kubernetes",
        'write compute.kubernetes: "1.33"',
    ),
    "zones": Case(
        OTHER,
        '["a", "b"]',
        '["a", "b", "c"]',
        f"{PARAMETER}Subnets must be in the zones",
        "cluster_zones",
        "name those in compute.endpoint.zones",
    ),
    "key": Case(
        OTHER,
        "key/01234567",
        "key/11234567",
        f"{PARAMETER}Encryption is already enabled on the cluster",
        "cluster_key",
        "write kms_keys.eks_secrets as it was",
    ),
    "ahead": Case(
        NODE_GROUP,
        NODES,
        NODES.replace("33", "34"),
        "Kubernetes 1.34 of the node group, 1.33 of the cluster",
        "nodes_ahead",
        "raise the version of the cluster first",
    ),
    "older": Case(
        NODE_GROUP,
        NODES,
        NODES.replace("33", "32"),
        f"{PARAMETER}A node group cannot be rolled back from 1.33 to 1.32",
        "nodes_lower",
        "as they were",
    ),
    "image": Case(
        NODE_GROUP,
        NODES,
        f'{NODES}\n release_version = "1.33.0-20240101"',
        f"{PARAMETER}A node group cannot be rolled back from 1.33.0-20251120 to 1.33.0-20240101",
        "nodes_lower",
        "compute.nodes.ami_release",
    ),
    "min": Case(
        NODE_GROUP,
        "= 1\n  }",
        "= 3\n  }",
        f"{PARAMETER}Minimum capacity 3 can't be greater than desired size 2",
        "node_counts",
        "--cluster-name main --nodegroup-name a --scaling-config minSize=3,maxSize=3,desiredSize=3",
    ),
    "max": Case(
        NODE_GROUP,
        "max_size     = 3",
        "max_size     = 1",
        f"{PARAMETER}Desired capacity 2 can't be greater than max size 1",
        "node_counts",
        "minSize=1,maxSize=1,desiredSize=1",
    ),
}
# Changes that are applied one round after another; those of a round are to different resources.
ACCEPTED = (
    {
        "minor": (POSTGRES, '"17"', '"17.9"'),
        "path": (DOCUMENTDB, '"4.0.0"', '"5.0.0"'),
        "nodes": (REDIS, "= 3\n  automatic", "= 2\n  automatic"),
        "step": (CLUSTER + NODE_GROUP, "1.33", "1.34"),
        "same zones": (OTHER, '["a", "b"]', '["b", "a"]'),
    },
    {
        "allowed": (POSTGRES, "= false\n  username", "= true\n  username"),
        "counts": (CLUSTER + NODE_GROUP, "max_size     = 3", "max_size     = 2"),
    },
    {"major": (POSTGRES, '"17.9"', '"18"')},
    {"grow": (POSTGRES, "= 60", "= 90\n  max_allocated_storage = 200")},
)
GROUP = "aws_elasticache_replication_group.redis"


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("transitions"))
    project.apply(PROVIDERS + RESOURCES)
    return project


def side_by_side() -> list[dict[str, Case]]:
    """The refused changes in rounds, with one of each resource in a round: a plan shows all of its findings,
    and an apply fails with all of its errors."""
    rounds: list[dict[str, Case]] = []
    for name, case in REFUSED.items():
        free = (each for each in rounds if case.section not in {other.section for other in each.values()})
        round_ = next(free, None)
        if round_ is None:
            rounds.append(round_ := {})
        round_[name] = case
    return rounds


@pytest.mark.parametrize("cases", side_by_side(), ids=", ".join)
def test_refused_changes_are_reported_and_fail_at_apply(applied: Project, cases: dict[str, Case]) -> None:
    text = RESOURCES
    for name, case in cases.items():
        assert case.old in case.section, name
        text = text.replace(case.section, case.section.replace(case.old, case.new))
    before = (applied.state(), objects(applied))
    findings = {each.address: each for each in refused_plan(applied.plan(PROVIDERS + text), {}, "data")}
    errors = applied.run("apply", "plan", code=1).replace("│", " ").split("Error: ")[1:]
    assert len(findings) == len(errors) == len(cases)
    for name, case in cases.items():
        kind, label = case.section.split('"')[1:4:2]
        finding = findings[f"{kind}.{label}"]
        description = next(rule.description for rule in RULES if rule.name == case.rule)
        assert (finding.subject, finding.action, finding.critical) == (REFUSED_BY_AWS, "update", True), name
        assert finding.message.startswith(f"{description}: "), name
        assert case.remedy in finding.message, name
        [error] = (each for each in errors if f"with {finding.address}," in each)
        assert error.startswith(f"updating {kind}"), name
        assert case.answer in " ".join(error.split()), name
    assert (applied.state(), objects(applied)) == before


def objects(project: Project) -> list[Any]:
    """Everything in its account."""
    with closing(sqlite3.connect(project.cloud)) as database:
        return database.execute("SELECT type, id, state FROM objects ORDER BY type, id").fetchall()


def test_accepted_changes_are_applied(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + RESOURCES)
    text = RESOURCES
    sections: dict[str, str] = {}
    for changes in ACCEPTED:
        for name, (section, old, new) in changes.items():
            present = sections.get(section, section)
            assert old in present, name
            assert present in text, name
            sections[section] = present.replace(old, new)
            text = text.replace(present, sections[section])
        assert refused_plan(project.plan(PROVIDERS + text), {}, "data") == [], ", ".join(changes)
        project.run("apply", "plan")
        pass_window(project)
    assert project.unchanged()


def test_higher_minimum_is_applied_after_the_node_group_grows(tmp_path: Path) -> None:
    project = Project(tmp_path)
    text = PROVIDERS + SUBNETS + CLUSTER + NODE_GROUP
    project.apply(text)
    case = REFUSED["min"]
    project.apply(text.replace(case.old, case.new), code=1)
    assert not want(Cloud(project.cloud), "b", 3)
    assert want(Cloud(project.cloud), "a", 3)
    project.apply()
    assert project.state()["aws_eks_node_group.a"]["scaling_config"] == [
        {"desired_size": 3, "max_size": 3, "min_size": 3}
    ]


def test_forecast_plans_a_refused_change(tmp_path: Path) -> None:
    project = Project(tmp_path)
    text = PROVIDERS + SUBNETS + CLUSTER
    project.apply(text, REHEARSAL_CLOUD="")
    project.apply(text.replace(KUBERNETES, KUBERNETES.replace("33", "35")), REHEARSAL_CLOUD="")


def test_smaller_storage_with_autoscaling_is_reported_and_not_planned(tmp_path: Path) -> None:
    project = Project(tmp_path)
    grown = POSTGRES.replace("= 60", "= 60\n  max_allocated_storage = 200")
    output = 'output "postgres_storage_gb" { value = "%s" }'
    project.apply(PROVIDERS + grown + output % 60)
    smaller = project.plan(PROVIDERS + grown.replace("= 60", "= 30") + output % 30)
    assert [each["change"]["actions"] for each in smaller["resource_changes"]] == [["no-op"]]
    (finding,) = refused_plan(smaller, {}, "data")
    assert "write data.postgres.storage_gb: 60 again" in finding.message
    assert finding.lines == ("~ allocated_storage: 60 → 30",)
    larger = project.plan(PROVIDERS + grown.replace("= 60", "= 90") + output % 90)
    assert refused_plan(larger, {}, "data") == []


def test_lower_version_and_return_from_valkey_replace_the_redis_group(tmp_path: Path) -> None:
    project = Project(tmp_path)
    redis = PROVIDERS + REDIS
    valkey = redis.replace(
        '= "redis"\n  engine_version             = "7.1"', '= "valkey"\n  engine_version = "8.2"'
    )
    assert valkey != redis
    project.apply(redis)
    assert project.actions(redis.replace('"7.1"', '"7.0"')) == {GROUP: "replace"}, "a lower version"
    assert project.actions(valkey) == {GROUP: "update"}
    project.apply()
    back = valkey.replace('"valkey"', '"redis"')
    assert project.actions(back) == {GROUP: "replace"}, "even with a version that is no lower"
    assert project.actions(redis) == {GROUP: "replace"}


def test_change_of_parameter_family_requires_apply_immediately() -> None:
    redis = {"engine": "redis", "engine_version": "7.1", "parameter_group_name": "acme-redis7"}

    def rules(before: dict[str, object], **after: object) -> list[str]:
        return [
            rule.name
            for rule, _ in refusals("aws_elasticache_replication_group", before, {**before, **after})
        ]

    valkey = {"engine": "valkey", "engine_version": "7.2"}
    assert rules(redis, **valkey, apply_immediately=False) == ["cache_family"]
    assert rules(redis, **valkey, apply_immediately=True) == []
    assert rules(redis | valkey, engine_version="8.2", apply_immediately=False) == ["cache_family"]
    assert rules({**redis, "engine_version": "7.0"}, engine_version="7.1", apply_immediately=False) == []
    after = {**redis, **valkey, "apply_immediately": False}
    change = Change("data", GROUP, "aws_elasticache_replication_group", "update", redis, after)
    (finding,) = refused(change)
    assert "write data.redis.at_once: true for this one apply" in finding.message


def test_every_rule_has_an_existing_argument_a_source_and_a_remedy() -> None:
    types = Catalog(catalog_path()).load("aws", "resource", {rule.type for rule in RULES})
    for rule in RULES:
        assert types[rule.type].block.find(rule.argument), rule.name
        assert rule.source, rule.name
    assert [rule.name for rule in RULES] == [*dict.fromkeys(rule.name for rule in RULES)]
    assert {rule.name for rule in RULES} == set(REMEDIES)


def test_unknown_values_break_no_rule() -> None:
    for rule in RULES:
        before = {"engine": "postgres", "engine_version": "17", "version": "1.33", "allocated_storage": 60}
        after = dict.fromkeys((*before, rule.argument.partition(".")[0]), UNKNOWN)
        assert not list(refusals(rule.type, before, after)), rule.name
        assert not list(refusals(rule.type, None, after)), rule.name


REPLICA = """
resource "aws_db_parameter_group" "postgres" {
  name_prefix = "postgres-"
  family      = "postgres17"
  lifecycle { create_before_destroy = true }
}
resource "aws_db_parameter_group" "replica" {
  name_prefix = "replica-"
  family      = "postgres17"
  lifecycle {
    create_before_destroy = true
    ignore_changes        = []
  }
}
resource "aws_db_instance" "postgres" {
  identifier                  = "orders"
  engine                      = "postgres"
  engine_version              = "17.6"
  backup_retention_period     = 1
  parameter_group_name        = aws_db_parameter_group.postgres.name
  instance_class              = "db.t4g.medium"
  allocated_storage           = 60
  allow_major_version_upgrade = false
  apply_immediately           = false
  username                    = "platform"
  password_wo                 = "not-kept"
  password_wo_version         = 1
  skip_final_snapshot         = true
}
resource "aws_db_instance" "replica_1" {
  identifier           = "orders-replica-1"
  replicate_source_db  = aws_db_instance.postgres.identifier
  parameter_group_name = aws_db_parameter_group.replica.name
  instance_class       = "db.t4g.medium"
  apply_immediately    = false
  skip_final_snapshot  = true
  lifecycle { ignore_changes = [] }
}
"""
REPLICA_AHEAD = ("replicate_source_db  =", 'engine_version = "17.9"\n  replicate_source_db  =')


def pass_window(project: Project) -> list[str]:
    """Passes the maintenance window. Returns the changes that it makes."""
    return open_window(Cloud(project.cloud))


def test_minor_version_requires_upgraded_replicas(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + REPLICA)
    primary_first = PROVIDERS + REPLICA.replace('"17.6"', '"17.9"')
    (finding,) = refused_plan(project.plan(primary_first), {}, "data")
    assert 'write data.postgres.replica_version: "17.9" and version: "17.6", apply' in finding.message
    condition = "read replicas need to be upgraded: orders-replica-1"
    assert f"DBUpgradeDependencyFailure: One or more of the DB Instance's {condition}" in " ".join(
        project.run("apply", "plan", code=1).replace("│", " ").split()
    )
    project.apply(PROVIDERS + REPLICA.replace(*REPLICA_AHEAD))
    assert project.state()["aws_db_instance.replica_1"]["engine_version_actual"] == "17.6"
    all_upgraded = PROVIDERS + REPLICA.replace('"17.6"', '"17.9"').replace(*REPLICA_AHEAD)
    assert refused_plan(project.plan(all_upgraded), {}, "data")  # the replicas are upgraded in their window
    assert pass_window(project) == [f"aws_db_instance {_id(project, 'replica_1')}: engine_version"]
    assert refused_plan(project.plan(primary_first), {}, "data") == []
    project.apply()
    pass_window(project)
    project.apply()
    assert project.unchanged()
    assert {each["engine_version_actual"] for each in _databases(project)} == {"17.9"}


def test_major_version_upgrades_the_primary_before_the_group_of_replicas(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + REPLICA)
    groups = {each["name"] for each in Cloud(project.cloud).all("aws_db_parameter_group")}
    upgraded = REPLICA.replace('"17.6"', '"18.1"').replace('"postgres17"', '"postgres18"')
    in_window = "upgrade = false\n  apply_immediately           = false"
    at_once = upgraded.replace(in_window, "upgrade = true\n  apply_immediately = true")
    primary_only = at_once.replace("ignore_changes        = []", "ignore_changes = [family]")
    primary_only = primary_only.replace("ignore_changes = []", "ignore_changes = [parameter_group_name]")
    assert project.apply(PROVIDERS + primary_only)
    assert {each["engine_version_actual"] for each in _databases(project)} == {"18.1"}
    assert len(groups & {each["name"] for each in Cloud(project.cloud).all("aws_db_parameter_group")}) == 1
    assert project.unchanged()
    project.apply(PROVIDERS + upgraded)
    families = {each["family"] for each in Cloud(project.cloud).all("aws_db_parameter_group")}
    assert families == {"postgres18"}
    assert project.unchanged()


def test_major_version_in_the_window_keeps_the_old_group_in_use(tmp_path: Path) -> None:
    """Therefore the spec applies major versions immediately. Replicas refuse their new group, too."""
    project = Project(tmp_path)
    project.apply(PROVIDERS + REPLICA)
    upgraded = REPLICA.replace('"17.6"', '"18.1"').replace('"postgres17"', '"postgres18"')
    upgraded = upgraded.replace("upgrade = false", "upgrade = true")
    primary_only = upgraded.replace("= aws_db_parameter_group.replica.name", '= "default.postgres17"')
    output = " ".join(project.apply(PROVIDERS + primary_only, code=1).replace("│", " ").split())
    assert "One or more database instances are still members of this parameter group postgres-" in output
    output = " ".join(project.apply(PROVIDERS + upgraded, code=1).replace("│", " ").split())
    refusal = (
        "with DBParameterGroupFamily postgres18 can't be used for this instance. Use a parameter group with"
    )
    assert f"{refusal} DBParameterGroupFamily postgres17." in output
    pass_window(project)
    project.apply()
    assert project.unchanged()


def _databases(project: Project) -> list[dict[str, Any]]:
    project.run("apply", "-refresh-only", "-auto-approve")
    return [each for name, each in project.state().items() if name.startswith("aws_db_instance.")]


def _id(project: Project, name: str) -> str:
    return str(project.state()[f"aws_db_instance.{name}"]["id"])


def test_zones_of_subnets_come_from_outputs_of_the_network() -> None:
    def cluster(*subnets: str) -> dict[str, Any]:
        return {"name": "acme", "vpc_config": [{"subnet_ids": list(subnets)}]}

    outputs = {"private_subnet_ids": {"a": "subnet-1", "b": "subnet-2", "c": "subnet-3"}, "vpc_id": "vpc-1"}
    network = {"type": "terraform_remote_state", "values": {"outputs": outputs}}

    def plan(*subnets: str) -> dict[str, Any]:
        change = {
            "actions": ["update"],
            "before": cluster("subnet-1", "subnet-2"),
            "after": cluster(*subnets),
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {},
        }
        resource = {"address": "aws_eks_cluster.main", "type": "aws_eks_cluster", "mode": "managed"}
        return {
            "resource_changes": [{**resource, "name": "main", "change": change}],
            "prior_state": {"values": {"root_module": {"resources": [network]}}},
        }

    (finding,) = refused_plan(plan("subnet-1", "subnet-3"), {}, "compute")
    assert "EKS keeps the control plane in the zones that the cluster was created with" in finding.message
    assert refused_plan(plan("subnet-2", "subnet-1"), {}, "compute") == []
