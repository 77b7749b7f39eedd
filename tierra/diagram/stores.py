"""Boxes of data: databases by zone, buckets, backups, secrets, keys."""

from __future__ import annotations

from itertools import zip_longest

from tierra.diagram.boxes import backed_up, groups_of, lasting, listed, make, named, summary
from tierra.diagram.graph import Box, Mark
from tierra.diagram.network import zone_of
from tierra.diagram.terraform import Resource, Terraform


def databases(terraform: Terraform) -> list[Box]:
    """A row for each, and for each volume: its own box, and its instances by zone."""
    return [*_postgres(terraform), *_redis(terraform), *_documentdb(terraform), *_volumes(terraform)]


def _engine(main: Box, instances: list[Box]) -> Box:
    return Box(f"row/{main.id}", "engine", main.title, boxes=(main, *instances))


def _postgres(terraform: Terraform) -> list[Box]:
    instances = terraform.all("aws_db_instance")
    related = terraform.all(
        "aws_db_parameter_group", "aws_db_subnet_group", "aws_secretsmanager_secret", tier="data"
    )
    boxes = []
    for primary in instances:
        if primary.values.get("replicate_source_db"):
            continue
        values = primary.values
        notes = [
            f"primary, {values['instance_class']}, {values['allocated_storage']} GB",
            "standby in a second zone" if values.get("multi_az") else "",
            backed_up(terraform, primary),
        ]
        title = f"PostgreSQL {values['engine_version']}"
        groups = groups_of(terraform, primary)
        main = make("postgres", title, [primary], [*related, *groups], notes=notes)
        boxes.append(
            _engine(
                main, [_replica(terraform, replica) for replica in _replicas(terraform, primary, instances)]
            )
        )
    return boxes


def _replicas(terraform: Terraform, primary: Resource, instances: list[Resource]) -> list[Resource]:
    known = {primary.address, primary.values.get("identifier")}
    return [
        instance for instance in instances if known & set(terraform.followed(instance, "replicate_source_db"))
    ]


def _replica(terraform: Terraform, replica: Resource) -> Box:
    title = replica.name.replace("_", " ")
    size = replica.values["instance_class"]
    return make("postgres", title, [replica], notes=[size], zone=zone_of(terraform, replica))


def _redis(terraform: Terraform) -> list[Box]:
    boxes = []
    parameters = terraform.all("aws_elasticache_parameter_group")
    users = terraform.all("aws_elasticache_user_group", "aws_elasticache_user")
    for group in terraform.all("aws_elasticache_replication_group"):
        values = group.values
        nodes = values["num_cache_clusters"]
        days = values.get("snapshot_retention_limit")
        related = [
            resource for resource in (*parameters, *users) if resource.name == group.name or resource in users
        ]
        notes = [
            f"{named(nodes, 'node')}, {values['node_type']}",
            f"snapshots for {named(days, 'day')}" if days else "",
        ]
        engine = "Valkey" if values.get("engine") == "valkey" else "Redis"
        title = f"{engine} {values['engine_version']}" + ("" if group.name == "redis" else f", {group.name}")
        main = make("redis", title, [group], [*related, *groups_of(terraform, group)], notes=notes)
        boxes.append(_engine(main, _redis_nodes(terraform, group)))
    return boxes


def _redis_nodes(terraform: Terraform, group: Resource) -> list[Box]:
    """Nodes of their group: they are created and destroyed with it, or by a change of it."""
    now = terraform.followed(group, "preferred_cache_cluster_azs")
    was = group.before.get("preferred_cache_cluster_azs") or now
    boxes = []
    for index, (old, new) in enumerate(zip_longest(was, now), 1):
        mark = group.mark
        if mark is Mark.CHANGED:
            mark = Mark.ADDED if old is None else Mark.DESTROYED if new is None else None
            mark = mark or (Mark.CHANGED if old != new else None)
        box = Box(
            id=f"{group.address}/{index}",
            kind="redis",
            title=f"node {index}",
            notes=(group.values["node_type"],),
            zone=new or old,
            mark=mark,
            marks=((mark, 1),) if mark else (),
            forecast=group.forecast and mark is not None,
        )
        boxes.append(box)
    return boxes


