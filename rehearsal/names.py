"""Names that AWS gives away only once: by type, the arguments that name an object, and AWS's code.

An object is named within its account and region; of types without a region, and of those in GLOBAL, within
its account. A type that AWS overwrites, or answers as it stands (PutRule, CreateTopic), is not here.

Sources: the errors of the operation that creates the type in botocore's models, which a test reads; the codes
of EC2 are listed in docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html; of Route 53 in
docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from rehearsal.protocol import UNKNOWN, Object


class Name(NamedTuple):
    """`code` is AWS's; `by` names the object; `operation` is botocore's, as service and name."""

    code: str
    by: tuple[str, ...]
    operation: str = ""


_WAF = ("WAFDuplicateItemException", ("name", "scope"))
_DOCUMENTDB = ("DBParameterGroupAlreadyExists", ("name",))
_SAME_RULE = (
    *("security_group_id", "ip_protocol", "from_port", "to_port", "cidr_ipv4", "cidr_ipv6"),
    *("prefix_list_id", "referenced_security_group_id"),
)
_ROUTE = (
    "route_table_id",
    "destination_cidr_block",
    "destination_ipv6_cidr_block",
    "destination_prefix_list_id",
)

NAMES: Mapping[str, Name] = {
    "aws_autoscaling_group": Name("AlreadyExists", ("name",), "autoscaling CreateAutoScalingGroup"),
    "aws_backup_vault": Name("AlreadyExistsException", ("name",), "backup CreateBackupVault"),
    "aws_budgets_budget": Name("DuplicateRecordException", ("name",), "budgets CreateBudget"),
    "aws_cloudwatch_event_bus": Name("ResourceAlreadyExistsException", ("name",), "events CreateEventBus"),
    "aws_cloudwatch_log_group": Name("ResourceAlreadyExistsException", ("name",), "logs CreateLogGroup"),
    "aws_codebuild_project": Name("ResourceAlreadyExistsException", ("name",), "codebuild CreateProject"),
    "aws_db_instance": Name("DBInstanceAlreadyExists", ("identifier",), "rds CreateDBInstance"),
    "aws_db_option_group": Name("OptionGroupAlreadyExistsFault", ("name",), "rds CreateOptionGroup"),
    "aws_db_parameter_group": Name("DBParameterGroupAlreadyExists", ("name",), "rds CreateDBParameterGroup"),
    "aws_db_subnet_group": Name("DBSubnetGroupAlreadyExists", ("name",), "rds CreateDBSubnetGroup"),
    "aws_docdb_cluster": Name(
        "DBClusterAlreadyExistsFault", ("cluster_identifier",), "docdb CreateDBCluster"
    ),
    "aws_docdb_cluster_instance": Name("DBInstanceAlreadyExists", ("identifier",), "docdb CreateDBInstance"),
    "aws_docdb_cluster_parameter_group": Name(*_DOCUMENTDB, "docdb CreateDBClusterParameterGroup"),
    "aws_docdb_subnet_group": Name("DBSubnetGroupAlreadyExists", ("name",), "docdb CreateDBSubnetGroup"),
    "aws_dynamodb_table": Name("ResourceInUseException", ("name",), "dynamodb CreateTable"),
    "aws_ecr_pull_through_cache_rule": Name(
        "PullThroughCacheRuleAlreadyExistsException",
        ("ecr_repository_prefix",),
        "ecr CreatePullThroughCacheRule",
    ),
    "aws_ecr_repository": Name("RepositoryAlreadyExistsException", ("name",), "ecr CreateRepository"),
    "aws_eks_access_entry": Name(
        "ResourceInUseException", ("cluster_name", "principal_arn"), "eks CreateAccessEntry"
    ),
    "aws_eks_addon": Name("ResourceInUseException", ("cluster_name", "addon_name"), "eks CreateAddon"),
    "aws_eks_cluster": Name("ResourceInUseException", ("name",), "eks CreateCluster"),
    "aws_eks_node_group": Name(
        "ResourceInUseException", ("cluster_name", "node_group_name"), "eks CreateNodegroup"
    ),
    "aws_eks_pod_identity_association": Name(
        "ResourceInUseException",
        ("cluster_name", "namespace", "service_account"),
        "eks CreatePodIdentityAssociation",
    ),
    "aws_elasticache_cluster": Name(
        "CacheClusterAlreadyExists", ("cluster_id",), "elasticache CreateCacheCluster"
    ),
    "aws_elasticache_parameter_group": Name(
        "CacheParameterGroupAlreadyExists", ("name",), "elasticache CreateCacheParameterGroup"
    ),
    "aws_elasticache_replication_group": Name(
        "ReplicationGroupAlreadyExists", ("replication_group_id",), "elasticache CreateReplicationGroup"
    ),
    "aws_elasticache_subnet_group": Name(
        "CacheSubnetGroupAlreadyExists", ("name",), "elasticache CreateCacheSubnetGroup"
    ),
    "aws_elasticache_user": Name("UserAlreadyExists", ("user_id",), "elasticache CreateUser"),
    "aws_iam_group": Name("EntityAlreadyExists", ("name",), "iam CreateGroup"),
    "aws_iam_instance_profile": Name("EntityAlreadyExists", ("name",), "iam CreateInstanceProfile"),
    "aws_iam_openid_connect_provider": Name(
        "EntityAlreadyExists", ("url",), "iam CreateOpenIDConnectProvider"
    ),
    "aws_iam_policy": Name("EntityAlreadyExists", ("name",), "iam CreatePolicy"),
    "aws_iam_role": Name("EntityAlreadyExists", ("name",), "iam CreateRole"),
    "aws_iam_user": Name("EntityAlreadyExists", ("name",), "iam CreateUser"),
    "aws_key_pair": Name("InvalidKeyPair.Duplicate", ("key_name",)),
    "aws_kms_alias": Name("AlreadyExistsException", ("name",), "kms CreateAlias"),
    "aws_lambda_function": Name("ResourceConflictException", ("function_name",), "lambda CreateFunction"),
    "aws_lambda_permission": Name(
        "ResourceConflictException", ("function_name", "qualifier", "statement_id"), "lambda AddPermission"
    ),
    "aws_launch_template": Name("InvalidLaunchTemplateName.AlreadyExistsException", ("name",)),
    "aws_lb": Name("DuplicateLoadBalancerName", ("name",), "elbv2 CreateLoadBalancer"),
    "aws_lb_listener": Name("DuplicateListener", ("load_balancer_arn", "port"), "elbv2 CreateListener"),
    "aws_lb_listener_rule": Name("PriorityInUse", ("listener_arn", "priority"), "elbv2 CreateRule"),
    "aws_lb_target_group": Name("DuplicateTargetGroupName", ("name",), "elbv2 CreateTargetGroup"),
    "aws_network_acl_rule": Name("NetworkAclEntryAlreadyExists", ("network_acl_id", "rule_number", "egress")),
    "aws_rds_cluster": Name("DBClusterAlreadyExistsFault", ("cluster_identifier",), "rds CreateDBCluster"),
    "aws_rds_cluster_instance": Name("DBInstanceAlreadyExists", ("identifier",), "rds CreateDBInstance"),
    "aws_rds_cluster_parameter_group": Name(
        "DBParameterGroupAlreadyExists", ("name",), "rds CreateDBClusterParameterGroup"
    ),
    "aws_route": Name("RouteAlreadyExists", _ROUTE),
    "aws_route53_record": Name("InvalidChangeBatch", ("zone_id", "name", "type", "set_identifier")),
    "aws_route_table_association": Name("Resource.AlreadyAssociated", ("subnet_id", "gateway_id")),
    "aws_s3_bucket": Name("BucketAlreadyOwnedByYou", ("bucket",), "s3 CreateBucket"),
    "aws_secretsmanager_secret": Name("ResourceExistsException", ("name",), "secretsmanager CreateSecret"),
    "aws_security_group": Name("InvalidGroup.Duplicate", ("name", "vpc_id")),
    "aws_ssm_parameter": Name("ParameterAlreadyExists", ("name",), "ssm PutParameter"),
    "aws_vpc_security_group_egress_rule": Name("InvalidPermission.Duplicate", _SAME_RULE),
    "aws_vpc_security_group_ingress_rule": Name("InvalidPermission.Duplicate", _SAME_RULE),
    "aws_wafv2_ip_set": Name(*_WAF, "wafv2 CreateIPSet"),
    "aws_wafv2_regex_pattern_set": Name(*_WAF, "wafv2 CreateRegexPatternSet"),
    "aws_wafv2_rule_group": Name(*_WAF, "wafv2 CreateRuleGroup"),
    "aws_wafv2_web_acl": Name(*_WAF, "wafv2 CreateWebACL"),
}
GLOBAL = {"aws_s3_bucket"}
# Arguments that take over what is there instead.
TAKES_OVER = {"aws_route53_record": "allow_overwrite", "aws_ssm_parameter": "overwrite"}


def taken(type_name: str, made: Object, around: Callable[[str], Iterable[Object]]) -> str:
    """What AWS answers where another object has the name of this one; empty when it is free."""
    name = NAMES.get(type_name)
    if name is None or made.get(TAKES_OVER.get(type_name, "")) is True:
        return ""
    mine = _named(name, type_name, made)
    if UNKNOWN in mine or not any(mine[1:]):
        return ""
    if all(mine != _named(name, type_name, other) for other in around(type_name)):
        return ""
    said = ", ".join(
        f"{argument} {value}" for argument, value in zip(name.by, mine[1:], strict=True) if value
    )
    return f"{name.code}: there is one already with {said}"


def _named(name: Name, type_name: str, state: Object) -> tuple[Any, ...]:
    region = None if type_name in GLOBAL else state.get("region")
    return (region, *(value if (value := state.get(each)) != "" else None for each in name.by))
