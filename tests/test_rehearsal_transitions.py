"""Changes that AWS refuses are refused by the embedded provider, at apply, with AWS's code; others pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from rehearsing import PROVIDERS, Project

from rehearsal.catalog import Catalog, catalog_path
from rehearsal.protocol import UNKNOWN
from rehearsal.transitions import RULES, refusals

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
  manage_master_user_password = true
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
  cidr_block        = "10.0.0.0/24"
}
resource "aws_eks_cluster" "main" {
  name     = "main"
  role_arn = "arn:aws:iam::123456789012:role/cluster"
  version  = "1.33"
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
MAJOR = 'engine_version              = "17"'
KUBERNETES = 'version  = "1.33"'
NODES = 'version         = "1.33"'
# What is written in place of what, and AWS's answer.
REFUSED = {
    "major": (
        MAJOR,
        MAJOR.replace("17", "18"),
        "InvalidParameterCombination: The AllowMajorVersionUpgrade flag",
    ),
    "lower": (
        MAJOR,
        MAJOR.replace("17", "16"),
        "InvalidParameterCombination: Cannot upgrade postgres from 17 to 16",
    ),
    "shrink": (
        "= 60",
        "= 30",
        "InvalidParameterCombination: Allocated storage cannot be reduced from 60 to 30",
    ),
    "ceiling": (
        "= 60",
        "= 60\n max_allocated_storage = 60",
        "InvalidParameterCombination: Max storage size must",
    ),
    "speed": ("= 60", "= 60\n iops = 12000", "InvalidParameterCombination: You can't specify IOPS"),
    "path": ('"4.0.0"', '"8.0.0"', "InvalidParameterCombination: Cannot upgrade docdb from 4.0.0 to 8.0.0"),
    "flag": (
        '"4.0.0"\n  allow_major_version_upgrade = true',
        '"5.0.0"',
        "InvalidParameterCombination: The AllowMajorVersionUpgrade flag",
    ),
    "nodes": ("= 3\n  automatic", "= 1\n  automatic", "InvalidParameterValue: Must have at least 1 replica"),
    "failover": (
        "automatic_failover_enabled = true",
        "automatic_failover_enabled = false",
        "InvalidParameterCombination: Automatic failover must be enabled",
    ),
    "skipped": (KUBERNETES, KUBERNETES.replace("33", "35"), "minor version update from 1.33 to 1.35"),
    "back": (KUBERNETES, KUBERNETES.replace("33", "32"), "minor version update from 1.33 to 1.32"),
    "zones": (
        '["a", "b"]',
        '["a", "b", "c"]',
        "InvalidParameterException: Subnets must be in the zones",
    ),
    "ahead": (NODES, NODES.replace("33", "34"), "Kubernetes 1.34 of the node group, 1.33 of the cluster"),
    "older": (NODES, NODES.replace("33", "32"), "cannot be rolled back from 1.33 to 1.32"),
    "image": (NODES, f'{NODES}\n release_version = "1.33.0-20240101"', "cannot be rolled back from 1.33.0"),
    "min": ("= 1\n  }", "= 3\n  }", "Minimum capacity 3 can't be greater than desired size 2"),
    "max": ("max_size     = 3", "max_size     = 1", "Desired capacity 2 can't be greater than max size 1"),
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


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("transitions"))
    project.apply(PROVIDERS + RESOURCES)
    return project


def changed(old: str, new: str) -> str:
    assert old in RESOURCES
    return PROVIDERS + RESOURCES.replace(old, new)


@pytest.mark.parametrize("name", REFUSED)
def test_a_change_that_aws_refuses_fails_at_apply_and_changes_nothing(applied: Project, name: str) -> None:
    old, new, answer = REFUSED[name]
    printed = " ".join(applied.apply(changed(old, new), code=1).replace("│", " ").split())
    assert "updating aws_" in printed
    assert answer in printed
    applied.write(PROVIDERS + RESOURCES)
    assert applied.unchanged()


def test_changes_that_aws_takes_are_applied(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + RESOURCES)
    text = RESOURCES
    for name, (old, new) in TAKEN.items():
        assert old in text, name
        text = text.replace(old, new)
        project.apply(PROVIDERS + text)
    assert project.unchanged()


def test_storage_that_may_grow_is_never_planned_to_shrink(tmp_path: Path) -> None:
    project = Project(tmp_path)
    grown = RESOURCES.replace("= 60", "= 60\n  max_allocated_storage = 200")
    project.apply(PROVIDERS + grown)
    assert project.actions(PROVIDERS + grown.replace("= 60", "= 30")) == {}
    assert project.unchanged()


def test_an_earlier_redis_is_a_new_one(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.apply(PROVIDERS + RESOURCES)
    actions = project.actions(PROVIDERS + RESOURCES.replace('"7.1"', '"7.0"'))
    assert actions == {"aws_elasticache_replication_group.redis": "replace"}


def test_every_rule_is_about_an_argument_that_exists_and_names_its_source() -> None:
    known = Catalog(catalog_path()).load("aws", "resource", {rule.type for rule in RULES})
    for rule in RULES:
        assert known[rule.type].block.find(rule.argument), rule.name
        assert rule.source, rule.name
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_what_is_not_known_yet_breaks_no_rule() -> None:
    for rule in RULES:
        was = {"engine": "postgres", "engine_version": "17", "version": "1.33", "allocated_storage": 60}
        now = dict.fromkeys((*was, rule.argument.partition(".")[0]), UNKNOWN)
        assert not list(refusals(rule.type, was, now)), rule.name
        assert not list(refusals(rule.type, None, now)), rule.name
