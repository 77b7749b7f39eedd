"""Changes that AWS refuses are named in the report of the plan with a way out, and the embedded provider
refuses them at apply; others pass."""

from __future__ import annotations

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

RESOURCES = """
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
resource "aws_subnet" "private" {
  for_each          = toset(["a", "b", "c"])
  vpc_id            = "vpc-1"
  availability_zone = "us-east-1${each.key}"
  cidr_block        = { a = "10.0.0.0/24", b = "10.0.1.0/24", c = "10.0.2.0/24" }[each.key]
}
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
KUBERNETES = 'version  = "1.33"'
NODES = 'version         = "1.33"'
COMBINATION, PARAMETER = "InvalidParameterCombination: ", "InvalidParameterException: "
FLAG = f"{COMBINATION}The AllowMajorVersionUpgrade flag"
MINOR = "Unsupported Kubernetes minor version update from 1.33 to"


class Case(NamedTuple):
    """What is written in place of what, AWS's answer, the rule that it breaks, and words of the remedy."""

    old: str
    new: str
    answer: str
    rule: str
    remedy: str


REFUSED = {
    "major": Case(
        '"17"', '"18"', FLAG, "postgres_major", "data.postgres.allow_major_upgrade: true for this one apply"
    ),
    "lower": Case(
        '"17"',
        '"16"',
        f"{COMBINATION}Cannot upgrade postgres from 17 to 16",
        "postgres_lower",
        'write data.postgres.version: "17" again',
    ),
    "shrink": Case(
        "= 60",
        "= 30",
        f"{COMBINATION}Allocated storage cannot be reduced from 60 to 30",
        "storage_lower",
        "write data.postgres.storage_gb: 60 again",
    ),
    "ceiling": Case(
        "= 60",
        "= 60\n max_allocated_storage = 60",
        f"{COMBINATION}Max storage size must be greater",
        "storage_ceiling",
        "raise data.postgres.max_storage_gb above 60",
    ),
    "speed": Case(
        "= 60",
        "= 60\n iops = 12000",
        f"{COMBINATION}You can't specify IOPS",
        "storage_speed",
        "remove data.postgres.iops",
    ),
    "path": Case(
        '"4.0.0"',
        '"8.0.0"',
        f"{COMBINATION}Cannot upgrade docdb from 4.0.0 to 8.0.0",
        "documentdb_path",
        "write data.documentdb.version: 5.0.0",
    ),
    "flag": Case(
        '"4.0.0"\n  allow_major_version_upgrade = true',
        '"5.0.0"',
        FLAG,
        "documentdb_major",
        "data.documentdb.allow_major_upgrade: true",
    ),
    "nodes": Case(
        "= 3\n  automatic",
        "= 1\n  automatic",
        "InvalidParameterValue: Must have at least 1 replica",
        "redis_nodes",
        "raise data.redis.nodes to 2",
    ),
    "skipped": Case(
        KUBERNETES,
        KUBERNETES.replace("33", "35"),
        f"{PARAMETER}{MINOR} 1.35",
        "kubernetes",
        'write compute.kubernetes: "1.34"',
    ),
    "back": Case(
        KUBERNETES,
        KUBERNETES.replace("33", "32"),
        f"{PARAMETER}{MINOR} 1.32",
        "kubernetes",
        'write compute.kubernetes: "1.33"',
    ),
    "zones": Case(
        '["a", "b"]',
        '["a", "b", "c"]',
        f"{PARAMETER}Subnets must be in the zones",
        "cluster_zones",
        "name those in compute.endpoint.zones",
    ),
    "key": Case(
        "key/01234567",
        "key/11234567",
        f"{PARAMETER}Encryption is already enabled on the cluster",
        "cluster_key",
        "write kms_keys.eks_secrets as it was",
    ),
    "ahead": Case(
        NODES,
        NODES.replace("33", "34"),
        "Kubernetes 1.34 of the node group, 1.33 of the cluster",
        "nodes_ahead",
        "raise the version of the cluster first",
    ),
    "older": Case(
        NODES,
        NODES.replace("33", "32"),
        f"{PARAMETER}A node group cannot be rolled back from 1.33 to 1.32",
        "nodes_lower",
        "as they were",
    ),
    "image": Case(
        NODES,
        f'{NODES}\n release_version = "1.33.0-20240101"',
        f"{PARAMETER}A node group cannot be rolled back from 1.33.0-20251120 to 1.33.0-20240101",
        "nodes_lower",
        "compute.nodes.ami_release",
    ),
    "min": Case(
        "= 1\n  }",
        "= 3\n  }",
        f"{PARAMETER}Minimum capacity 3 can't be greater than desired size 2",
        "node_counts",
        "--cluster-name main --nodegroup-name a --scaling-config minSize=3,maxSize=3,desiredSize=3",
    ),
    "max": Case(
        "max_size     = 3",
        "max_size     = 1",
        f"{PARAMETER}Desired capacity 2 can't be greater than max size 1",
        "node_counts",
        "minSize=1,maxSize=1,desiredSize=1",
    ),
}
# One after another.
TAKEN = {
    "minor": ('"17"', '"17.9"'),
    "allowed": ("= false\n  username", "= true\n  username"),
    "major": ('"17.9"', '"18"'),
    "grow": ("= 60", "= 90\n  max_allocated_storage = 200"),
    "path": ('"4.0.0"', '"5.0.0"'),
    "nodes": ("= 3\n  automatic", "= 2\n  automatic"),
    "step": ("1.33", "1.34"),
    "same zones": ('["a", "b"]', '["b", "a"]'),
    "counts": ("max_size     = 3", "max_size     = 2"),
}
GROUP = "aws_elasticache_replication_group.redis"


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("transitions"))
    project.apply(PROVIDERS + RESOURCES)
    return project


