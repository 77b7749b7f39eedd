"""RDS: databases and their groups; what DocumentDB shares with it."""

from __future__ import annotations

import re

from rehearsal.refusals.documents import trusted
from rehearsal.refusals.rules import (
    CREATE,
    DELETE,
    Rule,
    changed,
    find_object,
    foreign_groups,
    networks,
    others,
    region_of,
    texts,
    used_by,
    windows_overlap,
    zones,
)
from tierra.aws.transition_answers import Around, Values

DATABASE, CLUSTER, DOCUMENTS = "aws_db_instance", "aws_rds_cluster", "aws_docdb_cluster"
CLUSTERS = (CLUSTER, DOCUMENTS, "aws_neptune_cluster")
INSTANCES = ("aws_rds_cluster_instance", "aws_docdb_cluster_instance", "aws_neptune_cluster_instance")
SUBNET_GROUPS = ("aws_db_subnet_group", "aws_docdb_subnet_group", "aws_neptune_subnet_group")
PARAMETERS = (
    "aws_db_parameter_group",
    "aws_rds_cluster_parameter_group",
    "aws_docdb_cluster_parameter_group",
)
# Source: API rds, CreateDBInstance, Engine.
ENGINES = {
    *("aurora-mysql", "aurora-postgresql", "db2-ae", "db2-se", "mariadb", "mysql", "postgres"),
    *("oracle-ee", "oracle-ee-cdb", "oracle-se2", "oracle-se2-cdb", "sqlserver-dev-ee"),
    *("custom-oracle-ee", "custom-oracle-ee-cdb", "custom-oracle-se2", "custom-oracle-se2-cdb"),
    *("custom-sqlserver-ee", "custom-sqlserver-se", "custom-sqlserver-web", "custom-sqlserver-dev"),
    *("sqlserver-ee", "sqlserver-se", "sqlserver-ex", "sqlserver-web"),
    *("docdb", "neptune"),
}
FAMILY = re.compile(
    r"(postgres\d+|postgres9\.\d|mysql\d\.\d|mariadb\d+\.\d+|aurora[\w.-]*|docdb\d\.\d|neptune[\d.]+|oracle-.+"
    r"|sqlserver-.+|custom-.+|db2-.+)"
)
# Parameters that a server reads when it starts only. Source: PostgreSQL 17, views-pg-settings.html, context
# postmaster; page AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html.
STATIC = {
    *("autovacuum_freeze_max_age", "autovacuum_max_workers", "huge_pages", "max_connections"),
    *("max_locks_per_transaction", "max_prepared_transactions", "max_replication_slots", "max_wal_senders"),
    *("max_worker_processes", "rds.logical_replication", "shared_buffers", "shared_preload_libraries"),
    *("superuser_reserved_connections", "track_activity_query_size", "wal_buffers"),
}
# Source: page AmazonRDS/latest/UserGuide/CHAP_Storage.html, minimum sizes.
LEAST_GB = 20


def subnet_zones(_was: Values, now: Values, around: Around) -> str:
    subnets = now.get("subnet_ids")
    if len(networks(around, subnets)) > 1:
        return (
            "InvalidSubnet: The requested subnet is invalid, or multiple subnets were requested that are not"
            " all in a common VPC."
        )
    here = sorted(set(zones(around, subnets) or []))
    if len(here) == 1:
        return (
            "DBSubnetGroupDoesNotCoverEnoughAZs: The DB subnet group doesn't meet Availability Zone (AZ)"
            f" coverage requirement. Current AZ coverage: {here[0]}. Add subnets to cover at least 2 AZs."
        )
    return ""


def groups_network(was: Values, now: Values, around: Around) -> str:
    group = find_object(around, SUBNET_GROUPS, "name", now.get("db_subnet_group_name"))
    vpcs = networks(around, group and group.get("subnet_ids"))
    if not changed(was, now, "vpc_security_group_ids", "db_subnet_group_name"):
        return ""
    for _, its in foreign_groups(around, now.get("vpc_security_group_ids"), vpcs):
        return (
            "InvalidParameterCombination: The DB instance and EC2 security group are in different VPCs. The"
            " DB"
            f" instance is in {min(vpcs)} and the EC2 security group is in {its}"
        )
    return ""


def same_database(_was: Values, now: Values, around: Around) -> str:
    """Databases of RDS, DocumentDB and Neptune share their names."""
    name = now.get("identifier")
    for type_name in (DATABASE, *INSTANCES):
        for database in others(around, type_name, now):
            if isinstance(name, str) and name and str(database.get("identifier")).lower() == name.lower():
                return "DBInstanceAlreadyExists: DB instance already exists"
    return ""


