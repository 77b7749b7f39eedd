"""Tests of single values that the platform guarantees, each with its reason."""

from __future__ import annotations

from typing import Any

from conftest import Root

Roots = dict[str, Root]


def kinds(root: Root, *wanted: str) -> dict[str, dict[str, Any]]:
    by_address = {f"{kind}.{name}": values for kind, name, values in root.each() if kind in wanted}
    assert by_address
    return by_address


def test_node_updates_replace_at_most_a_third_at_a_time(roots: Roots) -> None:
    """Pods with three replicas, one in each zone, then keep two."""
    for address, group in kinds(roots["compute"], "aws_eks_node_group").items():
        assert group["update_config"] == {"max_unavailable_percentage": 33}, address


def test_snapshots_have_the_tags_of_their_database(roots: Roots) -> None:
    """Costs and owners of snapshots are found by tags, long after the database is gone."""
    wanted = ("aws_db_instance", "aws_docdb_cluster_instance")
    for address, values in kinds(roots["data"], *wanted).items():
        assert values["copy_tags_to_snapshot"] is True, address


def test_a_quarter_of_the_memory_of_redis_is_reserved(roots: Roots) -> None:
    """AWS's advice for nodes with replicas (ElastiCache user guide, "Managing reserved memory")."""
    for address, group in kinds(roots["data"], "aws_elasticache_parameter_group").items():
        values = {each["name"]: each["value"] for each in group["parameter"]}
        assert values["reserved-memory-percent"] == "25", address


def test_every_aws_provider_retries_when_throttled(roots: Roots) -> None:
    for tier, root in roots.items():
        for provider in root.body["provider"]["aws"]:
            assert (provider["retry_mode"], provider["max_retries"]) == ("adaptive", 25), tier


def test_security_groups_open_the_ports_of_databases(roots: Roots) -> None:
    listening = {
        "postgres": kinds(roots["data"], "aws_db_instance")["aws_db_instance.postgres"]["port"],
        "redis": kinds(roots["data"], "aws_elasticache_replication_group")[
            "aws_elasticache_replication_group.redis"
        ]["port"],
        "documentdb": kinds(roots["data"], "aws_docdb_cluster")["aws_docdb_cluster.documentdb"]["port"],
    }
    rules = kinds(roots["network"], "aws_vpc_security_group_ingress_rule")
    for database, port in listening.items():
        rule = rules[f"aws_vpc_security_group_ingress_rule.{database}_from_node_{port}"]
        assert (rule["from_port"], rule["to_port"]) == (port, port)