@pytest.mark.parametrize("name", REFUSED)
def test_a_change_that_aws_refuses_is_named_before_and_fails_at_apply(applied: Project, name: str) -> None:
    case = REFUSED[name]
    assert case.old in RESOURCES
    plan = applied.plan(PROVIDERS + RESOURCES.replace(case.old, case.new))
    (finding,) = refused_plan(plan, {}, "data")
    says = next(rule.description for rule in RULES if rule.name == case.rule)
    assert (finding.subject, finding.action, finding.critical) == (REFUSED_BY_AWS, "update", True)
    assert finding.message.startswith(f"{says}: ")
    assert case.remedy in finding.message
    printed = " ".join(applied.run("apply", "plan", code=1).replace("│", " ").split())
    assert f"updating {finding.address.partition('.')[0]}" in printed
    assert case.answer in printed
    applied.write(PROVIDERS + RESOURCES)
    assert applied.unchanged()


def test_changes_that_aws_takes_are_applied(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + RESOURCES)
    text = RESOURCES
    for name, (old, new) in TAKEN.items():
        assert old in text, name
        text = text.replace(old, new)
        assert refused_plan(project.plan(PROVIDERS + text), {}, "data") == [], name
        project.run("apply", "plan")
        windows(project)
    assert project.unchanged()


def test_a_group_that_wants_more_nodes_takes_a_higher_least_number(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + RESOURCES)
    case = REFUSED["min"]
    project.apply(PROVIDERS + RESOURCES.replace(case.old, case.new), code=1)
    assert not want(Cloud(project.cloud), "b", 3)
    assert want(Cloud(project.cloud), "a", 3)
    project.apply()
    assert project.state()["aws_eks_node_group.a"]["scaling_config"] == [
        {"desired_size": 3, "max_size": 3, "min_size": 3}
    ]


def test_a_forecast_makes_up_what_follows_from_a_change_that_aws_refuses(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + RESOURCES, REHEARSAL_CLOUD="")
    refused = RESOURCES.replace(KUBERNETES, KUBERNETES.replace("33", "35"))
    project.apply(PROVIDERS + refused, REHEARSAL_CLOUD="")