def same_cluster(_was: Values, now: Values, around: Around) -> str:
    name = now.get("cluster_identifier")
    for type_name in CLUSTERS:
        for cluster in others(around, type_name, {**now, "id": None}):
            if isinstance(name, str) and name and cluster.get("cluster_identifier") == name:
                return "DBClusterAlreadyExistsFault: DB Cluster already exists"
    return ""


def monitoring(was: Values, now: Values, around: Around) -> str:
    interval, role = now.get("monitoring_interval"), now.get("monitoring_role_arn")
    if not isinstance(interval, int) or not changed(was, now, "monitoring_interval", "monitoring_role_arn"):
        return ""
    if interval > 0 and not texts(role):
        return (
            "InvalidParameterCombination: A MonitoringRoleARN value is required if you specify a"
            " MonitoringInterval value other than 0."
        )
    if interval > 0 and not trusted(around, role, "monitoring.rds.amazonaws.com"):
        return (
            "InvalidParameterValue: IAM role ARN value is invalid or does not include the required"
            " permissions"
            " for: ENHANCED_MONITORING"
        )
    return ""


def backup_window(was: Values, now: Values, _around: Around) -> str:
    daily = now.get("backup_window") or now.get("preferred_backup_window")
    weekly = now.get("maintenance_window") or now.get("preferred_maintenance_window")
    names = ("backup_window", "preferred_backup_window", "maintenance_window", "preferred_maintenance_window")
    if not changed(was, now, *names) or not windows_overlap(daily, weekly):
        return ""
    return "InvalidParameterValue: The backup window and maintenance window must not overlap."


def reserved_name(_was: Values, now: Values, _around: Around) -> str:
    for argument, noun in (("username", "MasterUsername"), ("db_name", "DBName")):
        name = now.get(argument)
        words = {"username": {"admin", "rdsadmin"}, "db_name": {"rdsadmin", "template0", "template1"}}[
            argument
        ]
        if now.get("engine") == "postgres" and isinstance(name, str) and name.lower() in words:
            return (
                f"InvalidParameterValue: {noun} {name} cannot be used as it is a reserved word used by the"
                " engine"
            )
    return ""


def database_name(_was: Values, now: Values, _around: Around) -> str:
    name = now.get("db_name")
    if now.get("engine") not in ("postgres", "mysql", "mariadb") or not isinstance(name, str) or not name:
        return ""
    pattern = r"[A-Za-z_]\w{0,62}" if now.get("engine") == "postgres" else r"[A-Za-z]\w{0,63}"
    if re.fullmatch(pattern, name, re.ASCII):
        return ""
    return "InvalidParameterValue: DBName must begin with a letter and contain only alphanumeric characters."


def password(_was: Values, now: Values, _around: Around) -> str:
    word = next((now[name] for name in ("password", "master_password") if isinstance(now.get(name), str)), "")
    if not word or not re.search(r"[/@\" ]|[^ -~]", word):
        return ""
    return (
        "InvalidParameterValue: The parameter MasterUserPassword is not a valid password. Only printable"
        " ASCII"
        " characters besides '/', '@', '\"', ' ' may be used."
    )


def engine(_was: Values, now: Values, _around: Around) -> str:
    name = now.get("engine")
    unknown = isinstance(name, str) and name and name not in ENGINES
    return "InvalidParameterValue: Invalid DB engine" if unknown else ""


def instance_class(was: Values, now: Values, _around: Around) -> str:
    name = now.get("instance_class")
    refused = isinstance(name, str) and name and not name.startswith("db.")
    if not refused or not changed(was, now, "instance_class"):
        return ""
    return f"InvalidParameterValue: Invalid DB Instance class: {name}"


def family(_was: Values, now: Values, _around: Around) -> str:
    name = now.get("family")
    if not isinstance(name, str) or not name or FAMILY.fullmatch(name):
        return ""
    return f"InvalidParameterValue: ParameterGroupFamily {name} is not a valid parameter group family"


def storage(_was: Values, now: Values, _around: Around) -> str:
    size, kind = now.get("allocated_storage"), now.get("storage_type")
    small = isinstance(size, int) and 0 < size < LEAST_GB and kind in ("gp2", "gp3")
    if (
        not small
        or now.get("engine") not in ("postgres", "mysql", "mariadb")
        or texts(now.get("replicate_source_db"))
    ):
        return ""
    if texts(now.get("snapshot_identifier")) or (kind == "gp2" and isinstance(size, int) and size >= 5):
        return ""
    engine = f"Invalid storage size for engine name {now['engine']} and storage type {kind}: {size}"
    return f"InvalidParameterValue: {engine}"


