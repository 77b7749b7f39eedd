"""PostgreSQL: a primary with its standby in another zone, and read replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.db_instance import DbInstance
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret

from modules.data.keys import Keys
from modules.data.logs import log_groups
from modules.data.monitoring import monitoring
from modules.data.outputs import PORTS
from modules.data.parameters import primary_parameters, replica_parameters
from modules.data.password import password
from modules.data.placement import final_snapshot, in_turn
from modules.data.postgres_spec import Postgres as Settings
from modules.network.outputs import NetworkOutputs
from tierra.terraform.stack import Stack

ROLE = "postgres"
USER = "platform"  # master user; not a name that RDS reserves
LOGS = ["postgresql", "upgrade"]
AUTHORITY = "rds-ca-rsa2048-g1"  # certificate authority, valid for 40 years
MONITORING_SECONDS = 60
INSIGHTS_DAYS = 7  # the longest retention that is free


@dataclass(frozen=True)
class Postgres:
    """`replicas` by their names in the spec."""

    primary: DbInstance
    replicas: dict[str, DbInstance]
    secret: SecretsmanagerSecret


def postgres(stack: Stack, network: NetworkOutputs, keys: Keys, settings: Settings) -> Postgres:
    """`aws_db_instance.postgres`, and `aws_db_instance.replica_1` and so on."""
    secret = password(stack, keys, ROLE, "PostgreSQL", settings.password_version)
    role, attachment = monitoring(stack)
    identifier = stack.names.of("db_identifier", ROLE)
    groups = log_groups(stack, network, ROLE, f"/aws/rds/instance/{identifier}", LOGS)
    primary = stack.add(
        DbInstance,
        ROLE,
        identifier=identifier,
        engine="postgres",
        engine_version=settings.version,
        engine_lifecycle_support="open-source-rds-extended-support-disabled",
        allow_major_version_upgrade=settings.allow_major_upgrade,
        db_name=settings.database,
        username=USER,
        password_wo=secret.value,
        password_wo_version=secret.version,
        port=PORTS["postgres"],
        allocated_storage=settings.storage_gb,
        multi_az=settings.multi_az,
        storage_encrypted=True,
        db_subnet_group_name=network.db_subnet_group_name,
        parameter_group_name=primary_parameters(stack, settings).name,
        backup_retention_period=settings.backup_days,
        backup_window=settings.backup_window,
        delete_automated_backups=not stack.environment.protection,
        deletion_protection=stack.environment.protection,
        skip_final_snapshot=not stack.environment.data.final_snapshots,
        final_snapshot_identifier=final_snapshot(stack, ROLE),
        # If a major upgrade waited for the maintenance window, the old parameter group would stay in use, and
        # deleting it at the end of the same apply would fail (InvalidDBParameterGroupState).
        apply_immediately=settings.allow_major_upgrade,
        **_shared(network, keys, settings, role.arn),
        lifecycle=_lifecycle(stack),
        depends_on=[attachment, *groups.values()],
        tags=stack.tags(ROLE, **stack.names.backup_tag),
    )
    shared = _shared(network, keys, settings, role.arn)
    replicas = _replicas(stack, network, primary, settings, shared, [attachment])
    return Postgres(primary, replicas, secret.secret)


def _shared(network: NetworkOutputs, keys: Keys, settings: Settings, monitoring_role: str) -> dict[str, Any]:
    """Arguments that the primary and its replicas share, so that a replica can replace the primary."""
    return {
        "instance_class": settings.instance_class,
        "max_allocated_storage": settings.ceiling_gb,
        "storage_type": "gp3",
        "iops": settings.iops,
        "storage_throughput": settings.throughput,
        "kms_key_id": keys.databases[ROLE].arn,
        "vpc_security_group_ids": [network.postgres_security_group_id],
        "publicly_accessible": False,
        "ca_cert_identifier": AUTHORITY,
        "iam_database_authentication_enabled": True,
        # A full version is pinned.
        "auto_minor_version_upgrade": not settings.pinned,
        "maintenance_window": settings.maintenance_window,
        "copy_tags_to_snapshot": True,
        "enabled_cloudwatch_logs_exports": LOGS,
        "monitoring_interval": MONITORING_SECONDS,
        "monitoring_role_arn": monitoring_role,
        "database_insights_mode": "standard",
        "performance_insights_enabled": True,
        "performance_insights_kms_key_id": keys.databases[ROLE].arn,
        "performance_insights_retention_period": INSIGHTS_DAYS,
    }


def _replicas(
    stack: Stack,
    network: NetworkOutputs,
    primary: DbInstance,
    settings: Settings,
    shared: dict[str, Any],
    after: list[Any],
) -> dict[str, DbInstance]:
    """One after the other, because RDS copies the primary for each. They have no data of their own, so they
    are not protected: removing one from the spec deletes it. Their storage follows that of the primary.

    RDS requires a minor version on the replicas before the primary. It upgrades them to a major version
    itself, after the primary: until then they keep their parameter group.
    docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html
    """
    result: dict[str, DbInstance] = {}
    names = settings.replica_names
    upgrading = TerraformResourceLifecycle(ignore_changes=["parameter_group_name"])
    parameters = replica_parameters(stack, settings).name if names else ""
    for name, zone in zip(names, in_turn(network, len(names)), strict=True):
        identifier = stack.names.of("db_identifier", f"{ROLE}-{name.replace('_', '-')}")
        folder = f"/aws/rds/instance/{identifier}"
        groups = log_groups(stack, network, name, folder, LOGS, protected=False)
        result[name] = stack.add(
            DbInstance,
            name,
            identifier=identifier,
            replicate_source_db=primary.identifier,
            engine_version=settings.replica_version,
            availability_zone=zone,
            parameter_group_name=parameters,
            storage_encrypted=True,
            skip_final_snapshot=True,  # RDS creates none for a replica
            apply_immediately=False,
            **shared,
            lifecycle=upgrading if settings.allow_major_upgrade else None,
            depends_on=[*after, *groups.values(), *list(result.values())[-1:]],
            tags=stack.tags(f"{ROLE}-{name.replace('_', '-')}"),
        )
    return result


def _lifecycle(stack: Stack) -> TerraformResourceLifecycle:
    """AWS Backup sets retention and window from its first night on, and RDS then refuses other values."""
    return TerraformResourceLifecycle(
        prevent_destroy=stack.environment.protection or None,
        ignore_changes=["backup_retention_period", "backup_window"],
    )
