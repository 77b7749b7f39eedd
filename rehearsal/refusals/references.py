"""Objects that a reference names must exist: by type and argument, the possible objects and AWS's error.

The rehearsed account contains what the rehearsal created, what data sources returned, and what
REHEARSAL_EXISTS names. Names of AWS's own, such as default groups and keys, and ARNs of other accounts are
not checked.

Sources: botocore's models list the code among the errors of the operation; those of EC2 are listed in
AWSEC2/latest/APIReference/errors-overview.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from rehearsal.outside import OUTSIDE, OWNER, matches
from rehearsal.refusals.rules import Answer, Rule, texts
from tierra.aws.transition_answers import Around, Values

EC2 = "page AWSEC2/latest/APIReference/errors-overview.html, "
REMEDY = "If it exists outside the rehearsal, name it in REHEARSAL_EXISTS."
# Names that AWS has in every account.
OWN = re.compile(r"default([.:].*)?|Default|alias/aws/.*|arn:[^:]*:iam::aws:.*")


class Kind(NamedTuple):
    """Objects that others name. `holders` are types with the argument that contains the name or id;
    `description` is the rule in words."""

    holders: tuple[str, ...]
    description: str


class Reference(NamedTuple):
    """The arguments `of`, as type.argument, name an object of a kind; `code` is AWS's when it is not there.
    `operation` is botocore's, as service and name; without one, the code is of EC2's list. `begins` limits
    the values that are checked."""

    kind: str
    of: tuple[str, ...]
    code: str
    operation: str = ""
    words: str = "{value} does not exist."
    begins: str = ""


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f"aws_{prefix}{name}" for name in names for prefix in ("", "default_"))


KINDS = {
    "vpc": Kind(_both("vpc.id"), "the VPC that an object names must exist"),
    "subnet": Kind(_both("subnet.id"), "the subnet that an object names must exist"),
    "address": Kind(("aws_eip.id", "aws_eip.allocation_id"), "the address of a NAT gateway must exist"),
    "internet_gateway": Kind(
        ("aws_internet_gateway.id", "aws_egress_only_internet_gateway.id", "aws_vpn_gateway.id"),
        "the internet gateway that a route names must exist",
    ),
    "nat_gateway": Kind(("aws_nat_gateway.id",), "the NAT gateway that a route names must exist"),
    "route_table": Kind(
        (
            *_both("route_table.id", "vpc.main_route_table_id", "vpc.default_route_table_id"),
            "aws_ec2_transit_gateway_route_table.id",
        ),
        "the route table that an object names must exist",
    ),
    "group": Kind(
        (
            *_both("security_group.id", "vpc.default_security_group_id"),
            "aws_eks_cluster.vpc_config.cluster_security_group_id",
            "aws_directory_service_directory.security_group_id",
        ),
        "the security group that an object names must exist",
    ),
    "network_acl": Kind(
        _both("network_acl.id", "vpc.default_network_acl_id"), "the network ACL of a rule must exist"
    ),
    "key": Kind(
        tuple(
            f"aws_kms_{name}.{argument}"
            for name in ("key", "replica_key", "external_key", "replica_external_key")
            for argument in ("key_id", "arn", "id")
        ),
        "the key of an alias must exist",
    ),
    "bucket": Kind(
        ("aws_s3_bucket.bucket", "aws_s3_bucket.id", "aws_s3_bucket.arn", "aws_s3_directory_bucket.bucket"),
        "the bucket of a setting must exist",
    ),
    "role": Kind(
        ("aws_iam_role.name", "aws_iam_role.id", "aws_iam_service_linked_role.name"),
        "the role that a policy or profile names must exist",
    ),
    "policy": Kind(("aws_iam_policy.arn",), "the managed policy that a role names must exist"),
    "parameter_group": Kind(("aws_db_parameter_group.name",), "the parameter group of a database must exist"),
    "database_subnets": Kind(
        ("aws_db_subnet_group.name", "aws_docdb_subnet_group.name", "aws_neptune_subnet_group.name"),
        "the subnet group of a database must exist",
    ),
    "database": Kind(
        ("aws_db_instance.identifier", "aws_db_instance.arn", "aws_db_instance.id"),
        "the source of a replica must exist",
    ),
    "cluster_parameters": Kind(
        ("aws_docdb_cluster_parameter_group.name",), "the parameter group of a DocumentDB cluster must exist"
    ),
    "documentdb": Kind(
        ("aws_docdb_cluster.cluster_identifier", "aws_docdb_cluster.id"),
        "the cluster of a DocumentDB instance must exist",
    ),
    "cache_parameters": Kind(
        ("aws_elasticache_parameter_group.name",), "the parameter group of a cache must exist"
    ),
    "cache_subnets": Kind(("aws_elasticache_subnet_group.name",), "the subnet group of a cache must exist"),
    "cache_users": Kind(
        ("aws_elasticache_user_group.user_group_id", "aws_elasticache_user_group.id"),
        "the user group of a cache must exist",
    ),
    "cache_user": Kind(
        ("aws_elasticache_user.user_id", "aws_elasticache_user.id"), "the users of a user group must exist"
    ),
    "secret": Kind(
        tuple(f"aws_secretsmanager_secret.{name}" for name in ("id", "arn", "name")),
        "the secret of a version, policy or rotation must exist",
    ),
    "vault": Kind(
        tuple(
            f"aws_backup_{name}.name"
            for name in ("vault", "logically_air_gapped_vault", "restore_access_vault")
        ),
        "the vault that a plan or setting names must exist",
    ),
    "file_system": Kind(
        ("aws_efs_file_system.id",), "the file system of a mount target, access point or policy must exist"
    ),
    "cluster": Kind(
        ("aws_eks_cluster.name", "aws_eks_cluster.id"), "the EKS cluster of an object must exist"
    ),
    "balancer": Kind(("aws_lb.arn", "aws_alb.arn"), "the load balancer of a listener must exist"),
    "certificate": Kind(
        (
            "aws_acm_certificate.arn",
            "aws_acm_certificate_validation.certificate_arn",
            "aws_iam_server_certificate.arn",
        ),
        "the certificate of a listener must exist",
    ),
    "zone": Kind(
        ("aws_route53_zone.zone_id", "aws_route53_zone.id"), "the hosted zone of a record must exist"
    ),
    "topic": Kind(("aws_sns_topic.arn",), "the topic of a subscription must exist"),
    "repository": Kind(
        ("aws_ecr_repository.name", "aws_ecr_repository.id"), "the repository of a policy must exist"
    ),
    "log_group": Kind(
        ("aws_cloudwatch_log_group.name", "aws_cloudwatch_log_group.id"),
        "the log group of a filter must exist",
    ),
}

_BUCKET = tuple(
    f"aws_s3_bucket_{name}.bucket"
    for name in (
        *("policy", "versioning", "lifecycle_configuration", "public_access_block", "notification"),
        *("server_side_encryption_configuration", "ownership_controls", "logging", "cors_configuration"),
        *("acl", "replication_configuration", "object_lock_configuration", "website_configuration"),
    )
)
_CLUSTER = tuple(
    f"aws_eks_{name}.cluster_name"
    for name in (
        *("node_group", "addon", "access_entry", "access_policy_association", "pod_identity_association"),
        *("fargate_profile", "identity_provider_config"),
    )
)
_VPC = (
    *("subnet", "security_group", "route_table", "internet_gateway", "vpc_endpoint", "network_acl"),
    *("flow_log", "vpc_ipv4_cidr_block_association", "egress_only_internet_gateway", "lb_target_group"),
)
REFERENCES = (
    Reference(
        "vpc",
        tuple(f"aws_{name}.vpc_id" for name in _VPC if name != "lb_target_group"),
        "InvalidVpcID.NotFound",
        words="The vpc ID '{value}' does not exist",
    ),
    Reference("vpc", ("aws_lb_target_group.vpc_id",), "ValidationError", "elbv2 CreateTargetGroup"),
    Reference(
        "subnet",
        (
            *("aws_nat_gateway.subnet_id", "aws_route_table_association.subnet_id", "aws_instance.subnet_id"),
            *("aws_network_interface.subnet_id", "aws_vpc_endpoint.subnet_ids"),
            *("aws_network_acl.subnet_ids", "aws_network_acl_association.subnet_id"),
        ),
        "InvalidSubnetID.NotFound",
        words="The subnet ID '{value}' does not exist",
    ),
    Reference("subnet", ("aws_lb.subnets",), "SubnetNotFound", "elbv2 CreateLoadBalancer"),
    Reference("subnet", ("aws_efs_mount_target.subnet_id",), "SubnetNotFound", "efs CreateMountTarget"),
    Reference(
        "address",
        ("aws_nat_gateway.allocation_id",),
        "InvalidAllocationID.NotFound",
        words="The allocation ID '{value}' does not exist",
    ),
    Reference(
        "internet_gateway",
        ("aws_route.gateway_id",),
        "InvalidInternetGatewayID.NotFound",
        words="The internetGateway ID '{value}' does not exist",
        begins="igw-",
    ),
    Reference("nat_gateway", ("aws_route.nat_gateway_id",), "InvalidNatGatewayID.NotFound", begins="nat-"),
    Reference(
        "route_table",
        (
            "aws_route.route_table_id",
            "aws_route_table_association.route_table_id",
            "aws_vpc_endpoint.route_table_ids",
        ),
        "InvalidRouteTableID.NotFound",
        words="The routeTable ID '{value}' does not exist",
    ),
    Reference(
        "group",
        (
            "aws_vpc_security_group_ingress_rule.security_group_id",
            "aws_vpc_security_group_egress_rule.security_group_id",
            "aws_security_group_rule.security_group_id",
            "aws_instance.vpc_security_group_ids",
            "aws_vpc_endpoint.security_group_ids",
        ),
        "InvalidGroup.NotFound",
        words="The security group '{value}' does not exist",
    ),
    Reference(
        "network_acl",
        ("aws_network_acl_rule.network_acl_id", "aws_network_acl_association.network_acl_id"),
        "InvalidNetworkAclID.NotFound",
        words="The networkAcl ID '{value}' does not exist",
    ),
    Reference(
        "group", ("aws_efs_mount_target.security_groups",), "SecurityGroupNotFound", "efs CreateMountTarget"
    ),
    Reference(
        "file_system", ("aws_efs_mount_target.file_system_id",), "FileSystemNotFound", "efs CreateMountTarget"
    ),
    Reference(
        "file_system", ("aws_efs_access_point.file_system_id",), "FileSystemNotFound", "efs CreateAccessPoint"
    ),
    Reference(
        "file_system",
        ("aws_efs_file_system_policy.file_system_id",),
        "FileSystemNotFound",
        "efs PutFileSystemPolicy",
    ),
    Reference("key", ("aws_kms_alias.target_key_id",), "NotFoundException", "kms CreateAlias"),
    Reference(
        "bucket", _BUCKET, "NoSuchBucket", "s3 ListObjects", "The specified bucket does not exist: {value}"
    ),
    Reference(
        "bucket",
        ("aws_s3_bucket_logging.target_bucket",),
        "InvalidTargetBucketForLogging",
        words="The target bucket for logging does not exist: {value}",
    ),
    Reference(
        "role",
        ("aws_iam_role_policy.role", "aws_iam_role_policy_attachment.role", "aws_iam_instance_profile.role"),
        "NoSuchEntity",
        "iam PutRolePolicy",
        "The role with name {value} cannot be found.",
    ),
    Reference(
        "policy",
        (
            *("aws_iam_role_policy_attachment.policy_arn", "aws_iam_role.permissions_boundary"),
            *("aws_iam_user_policy_attachment.policy_arn", "aws_iam_group_policy_attachment.policy_arn"),
        ),
        "NoSuchEntity",
        "iam AttachRolePolicy",
        "Policy {value} does not exist or is not attachable.",
    ),
    Reference(
        "parameter_group",
        ("aws_db_instance.parameter_group_name",),
        "DBParameterGroupNotFound",
        "rds CreateDBInstance",
        "DBParameterGroup not found: {value}",
    ),
    Reference(
        "database_subnets",
        (
            *("aws_db_instance.db_subnet_group_name", "aws_docdb_cluster.db_subnet_group_name"),
            "aws_rds_cluster.db_subnet_group_name",
        ),
        "DBSubnetGroupNotFoundFault",
        "rds CreateDBInstance",
        "DB subnet group '{value}' does not exist.",
    ),
    Reference(
        "database",
        ("aws_db_instance.replicate_source_db",),
        "DBInstanceNotFound",
        "rds CreateDBInstanceReadReplica",
        "DBInstance {value} not found.",
    ),
    Reference(
        "cluster_parameters",
        ("aws_docdb_cluster.db_cluster_parameter_group_name",),
        "DBClusterParameterGroupNotFound",
        "docdb CreateDBCluster",
        "DBClusterParameterGroup not found: {value}",
    ),
    Reference(
        "documentdb",
        ("aws_docdb_cluster_instance.cluster_identifier",),
        "DBClusterNotFoundFault",
        "docdb CreateDBInstance",
        "DBCluster {value} not found.",
    ),
    Reference(
        "cache_parameters",
        (
            "aws_elasticache_replication_group.parameter_group_name",
            "aws_elasticache_cluster.parameter_group_name",
        ),
        "CacheParameterGroupNotFound",
        "elasticache CreateReplicationGroup",
        "CacheParameterGroup {value} not found.",
    ),
    Reference(
        "cache_subnets",
        ("aws_elasticache_replication_group.subnet_group_name", "aws_elasticache_cluster.subnet_group_name"),
        "CacheSubnetGroupNotFoundFault",
        "elasticache CreateReplicationGroup",
        "Cache Subnet Group {value} does not exist.",
    ),
    Reference(
        "cache_users",
        ("aws_elasticache_replication_group.user_group_ids",),
        "UserGroupNotFound",
        "elasticache CreateReplicationGroup",
        "User group {value} not found.",
    ),
    Reference(
        "cache_user",
        ("aws_elasticache_user_group.user_ids",),
        "UserNotFound",
        "elasticache CreateUserGroup",
        "User {value} not found.",
    ),
    Reference(
        "secret",
        tuple(f"aws_secretsmanager_secret_{name}.secret_id" for name in ("version", "policy", "rotation")),
        "ResourceNotFoundException",
        "secretsmanager PutSecretValue",
        "Secrets Manager can't find the specified secret: {value}",
    ),
    Reference(
        "vault",
        (
            "aws_backup_plan.rule.target_vault_name",
            *(
                f"aws_backup_vault_{name}.backup_vault_name"
                for name in ("policy", "lock_configuration", "notifications")
            ),
        ),
        "ResourceNotFoundException",
        "backup PutBackupVaultAccessPolicy",
        "Backup vault {value} does not exist.",
    ),
    Reference(
        "cluster",
        _CLUSTER,
        "ResourceNotFoundException",
        "eks CreateNodegroup",
        "No cluster found for name: {value}.",
    ),
    Reference(
        "balancer",
        ("aws_lb_listener.load_balancer_arn",),
        "LoadBalancerNotFound",
        "elbv2 CreateListener",
        "Load balancer '{value}' not found",
    ),
    Reference(
        "certificate",
        ("aws_lb_listener.certificate_arn", "aws_lb_listener_certificate.certificate_arn"),
        "CertificateNotFound",
        "elbv2 CreateListener",
        "Certificate '{value}' not found",
    ),
    Reference(
        "zone",
        ("aws_route53_record.zone_id",),
        "NoSuchHostedZone",
        "route53 ChangeResourceRecordSets",
        "No hosted zone found with ID: {value}",
    ),
    Reference("topic", ("aws_sns_topic_subscription.topic_arn",), "NotFound", "sns Subscribe"),
    Reference(
        "repository",
        ("aws_ecr_repository_policy.repository", "aws_ecr_lifecycle_policy.repository"),
        "RepositoryNotFoundException",
        "ecr SetRepositoryPolicy",
        "The repository with name '{value}' does not exist in the registry",
    ),
    Reference(
        "log_group",
        (
            "aws_cloudwatch_log_metric_filter.log_group_name",
            "aws_cloudwatch_log_subscription_filter.log_group_name",
            "aws_cloudwatch_log_stream.log_group_name",
        ),
        "ResourceNotFoundException",
        "logs PutMetricFilter",
        "The specified log group does not exist: {value}",
    ),
)


def valued(values: Any, path: str) -> list[str]:
    """The known texts at a dotted path, in every block of it."""
    name, _, rest = path.partition(".")
    if not rest:
        return texts(values.get(name)) if isinstance(values, dict) else []
    nested = values.get(name) if isinstance(values, dict) else None
    return [
        text for member in (nested if isinstance(nested, list) else [nested]) for text in valued(member, rest)
    ]


def there(around: Around, holders: Iterable[str], value: str) -> bool:
    """Whether the account has an object with this name."""
    for holder in holders:
        type_name, _, path = holder.partition(".")
        if any(value in valued(object_, path) for object_ in around(type_name)):
            return True
    return matches(around(OUTSIDE), value)


def foreign(value: str, around: Around) -> bool:
    """Whether a value is AWS's own, or an ARN of another account."""
    if OWN.fullmatch(value):
        return True
    parts = value.split(":")
    return len(parts) > 5 and bool(parts[4]) and parts[4] not in {owner.get("id") for owner in around(OWNER)}


def missing(reference: Reference, path: str) -> Answer:
    def answer(was: Values, now: Values, around: Around) -> str:
        before = valued(was, path)
        for value in valued(now, path):
            checked = (
                value not in before and value.startswith(reference.begins) and not foreign(value, around)
            )
            if checked and not there(around, KINDS[reference.kind].holders, value):
                return f"{reference.code}: {reference.words.format(value=value).rstrip('.')}. {REMEDY}"
        return ""

    return answer


def _source(reference: Reference) -> str:
    service, _, operation = reference.operation.partition(" ")
    return f"API {service}, {operation}, {reference.code}" if operation else EC2 + reference.code


def _rules() -> Iterator[Rule]:
    for reference in REFERENCES:
        for argument in reference.of:
            type_name, _, path = argument.partition(".")
            yield Rule(
                f"there_{type_name.removeprefix('aws_')}_{path.replace('.', '_')}",
                (type_name,),
                KINDS[reference.kind].description,
                _source(reference),
                missing(reference, path),
            )


RULES = tuple(_rules())