def static_parameters(_was: Values, now: Values, _around: Around) -> str:
    listed = now.get("parameter")
    if not str(now.get("family")).startswith("postgres"):
        return ""
    for parameter in listed if isinstance(listed, list) else []:
        if (
            isinstance(parameter, dict)
            and parameter.get("name") in STATIC
            and parameter.get("apply_method") == "immediate"
        ):
            return "InvalidParameterCombination: cannot use immediate apply method for static parameter"
    return ""


def source_backups(_was: Values, now: Values, around: Around) -> str:
    name = now.get("replicate_source_db")
    source = find_object(around, DATABASE, "identifier", name) or find_object(around, DATABASE, "arn", name)
    if source is None or source.get("backup_retention_period") != 0:
        return ""
    return (
        "InvalidDBInstanceState: Automated backups are not enabled for this database instance. To enable"
        " automated backups, use ModifyDBInstance to set the backup retention period to a non-zero value."
    )


def key_region(was: Values, now: Values, around: Around) -> str:
    arn, own = now.get("kms_key_id"), now.get("region")
    key = find_object(around, ("aws_kms_key", "aws_kms_replica_key"), "arn", arn)
    away = bool(region_of(arn)) and isinstance(own, str) and region_of(arn) != own
    off = key is not None and (key.get("is_enabled") is False or key.get("enabled") is False)
    if not (away or off) or not changed(was, now, "kms_key_id"):
        return ""
    return (
        f"KMSKeyNotAccessibleFault: The specified KMS key [{arn}] does not exist, is not enabled or you do"
        " not"
        " have permissions to access it."
    )


def version_of_option_group(_was: Values, now: Values, around: Around) -> str:
    group = find_object(around, "aws_db_option_group", "name", now.get("option_group_name"))
    own, its = now.get("engine"), group and group.get("engine_name")
    if not isinstance(own, str) or not isinstance(its, str) or own == its:
        return ""
    return (
        f"InvalidParameterCombination: The option group {now['option_group_name']} is for engine {its}, and"
        " the"
        f" DB instance is of engine {own}"
    )


def replica_subnets(_was: Values, now: Values, around: Around) -> str:
    source = find_object(around, DATABASE, "identifier", now.get("replicate_source_db"))
    both = [
        find_object(around, SUBNET_GROUPS, "name", database and database.get("db_subnet_group_name"))
        for database in (source, now)
    ]
    vpcs = [networks(around, group and group.get("subnet_ids")) for group in both]
    if not all(vpcs) or vpcs[0] == vpcs[1] or source is None:
        return ""
    return (
        "InvalidVPCNetworkStateFault: A read replica in the region of its source must be in the same VPC:"
        f" {now['db_subnet_group_name']} is not"
    )


API = "API rds, "


def zone_and_standby(_was: Values, now: Values, _around: Around) -> str:
    if now.get("multi_az") is not True or not texts(now.get("availability_zone")):
        return ""
    return (
        "InvalidParameterCombination: Requesting a specific availability zone is not valid for Multi-AZ"
        " instances."
    )


def documentdb_user(was: Values, now: Values, _around: Around) -> str:
    name = now.get("master_username")
    if str(name).lower() != "admin" or not changed(was, now, "master_username"):
        return ""
    return (
        f"InvalidParameterValue: MasterUsername {name} cannot be used as it is a reserved word used by the"
        " engine"
    )


