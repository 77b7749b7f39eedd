"""DocumentDB: a cluster whose storage spans three zones, and its instances."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.docdb_cluster import DocdbCluster
from cdktf_cdktf_provider_aws.docdb_cluster_instance import DocdbClusterInstance
from cdktf_cdktf_provider_aws.docdb_cluster_parameter_group import (
    DocdbClusterParameterGroup,
    DocdbClusterParameterGroupParameter,
)
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret

from modules.data.catalog import burstable
from modules.data.documentdb_spec import DocumentDb as Settings
from modules.data.keys import Keys
from modules.data.logs import log_groups
from modules.data.outputs import PORTS
from modules.data.password import password
from modules.data.placement import final_snapshot, in_turn
from modules.network.outputs import NetworkOutputs
from tierra.terraform.stack import Stack

ROLE = "documentdb"
USER = "platform"
LOGS = ["audit", "profiler"]
AUTHORITY = "rds-ca-rsa2048-g1"
HIGHEST_TIER = 15

# Log exports require both: this parameter and the export setting of the cluster.
PARAMETERS = {
    "audit_logs": ("enabled", "immediate"),
    "profiler": ("enabled", "immediate"),
    "profiler_threshold_ms": ("100", "immediate"),
    "tls": ("enabled", "pending-reboot"),
    "ttl_monitor": ("enabled", "immediate"),
}


@dataclass(frozen=True)
class DocumentDb:
    """`instances` by their names in the spec."""

    cluster: DocdbCluster
    instances: dict[str, DocdbClusterInstance]
    secret: SecretsmanagerSecret


def documentdb(stack: Stack, network: NetworkOutputs, keys: Keys, settings: Settings) -> DocumentDb:
    """`aws_docdb_cluster.documentdb` and its instances."""
    secret = password(stack, keys, ROLE, "DocumentDB", settings.password_version)
    identifier = stack.names.of("db_identifier", ROLE)
    groups = log_groups(stack, network, ROLE, f"/aws/docdb/{identifier}", LOGS)
    cluster = stack.add(
        DocdbCluster,
        ROLE,
        cluster_identifier=identifier,
        engine="docdb",
        engine_version=settings.version,
        allow_major_version_upgrade=settings.allow_major_upgrade,
        master_username=USER,
        master_password_wo=secret.value,
        master_password_wo_version=secret.version,
        port=PORTS["documentdb"],
        db_subnet_group_name=network.docdb_subnet_group_name,
        db_cluster_parameter_group_name=_parameters(stack, settings).name,
        vpc_security_group_ids=[network.documentdb_security_group_id],
        storage_encrypted=True,
        kms_key_id=keys.databases[ROLE].arn,
        backup_retention_period=settings.backup_days,
        preferred_backup_window=settings.backup_window,
        preferred_maintenance_window=settings.maintenance_window,
        # A new password of the master user must not wait for the maintenance window, because the secret
        # changes at once. Nor must a major version: the old parameter group would stay in use, and deleting
        # it at the end of the same apply would fail. provider internal/service/docdb/cluster.go,
        # resourceClusterUpdate, sends the group with the version and waits until the cluster is available.
        apply_immediately=True,
        enabled_cloudwatch_logs_exports=LOGS,
        deletion_protection=stack.environment.protection,
        skip_final_snapshot=not stack.environment.data.final_snapshots,
        final_snapshot_identifier=final_snapshot(stack, ROLE),
        lifecycle=stack.prevent_destroy,
        depends_on=list(groups.values()),
        tags=stack.tags(ROLE, **stack.names.backup_tag),
    )
    return DocumentDb(cluster, _instances(stack, network, keys, settings, cluster), secret.secret)


def _parameters(stack: Stack, settings: Settings) -> DocdbClusterParameterGroup:
    """In the family of the version, so that an upgrade creates a new group before the old one is deleted."""
    return stack.add(
        DocdbClusterParameterGroup,
        ROLE,
        name_prefix=stack.names.prefix("parameter_group", ROLE),
        family=settings.family,
        description="DocumentDB",
        parameter=[
            DocdbClusterParameterGroupParameter(name=name, value=value, apply_method=method)
            for name, (value, method) in PARAMETERS.items()
        ],
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        tags=stack.tags(ROLE),
    )


def _instances(
    stack: Stack, network: NetworkOutputs, keys: Keys, settings: Settings, cluster: DocdbCluster
) -> dict[str, DocdbClusterInstance]:
    """The data belongs to the cluster, so instances are not protected. The first ones have the highest
    failover priority."""
    names = settings.instance_names
    # Burstable classes are for tests, and some of them lack Performance Insights.
    insights = not burstable(settings.instance_class)
    return {
        name: stack.add(
            DocdbClusterInstance,
            name,
            identifier=stack.names.of("db_identifier", f"{ROLE}-{name.replace('_', '-')}"),
            cluster_identifier=cluster.id,
            instance_class=settings.instance_class,
            availability_zone=zone,
            promotion_tier=min(position, HIGHEST_TIER),
            ca_cert_identifier=AUTHORITY,
            enable_performance_insights=insights,
            performance_insights_kms_key_id=keys.databases[ROLE].arn if insights else None,
            preferred_maintenance_window=settings.maintenance_window,
            apply_immediately=False,
            copy_tags_to_snapshot=True,
            tags=stack.tags(f"{ROLE}-{name.replace('_', '-')}"),
        )
        for position, (name, zone) in enumerate(zip(names, in_turn(network, len(names)), strict=True))
    }