def test_storage_that_may_grow_is_never_planned_to_shrink(tmp_path: Path) -> None:
    project = Project(tmp_path)
    grown = RESOURCES.replace("= 60", "= 60\n  max_allocated_storage = 200")
    output = 'output "postgres_storage_gb" { value = "%s" }'
    project.apply(PROVIDERS + grown + output % 60)
    smaller = project.plan(PROVIDERS + grown.replace("= 60", "= 30") + output % 30)
    assert [each["change"]["actions"] for each in smaller["resource_changes"]] == [["no-op"]] * 8
    (finding,) = refused_plan(smaller, {}, "data")
    assert "write data.postgres.storage_gb: 60 again" in finding.message
    assert finding.lines == ("~ allocated_storage: 60 → 30",)
    larger = project.plan(PROVIDERS + grown.replace("= 60", "= 90") + output % 90)
    assert refused_plan(larger, {}, "data") == []


def test_an_earlier_redis_is_a_new_one(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + RESOURCES)
    actions = project.actions(PROVIDERS + RESOURCES.replace('"7.1"', '"7.0"'))
    assert actions == {"aws_elasticache_replication_group.redis": "replace"}


def test_redis_becomes_valkey_in_place_and_valkey_becomes_a_new_redis(tmp_path: Path) -> None:
    project = Project(tmp_path)
    redis = PROVIDERS + RESOURCES
    valkey = redis.replace(
        '= "redis"\n  engine_version             = "7.1"', '= "valkey"\n  engine_version = "8.2"'
    )
    assert valkey != redis
    project.apply(redis)
    assert project.actions(valkey) == {GROUP: "update"}
    project.apply(valkey)
    back = valkey.replace('"valkey"', '"redis"')
    assert project.actions(back) == {GROUP: "replace"}, "even with a version that is no lower"
    assert project.actions(redis) == {GROUP: "replace"}


def test_another_family_of_parameters_does_not_wait_for_the_window() -> None:
    redis = {"engine": "redis", "engine_version": "7.1", "parameter_group_name": "acme-redis7"}

    def rules(was: dict[str, object], **now: object) -> list[str]:
        return [rule.name for rule, _ in refusals("aws_elasticache_replication_group", was, {**was, **now})]

    valkey = {"engine": "valkey", "engine_version": "7.2"}
    assert rules(redis, **valkey, apply_immediately=False) == ["cache_family"]
    assert rules(redis, **valkey, apply_immediately=True) == []
    assert rules(redis | valkey, engine_version="8.2", apply_immediately=False) == ["cache_family"]
    assert rules({**redis, "engine_version": "7.0"}, engine_version="7.1", apply_immediately=False) == []
    now = {**redis, **valkey, "apply_immediately": False}
    change = Change("data", GROUP, "aws_elasticache_replication_group", "update", redis, now)
    (finding,) = refused(change)
    assert "write data.redis.at_once: true for this one apply" in finding.message


def test_every_rule_is_about_an_argument_that_exists_and_names_its_source() -> None:
    known = Catalog(catalog_path()).load("aws", "resource", {rule.type for rule in RULES})
    for rule in RULES:
        assert known[rule.type].block.find(rule.argument), rule.name
        assert rule.source, rule.name
    assert [rule.name for rule in RULES] == [*dict.fromkeys(rule.name for rule in RULES)]
    assert {rule.name for rule in RULES} == set(REMEDIES)


def test_what_is_not_known_yet_breaks_no_rule() -> None:
    for rule in RULES:
        was = {"engine": "postgres", "engine_version": "17", "version": "1.33", "allocated_storage": 60}
        now = dict.fromkeys((*was, rule.argument.partition(".")[0]), UNKNOWN)
        assert not list(refusals(rule.type, was, now)), rule.name
        assert not list(refusals(rule.type, None, now)), rule.name


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
AHEAD = ("replicate_source_db  =", 'engine_version = "17.9"\n  replicate_source_db  =')


