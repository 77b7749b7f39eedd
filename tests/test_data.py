"""Tests of the data tier: its generated Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Root

from modules.data import catalog
from modules.data.spec import Data
from modules.data.windows import overlap
from tierra.validation.errors import SpecError

Variant = Callable[..., dict[str, Root]]


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text below a value, with the path to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, path)
    elif isinstance(value, str):
        yield path, value


def difference(old_root: Root, new_root: Root) -> dict[str, Any]:
    """Addresses whose arguments differ, with the arguments that do; None for one that is new or gone."""
    before = {f"{kind}.{name}": arguments for kind, name, arguments in old_root.each()}
    after = {f"{kind}.{name}": arguments for kind, name, arguments in new_root.each()}
    differences: dict[str, Any] = {}
    for address in before.keys() | after.keys():
        old, new = before.get(address), after.get(address)
        if old is None or new is None:
            differences[address] = None
        elif changed := {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}:
            differences[address] = changed
    return differences


@pytest.fixture
def data(roots: dict[str, Root]) -> Root:
    return roots["data"]


def instances(data: Root) -> dict[str, dict[str, Any]]:
    return data.all("aws_db_instance")


# Secrets


def test_secrets_only_go_to_write_only_arguments(data: Root) -> None:
    reached = {
        path
        for kind, name, arguments in data.each()
        for path, text in texts(arguments, f"{kind}.{name}")
        if "ephemeral." in text
    }
    assert reached == {
        "aws_secretsmanager_secret_version.postgres.secret_string_wo",
        "aws_db_instance.postgres.password_wo",
        "aws_secretsmanager_secret_version.documentdb.secret_string_wo",
        "aws_docdb_cluster.documentdb.master_password_wo",
    }
    assert not any("ephemeral." in text for _, text in texts(data.body["output"]))


def test_no_password_is_in_the_configuration(data: Root) -> None:
    for kind, name, arguments in data.each():
        forbidden = {
            "password",
            "passwords",
            "master_password",
            "auth_token",
            "secret_string",
            "secret_binary",
        }
        assert not forbidden & arguments.keys(), f"{kind}.{name}"


def test_the_instance_gets_the_password_of_the_secret(data: Root) -> None:
    ephemeral = data.body["ephemeral"]
    read = ephemeral["aws_secretsmanager_secret_version"]["postgres"]
    version = data["aws_secretsmanager_secret_version.postgres"]
    # The reference to the version makes terraform read the secret after it is written, and only during an
    # apply: terraform does not open an ephemeral resource with an unknown argument.
    secret = "aws_secretsmanager_secret_version.postgres.secret_id"
    assert read == {
        "secret_id": f"${{terraform.applying ? {secret} : timestamp()}}",
        "version_id": "${aws_secretsmanager_secret_version.postgres.version_id}",
    }
    assert "random_password.postgres.random_password" in version["secret_string_wo"]
    primary = data["aws_db_instance.postgres"]
    assert primary["password_wo"] == "${ephemeral.aws_secretsmanager_secret_version.postgres.secret_string}"
    assert primary["password_wo_version"] == version["secret_string_wo_version"] == 1
    assert "manage_master_user_password" not in primary  # RDS then refuses replicas


def test_password_version_renews_the_password_in_secret_and_database(variant: Variant) -> None:
    before = variant()["data"]
    after = variant(data={"postgres": {"password_version": 2}})["data"]
    assert difference(before, after) == {
        "aws_secretsmanager_secret_version.postgres": {"secret_string_wo_version"},
        "aws_db_instance.postgres": {"password_wo_version"},
    }
    # The new version is current before the old one is deleted.
    assert before["aws_secretsmanager_secret_version.postgres"]["lifecycle"] == {
        "create_before_destroy": True
    }


def test_the_password_of_documentdb_changes_with_its_version(data: Root, variant: Variant) -> None:
    cluster = data["aws_docdb_cluster.documentdb"]
    assert "manage_master_user_password" not in cluster  # AWS then changes it every seven days
    secret = "${ephemeral.aws_secretsmanager_secret_version.documentdb.secret_string}"
    assert cluster["master_password_wo"] == secret
    after = variant(data={"documentdb": {"password_version": 2}})["data"]
    assert difference(variant()["data"], after) == {
        "aws_secretsmanager_secret_version.documentdb": {"secret_string_wo_version"},
        "aws_docdb_cluster.documentdb": {"master_password_wo_version"},
    }


def test_a_major_upgrade_follows_the_spec_and_does_not_wait_for_the_window(variant: Variant) -> None:
    """Otherwise the parameter group of the previous version could not be deleted. A new password of
    DocumentDB never waits for the window, because the secret and the cluster would differ."""
    for allowed in (False, True):
        spec = {name: {"allow_major_upgrade": allowed} for name in ("postgres", "documentdb")}
        data = variant(environment=f"x{allowed}".lower(), data=spec)["data"]
        primary, cluster = data["aws_db_instance.postgres"], data["aws_docdb_cluster.documentdb"]
        assert primary["allow_major_version_upgrade"] is primary["apply_immediately"] is allowed
        assert cluster["allow_major_version_upgrade"] is allowed
        assert cluster["apply_immediately"] is True


def test_replicas_keep_their_parameter_group_during_a_major_upgrade(variant: Variant) -> None:
    plain = variant(environment="plain")["data"]
    data = variant(environment="major", data={"postgres": {"version": "18", "allow_major_upgrade": True}})[
        "data"
    ]
    lifecycle = data["aws_db_parameter_group.postgres_replica"]["lifecycle"]
    assert lifecycle == {"create_before_destroy": True, "ignore_changes": ["family", "name_prefix"]}
    assert data["aws_db_parameter_group.postgres"]["lifecycle"] == {"create_before_destroy": True}
    replica = data["aws_db_instance.replica_1"]
    assert replica["lifecycle"] == {"ignore_changes": ["parameter_group_name"]}
    assert "lifecycle" not in plain["aws_db_instance.replica_1"]
    assert replica["apply_immediately"] is False


def test_replica_version_sets_the_minor_version_of_replicas(variant: Variant) -> None:
    spec = {"postgres": {"version": "17.6", "replica_version": "17.9"}}
    data = variant(data=spec)["data"]
    assert data["aws_db_instance.postgres"]["engine_version"] == "17.6"
    assert data["aws_db_instance.replica_1"]["engine_version"] == "17.9"


@pytest.mark.parametrize(
    ("postgres", "rule"),
    [
        ({"replica_version": "17.9", "replicas": 0}, "replica_version requires a replica"),
        ({"replica_version": "18.1"}, "RDS upgrades it with the primary"),
        ({"replica_version": "17"}, "replica_version must be a minor version, at least version (17)"),
        ({"version": "17.9", "replica_version": "17.6"}, "at least version (17.9)"),
    ],
)
def test_an_invalid_replica_version_is_refused(
    postgres: dict[str, Any], rule: str, environment: Callable[..., Any]
) -> None:
    with pytest.raises(SpecError, match=re.escape(rule)):
        environment(data={"postgres": postgres})


def test_redis_has_no_user_without_iam(data: Root) -> None:
    systems, default = (data[f"aws_elasticache_user.{name}"] for name in ("systems", "default"))
    assert systems["authentication_mode"] == {"type": "iam"}
    assert systems["user_id"] == systems["user_name"]  # required by IAM
    assert default["user_name"] == "default"
    assert default["access_string"].startswith("off ")
    assert "+" not in default["access_string"]
    members = data["aws_elasticache_user_group.redis"]["user_ids"]
    assert members == [f"${{aws_elasticache_user.{name}.user_id}}" for name in ("systems", "default")]


def test_valkey_replaces_redis(variant: Variant) -> None:
    spec = {"redis": {"engine": "valkey", "version": "8.1", "separate_broker": True}}
    valkey = variant(data=spec)["data"]
    redis = variant(data={"redis": {"separate_broker": True}})["data"]
    for name in ("redis", "broker"):
        group = valkey[f"aws_elasticache_replication_group.{name}"]
        assert (group["engine"], group["engine_version"]) == ("valkey", "8.1")
        parameters = valkey[f"aws_elasticache_parameter_group.{name}"]
        assert parameters["family"] == "valkey8"
        assert parameters["name"] == f"acme-trial-{name}-valkey8"
        assert (
            group["replication_group_id"]
            == (redis[f"aws_elasticache_replication_group.{name}"]["replication_group_id"])
        ), "endpoints must stay"
    for kind in ("aws_elasticache_user", "aws_elasticache_user_group"):
        assert valkey.all(kind) == redis.all(kind), "Valkey accepts user groups of Redis"


@pytest.mark.parametrize(("version", "family"), [("7.2", "valkey7"), ("8.0", "valkey8"), ("8.2", "valkey8")])
def test_parameters_are_of_the_family_of_the_version(variant: Variant, version: str, family: str) -> None:
    data = variant(data={"redis": {"engine": "valkey", "version": version}})["data"]
    assert data["aws_elasticache_parameter_group.redis"]["family"] == family


# Encryption and access


def test_each_database_is_encrypted_with_its_key(data: Root) -> None:
    for name, instance in instances(data).items():
        assert instance["storage_encrypted"] is True, name
        assert instance["kms_key_id"] == "${aws_kms_key.postgres.arn}", name
        assert instance["performance_insights_kms_key_id"] == "${aws_kms_key.postgres.arn}", name
    for group in data.all("aws_elasticache_replication_group").values():
        assert group["at_rest_encryption_enabled"] == "true"
        assert group["kms_key_id"] == "${aws_kms_key.redis.arn}"
    cluster = data["aws_docdb_cluster.documentdb"]
    assert cluster["storage_encrypted"] is True
    assert cluster["kms_key_id"] == "${aws_kms_key.documentdb.arn}"
    assert data["aws_secretsmanager_secret.postgres"]["kms_key_id"] == "${aws_kms_key.secrets.arn}"


def test_clients_without_tls_are_refused(data: Root) -> None:
    for group in data.all("aws_db_parameter_group").values():
        assert {"name": "rds.force_ssl", "value": "1", "apply_method": "immediate"} in group["parameter"]
    for group in data.all("aws_elasticache_replication_group").values():
        assert group["transit_encryption_enabled"] is True
        assert group["transit_encryption_mode"] == "required"
    parameters = data["aws_docdb_cluster_parameter_group.documentdb"]["parameter"]
    assert {"name": "tls", "value": "enabled", "apply_method": "pending-reboot"} in parameters


def test_databases_are_in_database_subnets_with_their_own_security_group(data: Root) -> None:
    outputs = "data.terraform_remote_state.network.outputs"
    for name, instance in instances(data).items():
        assert instance["publicly_accessible"] is False, name
        assert instance["vpc_security_group_ids"] == [f"${{{outputs}.postgres_security_group_id}}"], name
    primary, cluster = data["aws_db_instance.postgres"], data["aws_docdb_cluster.documentdb"]
    assert primary["db_subnet_group_name"] == f"${{{outputs}.db_subnet_group_name}}"
    assert cluster["db_subnet_group_name"] == f"${{{outputs}.docdb_subnet_group_name}}"
    assert cluster["vpc_security_group_ids"] == [f"${{{outputs}.documentdb_security_group_id}}"]
    for group in data.all("aws_elasticache_replication_group").values():
        assert group["subnet_group_name"] == f"${{{outputs}.elasticache_subnet_group_name}}"
        assert group["security_group_ids"] == [f"${{{outputs}.redis_security_group_id}}"]


def test_database_keys_allow_no_grants_to_people(data: Root) -> None:
    for name in data.all("aws_kms_key"):
        statements = data.statements(f"aws_kms_key.{name}")
        assert set(statements) == {"AccountAdministersThroughIam", "GrantsAreForAwsServicesAlone"}
        assert statements["GrantsAreForAwsServicesAlone"] == {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "false"}},
        }


def test_the_monitoring_role_is_for_instances_of_this_environment_only(data: Root) -> None:
    statement = data.statements("aws_iam_role.database_monitoring", "assume_role_policy")["ServiceMayAssume"]
    environment = data.environment
    assert statement["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    stem = f"{environment.project}-{environment.environment}"
    arn = f"arn:aws:rds:{environment.region}:{environment.account}:db:{stem}-*"
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": environment.account},
        "ArnLike": {"aws:SourceArn": arn},
    }


# Logs


def test_log_groups_are_encrypted_and_created_before_databases(data: Root) -> None:
    groups = data.all("aws_cloudwatch_log_group")
    names = {name: group["name"] for name, group in groups.items()}
    for name, instance in instances(data).items():
        expected = {
            f"{name}_{log}": f"/aws/rds/instance/{instance['identifier']}/{log}"
            for log in instance["enabled_cloudwatch_logs_exports"]
        }
        assert expected.items() <= names.items()
        assert {f"aws_cloudwatch_log_group.{group}" for group in expected} <= set(instance["depends_on"])
    cluster = data["aws_docdb_cluster.documentdb"]
    for log in cluster["enabled_cloudwatch_logs_exports"]:
        assert names[f"documentdb_{log}"] == f"/aws/docdb/{cluster['cluster_identifier']}/{log}"
        assert f"aws_cloudwatch_log_group.documentdb_{log}" in cluster["depends_on"]
    for group in groups.values():
        assert group["kms_key_id"] == "${data.terraform_remote_state.network.outputs.logs_key_arn}"
        assert group["retention_in_days"] == data.environment.data.log_days


def test_documentdb_writes_the_logs_that_it_exports(data: Root) -> None:
    parameters = {
        each["name"]: each["value"]
        for each in data["aws_docdb_cluster_parameter_group.documentdb"]["parameter"]
    }
    assert parameters["audit_logs"] == parameters["profiler"] == "enabled"


# Availability


def test_replicas_are_in_different_zones_and_created_in_sequence(data: Root) -> None:
    replicas = {name: each for name, each in instances(data).items() if name != "postgres"}
    zones = [each["availability_zone"] for each in replicas.values()]
    assert len(set(zones)) == min(len(zones), len(data.environment.network.zones))
    for earlier, later in zip(list(replicas), list(replicas)[1:], strict=False):
        assert f"aws_db_instance.{earlier}" in replicas[later]["depends_on"]


def test_a_replica_omits_arguments_of_the_primary(data: Root) -> None:
    inherited = {"engine", "engine_version", "username", "password_wo", "db_name", "allocated_storage"}
    inherited |= {"manage_master_user_password", "backup_retention_period", "db_subnet_group_name"}
    for name, instance in instances(data).items():
        if name != "postgres":
            assert instance["replicate_source_db"] == "${aws_db_instance.postgres.identifier}"
            assert instance["skip_final_snapshot"] is True
            assert not inherited & instance.keys()


def test_redis_and_documentdb_survive_the_loss_of_a_zone(data: Root) -> None:
    for group in data.all("aws_elasticache_replication_group").values():
        assert group["automatic_failover_enabled"] is group["multi_az_enabled"] is True
        assert len(group["preferred_cache_cluster_azs"]) == group["num_cache_clusters"]
        assert group["num_cache_clusters"] == data.environment.data.redis.nodes
        assert len(set(group["preferred_cache_cluster_azs"])) == len(data.environment.network.zones)
        assert "num_node_groups" not in group  # no cluster mode, which brokers cannot use
    members = data.all("aws_docdb_cluster_instance")
    assert len({member["availability_zone"] for member in members.values()}) == len(
        data.environment.network.zones
    )
    instances = data.environment.data.documentdb.instances
    assert [member["promotion_tier"] for member in members.values()] == list(range(instances))
    assert "availability_zones" not in data["aws_docdb_cluster.documentdb"]  # would replace it in every plan


def test_one_redis_node_has_no_failover(variant: Variant) -> None:
    group = variant(data={"redis": {"nodes": 1}})["data"]["aws_elasticache_replication_group.redis"]
    assert group["automatic_failover_enabled"] is group["multi_az_enabled"] is False


# Queues


def policies(data: Root) -> dict[str, str]:
    policies_by_name = {}
    for name, group in data.all("aws_elasticache_parameter_group").items():
        [policies_by_name[name]] = [e["value"] for e in group["parameter"] if e["name"] == "maxmemory-policy"]
    return policies_by_name


def test_a_full_memory_never_evicts_queued_tasks(variant: Variant, data: Root) -> None:
    assert policies(data) == {"redis": "volatile-lru"}
    apart = variant(data={"redis": {"separate_broker": True}})["data"]
    assert policies(apart) == {"redis": "allkeys-lru", "broker": "noeviction"}
    outputs = apart.body["output"]
    assert "replication_group.broker." in outputs["redis_broker_primary_endpoint"]["value"]
    assert "replication_group.redis." in outputs["redis_primary_endpoint"]["value"]


def test_separating_the_broker_does_not_change_the_cache(variant: Variant) -> None:
    before, after = variant()["data"], variant(data={"redis": {"separate_broker": True}})["data"]
    changed = {address: keys for address, keys in difference(before, after).items() if keys is not None}
    assert changed == {"aws_elasticache_parameter_group.redis": {"parameter"}}


# Deletion


def test_deletion_protection_follows_the_spec(data: Root) -> None:
    protected = data.environment.protection
    holders = ["aws_db_instance.postgres", "aws_docdb_cluster.documentdb"]
    for address in holders:
        assert data[address]["deletion_protection"] is protected
    for address in [
        *holders,
        "aws_elasticache_replication_group.redis",
        "aws_secretsmanager_secret.postgres",
        *(f"aws_kms_key.{name}" for name in data.all("aws_kms_key")),
    ]:
        guard = data[address].get("lifecycle", {}).get("prevent_destroy", False)
        assert guard is protected, address
    assert data["aws_secretsmanager_secret.postgres"]["recovery_window_in_days"] == (30 if protected else 0)


def test_final_snapshot_names_are_unique_by_generation(variant: Variant) -> None:
    names = []
    for generation in (1, 2):
        root = variant(data={"generation": generation})["data"]
        for address in ("aws_db_instance.postgres", "aws_docdb_cluster.documentdb"):
            assert root[address]["skip_final_snapshot"] is False
            names.append(root[address]["final_snapshot_identifier"])
        names.append(root["aws_elasticache_replication_group.redis"]["final_snapshot_identifier"])
    assert len(set(names)) == len(names) == 6


def test_databases_have_the_backup_tag(data: Root) -> None:
    tag = f"{data.environment.project}-{data.environment.environment}"
    tagged = {f"{k}.{name}" for k, name, a in data.each() if a.get("tags", {}).get("Backup") == tag}
    assert tagged == {"aws_db_instance.postgres", "aws_docdb_cluster.documentdb"}


def test_settings_that_aws_backup_changes_are_ignored_in_plans(data: Root) -> None:
    ignored = data["aws_db_instance.postgres"]["lifecycle"]["ignore_changes"]
    assert ignored == ["backup_retention_period", "backup_window"]


# Changes


def test_more_storage_only_changes_the_instance(variant: Variant) -> None:
    before, after = variant()["data"], variant(data={"postgres": {"storage_gb": 200}})["data"]
    assert difference(before, after) == {"aws_db_instance.postgres": {"allocated_storage"}}


def test_an_added_replica_only_adds_itself_and_its_logs(variant: Variant) -> None:
    before, after = variant()["data"], variant(data={"postgres": {"replicas": 3}})["data"]
    assert difference(before, after) == dict.fromkeys(
        [
            "aws_db_instance.replica_3",
            "aws_cloudwatch_log_group.replica_3_postgresql",
            "aws_cloudwatch_log_group.replica_3_upgrade",
        ]
    )


def test_an_added_documentdb_instance_only_adds_itself(variant: Variant) -> None:
    before, after = variant()["data"], variant(data={"documentdb": {"instances": 4}})["data"]
    assert difference(before, after) == {"aws_docdb_cluster_instance.instance_4": None}


def test_an_added_zone_moves_no_instance(variant: Variant) -> None:
    before = variant(network={"zones": ["a", "b", "c"]})["data"]
    after = variant(network={"zones": ["a", "b", "c", "d"]})["data"]
    assert difference(before, after) == {}


def test_a_minor_version_in_the_spec_is_pinned(variant: Variant) -> None:
    following = variant(data={"postgres": {"version": "17"}})["data"]
    staying = variant(data={"postgres": {"version": "17.9"}})["data"]
    for root, moves in ((following, True), (staying, False)):
        assert {each["auto_minor_version_upgrade"] for each in instances(root).values()} == {moves}
        assert root["aws_db_parameter_group.postgres"]["family"] == "postgres17"


def test_new_parameter_groups_are_created_before_old_ones_are_deleted(data: Root) -> None:
    kinds = ("aws_db_parameter_group", "aws_docdb_cluster_parameter_group", "aws_elasticache_parameter_group")
    for kind in kinds:
        for group in data.all(kind).values():
            assert group["lifecycle"] == {"create_before_destroy": True}
            # ElastiCache has no name prefixes: the version in the name keeps old and new names different.
            assert group.get("name", group["family"]).endswith(group["family"])


def test_without_replicas_there_is_no_replica_parameter_group(variant: Variant) -> None:
    root = variant(data={"postgres": {"replicas": 0}})["data"]
    assert set(instances(root)) == {"postgres"}
    assert set(root.all("aws_db_parameter_group")) == {"postgres"}
    assert root.body["output"]["postgres_reader_endpoints"]["value"] == {}


def test_only_burstable_documentdb_lacks_performance_insights(variant: Variant) -> None:
    small = variant(data={"documentdb": {"instance_class": "db.t4g.medium"}})["data"]
    large = variant()["data"]
    for root, on in ((small, False), (large, True)):
        members = root.all("aws_docdb_cluster_instance").values()
        assert {member["enable_performance_insights"] for member in members} == {on}


# Names

LONGEST = {"project": "a" * 16, "environment": "b" * 12}
# From the API reference: letters, digits and single hyphens, a letter first, within these lengths.
LENGTHS = {
    "identifier": 63,
    "cluster_identifier": 63,
    "replication_group_id": 40,
    "user_id": 40,
    "user_group_id": 40,
    "final_snapshot_identifier": 255,
}


@pytest.mark.parametrize("names", [LONGEST, {"project": "ab", "environment": "cd"}])
def test_identifiers_are_valid_for_any_project_name(variant: Variant, names: dict[str, str]) -> None:
    settings = {"postgres": {"replicas": 15}, "redis": {"separate_broker": True}, "generation": 9999}
    root = variant(**names, data={**settings, "documentdb": {"instances": 16}})["data"]
    identifiers = [
        (argument, kind, arguments[argument])
        for kind, _, arguments in root.each()
        for argument in LENGTHS.keys() & arguments.keys()
        if not arguments[argument].startswith("${")
    ]
    assert len(identifiers) == len(set(identifiers)) >= 30
    for argument, _, value in identifiers:
        assert re.fullmatch(r"[a-z](-?[a-z0-9])*", value), value
        assert len(value) <= LENGTHS[argument], value
        assert value.startswith(f"{names['project']}-{names['environment']}-"), value  # no name was truncated


# The spec


def test_default_classes_are_available() -> None:
    data = Data()
    assert data.postgres.major in catalog.POSTGRES
    assert data.postgres.instance_class in catalog.postgres_classes()
    assert data.redis.version in catalog.CACHES[data.redis.engine]
    assert data.redis.node_type in catalog.redis_nodes()
    assert data.documentdb.version in catalog.DOCUMENTDB
    assert data.documentdb.instance_class in catalog.documentdb_classes()


def test_every_family_of_the_catalog_exists_at_ec2() -> None:
    names = {f"db.{family}" for family in catalog.POSTGRES_FAMILIES}
    assert set(catalog.families(catalog.postgres_classes())) == names
    names = {f"db.{family}" for family in catalog.DOCUMENTDB_FAMILIES}
    assert set(catalog.families(catalog.documentdb_classes())) == names


def test_classes_that_only_ec2_has_are_not_offered() -> None:
    assert not {"db.t4g.nano", "db.m6g.medium", "db.m7i.metal-24xl"} & catalog.postgres_classes()
    assert "db.t4g.small" not in catalog.documentdb_classes()
    assert {"cache.t4g.micro", "cache.r7g.16xlarge"} <= catalog.redis_nodes()
    assert not {"cache.t2.micro", "cache.m3.large"} & catalog.redis_nodes()


@pytest.mark.parametrize(
    ("daily", "weekly", "meet"),
    [
        ("00:30-01:30", "sun:09:00-sun:10:00", False),
        ("09:00-09:30", "sun:09:30-sun:10:00", False),
        ("09:00-09:31", "sun:09:30-sun:10:00", True),
        ("23:30-00:30", "mon:00:00-mon:01:00", True),
        ("00:00-00:30", "sun:23:45-mon:00:15", True),
        ("12:00-12:30", "sun:13:00-mon:12:00", False),
        ("12:00-12:30", "sun:12:15-mon:12:00", True),
    ],
)
def test_windows_overlap_across_midnight_and_the_end_of_the_week(daily: str, weekly: str, meet: bool) -> None:
    assert overlap(daily, weekly) is meet


def test_outputs_have_arns_of_secrets_but_no_values(data: Root) -> None:
    text = json.dumps(data.body["output"])
    assert "secret_string" not in text
    assert "password" not in re.sub(r'"description": "[^"]*"', "", text)
    assert data.body["output"]["documentdb_secret_arn"]["value"] == (
        "${aws_secretsmanager_secret.documentdb.arn}"
    )