def _documentdb(terraform: Terraform) -> list[Box]:
    boxes = []
    parameters = terraform.all("aws_docdb_cluster_parameter_group", "aws_docdb_subnet_group")
    for cluster in terraform.all("aws_docdb_cluster"):
        instances = [
            instance
            for instance in terraform.all("aws_docdb_cluster_instance")
            if {cluster.address, cluster.values["cluster_identifier"]}
            & set(terraform.followed(instance, "cluster_identifier"))
        ]
        notes = [named(len(lasting(instances)), "instance"), backed_up(terraform, cluster)]
        related = [*parameters, *groups_of(terraform, cluster)]
        title = f"DocumentDB {cluster.values['engine_version']}"
        main = make("documentdb", title, [cluster], related, notes=notes)
        boxes.append(
            _engine(
                main,
                [
                    make(
                        "documentdb",
                        instance.name.replace("_", " "),
                        [instance],
                        notes=[instance.values["instance_class"]],
                        zone=zone_of(terraform, instance),
                    )
                    for instance in instances
                ],
            )
        )
    return boxes


def _volumes(terraform: Terraform) -> list[Box]:
    """File systems of volumes, with a mount target in each zone."""
    boxes = []
    targets = terraform.all("aws_efs_mount_target")
    for volume in terraform.all("aws_efs_file_system"):
        mine = [
            target
            for target in targets
            if {volume.address, volume.values.get("id")} & set(terraform.followed(target, "file_system_id"))
        ]
        related = terraform.all("aws_efs_access_point", "aws_efs_file_system_policy")
        groups = groups_of(terraform, mine[0]) if mine else []
        main = make(
            "volume",
            f"Volume: {volume.name.replace('_', ' ')}",
            [volume],
            [*(resource for resource in related if resource.name == volume.name), *groups],
            notes=["shared by all pods of its system", backed_up(terraform, volume)],
        )
        zones = [make("volume", "mount target", [target], zone=zone_of(terraform, target)) for target in mine]
        boxes.append(_engine(main, zones))
    return boxes


def regional(terraform: Terraform) -> list[Box]:
    """Resources outside zones and the VPC."""
    return [
        *_buckets(terraform),
        *_backups(terraform),
        *summary(
            "secret",
            "Secrets Manager",
            terraform.all("aws_secretsmanager_secret"),
            listed(secret.name for secret in lasting(terraform.all("aws_secretsmanager_secret"))),
        ),
        *summary(
            "key",
            "KMS",
            terraform.all("aws_kms_key"),
            f"{named(len(lasting(terraform.all('aws_kms_key'))), 'key')} of our own",
        ),
        *_own(terraform),
    ]


def _own(terraform: Terraform) -> list[Box]:
    """A box for the own Terraform of a tier."""
    boxes = []
    for tier in terraform.bodies:
        mine = [resource for resource in terraform.resources if resource.own and resource.tier == tier]
        names = listed((f"{resource.type}.{resource.name}" for resource in mine), 6)
        boxes += summary("own", "Own Terraform", mine, f"{tier}: {names}", id=f"own/{tier}")
    return boxes


def _buckets(terraform: Terraform) -> list[Box]:
    boxes = []
    for bucket in terraform.all("aws_s3_bucket"):
        kinds = {
            resource.type for resource in terraform.resources if resource.type.startswith("aws_s3_bucket_")
        }
        related = [
            resource
            for resource in terraform.all(*sorted(kinds), tier=bucket.tier)
            if resource.name == bucket.name
        ]
        notes = [bucket.values.get("bucket", ""), backed_up(terraform, bucket)]
        boxes.append(make("bucket", f"S3: {bucket.name}", [bucket], related, notes=notes))
    return boxes


def _backups(terraform: Terraform) -> list[Box]:
    boxes = []
    for plan in terraform.all("aws_backup_plan"):
        rules = [f"{rule['rule_name']} for {_days(rule)} days" for rule in plan.values["rule"]]
        locked = "vault locked" if terraform.all("aws_backup_vault_lock_configuration") else ""
        kinds = ("aws_backup_selection", "aws_backup_vault", "aws_backup_vault_lock_configuration")
        related = terraform.all(*kinds, "aws_backup_vault_policy", "aws_backup_vault_notifications")
        away = [
            vault.values["region"]
            for vault in terraform.all("aws_backup_vault")
            if vault.values.get("region")
        ]
        copies = f"copies in {listed(away)}" if away else ""
        notes = [*rules, locked, copies]
        boxes.append(make("backup", "AWS Backup", [plan], related, notes=notes))
    tests = terraform.all("aws_backup_restore_testing_plan", "aws_backup_restore_testing_selection")
    return [*boxes, *summary("restore", "Restore tests", tests, listed(test.name for test in tests[:1]))]


def _days(rule: dict[str, object]) -> object:
    lifecycle = rule.get("lifecycle") or {}
    lifecycle = lifecycle[0] if isinstance(lifecycle, list) else lifecycle
    return lifecycle.get("delete_after") if isinstance(lifecycle, dict) else None