def windows(project: Project) -> list[str]:
    return open_window(Cloud(project.cloud))


def test_a_minor_version_goes_to_the_replicas_first(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + REPLICA)
    at_once = PROVIDERS + REPLICA.replace('"17.6"', '"17.9"')
    (finding,) = refused_plan(project.plan(at_once), {}, "data")
    assert 'write data.postgres.replica_version: "17.9" and version: "17.6", apply' in finding.message
    need = "read replicas need to be upgraded: orders-replica-1"
    assert f"DBUpgradeDependencyFailure: One or more of the DB Instance's {need}" in " ".join(
        project.run("apply", "plan", code=1).replace("│", " ").split()
    )
    project.apply(PROVIDERS + REPLICA.replace(*AHEAD))
    assert project.state()["aws_db_instance.replica_1"]["engine_version_actual"] == "17.6"
    both = PROVIDERS + REPLICA.replace('"17.6"', '"17.9"').replace(*AHEAD)
    assert refused_plan(project.plan(both), {}, "data")  # the replicas wait for their window
    assert windows(project) == [f"aws_db_instance {_id(project, 'replica_1')}: engine_version"]
    assert refused_plan(project.plan(at_once), {}, "data") == []
    project.apply()
    windows(project)
    project.apply()
    assert project.unchanged()
    assert {each["engine_version_actual"] for each in _databases(project)} == {"17.9"}


def test_a_major_version_takes_the_primary_first_and_keeps_the_group_of_replicas(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + REPLICA)
    groups = {each["name"] for each in Cloud(project.cloud).all("aws_db_parameter_group")}
    later = REPLICA.replace('"17.6"', '"18.1"').replace('"postgres17"', '"postgres18"')
    waits = "upgrade = false\n  apply_immediately           = false"
    allowed = later.replace(waits, "upgrade = true\n  apply_immediately = true")
    kept = allowed.replace("ignore_changes        = []", "ignore_changes = [family]")
    kept = kept.replace("ignore_changes = []", "ignore_changes = [parameter_group_name]")
    assert project.apply(PROVIDERS + kept)
    assert {each["engine_version_actual"] for each in _databases(project)} == {"18.1"}
    assert len(groups & {each["name"] for each in Cloud(project.cloud).all("aws_db_parameter_group")}) == 1
    assert project.unchanged()
    project.apply(PROVIDERS + later)
    families = {each["family"] for each in Cloud(project.cloud).all("aws_db_parameter_group")}
    assert families == {"postgres18"}
    assert project.unchanged()


def test_a_major_version_that_waits_leaves_the_old_group_in_use(tmp_path: Path) -> None:
    """Which is why the spec has it made at once. Replicas refuse their new group as well."""
    project = Project(tmp_path)
    project.apply(PROVIDERS + REPLICA)
    later = REPLICA.replace('"17.6"', '"18.1"').replace('"postgres17"', '"postgres18"')
    later = later.replace("upgrade = false", "upgrade = true")
    alone = later.replace("= aws_db_parameter_group.replica.name", '= "default.postgres17"')
    said = " ".join(project.apply(PROVIDERS + alone, code=1).replace("│", " ").split())
    assert "One or more database instances are still members of this parameter group postgres-" in said
    said = " ".join(project.apply(PROVIDERS + later, code=1).replace("│", " ").split())
    wanted = (
        "with DBParameterGroupFamily postgres18 can't be used for this instance. Use a parameter group with"
    )
    assert f"{wanted} DBParameterGroupFamily postgres17." in said
    windows(project)
    project.apply()
    assert project.unchanged()


def _databases(project: Project) -> list[dict[str, Any]]:
    project.run("apply", "-refresh-only", "-auto-approve")
    return [each for name, each in project.state().items() if name.startswith("aws_db_instance.")]


def _id(project: Project, name: str) -> str:
    return str(project.state()[f"aws_db_instance.{name}"]["id"])


def test_zones_of_subnets_of_another_tier_are_known_from_what_the_tier_reads() -> None:
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