RULES = (
    Rule(
        "subnet_zones",
        SUBNET_GROUPS,
        "the subnets of a subnet group must be in the same VPC, in at least two zones",
        API + "CreateDBSubnetGroup, DBSubnetGroupDoesNotCoverEnoughAZs, InvalidSubnet",
        subnet_zones,
    ),
    Rule(
        "database_groups",
        (DATABASE, *CLUSTERS),
        "security groups and subnet group of a database must be in the same VPC",
        "terraform-aws-modules/terraform-aws-rds#344 quotes the answer",
        groups_network,
    ),
    Rule(
        "same_database",
        (DATABASE, *INSTANCES),
        "names of instances of RDS, DocumentDB and Neptune must be unique",
        API + "CreateDBInstance, DBInstanceAlreadyExists; DBInstanceIdentifier: unique for the account",
        same_database,
        CREATE,
    ),
    Rule(
        "same_database_cluster",
        CLUSTERS,
        "names of clusters of RDS, DocumentDB and Neptune must be unique",
        API + "CreateDBCluster, DBClusterAlreadyExistsFault",
        same_cluster,
        CREATE,
    ),
    Rule(
        "monitoring",
        (DATABASE, *INSTANCES[:1]),
        "enhanced monitoring requires a role that monitoring.rds.amazonaws.com can assume",
        API + "CreateDBInstance, MonitoringInterval, MonitoringRoleArn",
        monitoring,
    ),
    Rule(
        "backup_window",
        (DATABASE, *CLUSTERS),
        "backup window and maintenance window must not overlap",
        API + "CreateDBInstance, PreferredBackupWindow: must not conflict with the maintenance window",
        backup_window,
    ),
    Rule(
        "reserved_name",
        (DATABASE,),
        "user and database must not have a name that PostgreSQL reserves",
        API + "CreateDBInstance, MasterUsername: can't be a reserved word for the engine",
        reserved_name,
        CREATE,
    ),
    Rule(
        "database_name",
        (DATABASE,),
        "the name of a database must consist of letters, digits and underscores",
        API + "CreateDBInstance, DBName",
        database_name,
        CREATE,
    ),
    Rule(
        "password",
        (DATABASE, *CLUSTERS),
        'a password must not contain `/`, `@`, `"` or a space',
        API + "CreateDBInstance, MasterUserPassword",
        password,
    ),
    Rule("engine", (DATABASE,), "the engine must exist", API + "CreateDBInstance, Engine", engine, CREATE),
    Rule(
        "instance_class",
        (DATABASE, *INSTANCES),
        "an instance class must begin with `db.`",
        API + "CreateDBInstance, DBInstanceClass",
        instance_class,
    ),
    Rule(
        "family",
        PARAMETERS,
        "the family of a parameter group must be one of an engine",
        "aws-cloudformation/cloudformation-coverage-roadmap#703 quotes the answer",
        family,
        CREATE,
    ),
    Rule(
        "storage",
        (DATABASE,),
        f"gp3 storage must have at least {LEAST_GB} GiB",
        API + "CreateDBInstance, AllocatedStorage",
        storage,
        CREATE,
    ),
    Rule(
        "static_parameters",
        PARAMETERS[:1],
        "static parameters of PostgreSQL must be applied at a restart, not at once",
        API + "ModifyDBParameterGroup, Parameters: immediate for dynamic parameters only",
        static_parameters,
    ),
    Rule(
        "source_backups",
        (DATABASE,),
        "the source of a replica must have automated backups",
        API + "CreateDBInstanceReadReplicaMessage, SourceDBInstanceIdentifier",
        source_backups,
        CREATE,
    ),
    Rule(
        "replica_subnets",
        (DATABASE,),
        "a replica must be in the VPC of its source",
        API + "CreateDBInstanceReadReplica, DBSubnetGroupName",
        replica_subnets,
        CREATE,
    ),
    Rule(
        "key_region",
        (DATABASE, *CLUSTERS),
        "the KMS key of a database must be in its region and enabled",
        API + "CreateDBInstance, KMSKeyNotAccessibleFault",
        key_region,
    ),
    Rule(
        "option_group",
        (DATABASE,),
        "an option group must be for the engine of the database",
        API + "CreateOptionGroup, EngineName",
        version_of_option_group,
    ),
    Rule(
        "subnet_group_used",
        SUBNET_GROUPS,
        "a subnet group in use must not be deleted",
        API + "DeleteDBSubnetGroup, InvalidDBSubnetGroupStateFault",
        used_by(
            (
                (DATABASE, "db_subnet_group_name"),
                *((cluster, "db_subnet_group_name") for cluster in CLUSTERS),
            ),
            "name",
            "InvalidDBSubnetGroupStateFault: Cannot delete the subnet group '{name}' because at least one"
            " database instance: {user} is still using it.",
        ),
        DELETE,
    ),
    Rule(
        "zone_and_standby",
        (DATABASE,),
        "a database with a standby must not name a zone",
        "API rds, CreateDBInstanceMessage, AvailabilityZone",
        zone_and_standby,
        CREATE,
    ),
    Rule(
        "documentdb_user",
        ("aws_docdb_cluster",),
        "the master user of DocumentDB must not be named admin",
        "API docdb, CreateDBClusterMessage, MasterUsername: no reserved word; aws/aws-cdk#13295 quotes the"
        " answer",
        documentdb_user,
    ),
)
