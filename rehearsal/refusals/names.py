"""Names that must be unique in AWS: by type, the arguments that name an object, and AWS's error.

A name is unique within an account and region, if the type has a region. Types that AWS overwrites, or returns
as they are (PutRule, CreateTopic), are not listed. Names that several types share, or that depend on more
than equal arguments, have rules of their own in the module of their service.

Sources: the errors of the operation that creates the type in botocore's models, which a test reads; the codes
of EC2 are listed in docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rehearsal.refusals.rules import CREATE, Answer, Rule, others
from tierra.aws.transition_answers import Around, Values

SAYS = "a name that must be unique, such as that of a role, a key pair or a log group, must not be taken"
EC2 = "page AWSEC2/latest/APIReference/errors-overview.html, "
MONITOR = "aws_ce_anomaly_monitor"


class Name(NamedTuple):
    """`code` is AWS's; `by` names the object; `operation` is botocore's, as service and name; `words` are
    AWS's where a source quotes them. With `free_with`, that argument adopts the existing object instead.
    Objects of the types `among` share the names."""

    code: str
    by: tuple[str, ...]
    operation: str = ""
    words: str = "there is one already with {said}"
    free_with: str = ""
    among: tuple[str, ...] = ()


_WAF = ("WAFDuplicateItemException", ("name", "scope"))
_WAF_WORDS = (
    "AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an"
    " existing one."
)
_BALANCERS, _TARGETS = ("aws_lb", "aws_alb"), ("aws_lb_target_group", "aws_alb_target_group")
_SETTINGS = "with the same name '{name}' exists, but with different settings"

NAMES: Mapping[str, Name] = {
    "aws_autoscaling_group": Name("AlreadyExists", ("name",), "autoscaling CreateAutoScalingGroup"),
    "aws_backup_vault": Name("AlreadyExistsException", ("name",), "backup CreateBackupVault"),
    "aws_budgets_budget": Name(
        "DuplicateRecordException",
        ("name",),
        "budgets CreateBudget",
        "Error creating budget: {name} - the budget already exists.",
    ),
    "aws_cloudwatch_event_bus": Name("ResourceAlreadyExistsException", ("name",), "events CreateEventBus"),
    "aws_cloudwatch_log_group": Name("ResourceAlreadyExistsException", ("name",), "logs CreateLogGroup"),
    "aws_codebuild_project": Name(
        "ResourceAlreadyExistsException",
        ("name",),
        "codebuild CreateProject",
        "Project already exists: {name}",
    ),
    "aws_db_option_group": Name("OptionGroupAlreadyExistsFault", ("name",), "rds CreateOptionGroup"),
    "aws_db_parameter_group": Name("DBParameterGroupAlreadyExists", ("name",), "rds CreateDBParameterGroup"),
    "aws_db_subnet_group": Name("DBSubnetGroupAlreadyExists", ("name",), "rds CreateDBSubnetGroup"),
    "aws_docdb_cluster_parameter_group": Name(
        "DBParameterGroupAlreadyExists", ("name",), "docdb CreateDBClusterParameterGroup"
    ),
    "aws_docdb_subnet_group": Name("DBSubnetGroupAlreadyExists", ("name",), "docdb CreateDBSubnetGroup"),
    "aws_dynamodb_table": Name("ResourceInUseException", ("name",), "dynamodb CreateTable"),
    "aws_ecr_pull_through_cache_rule": Name(
        "PullThroughCacheRuleAlreadyExistsException",
        ("ecr_repository_prefix",),
        "ecr CreatePullThroughCacheRule",
    ),
    "aws_ecr_repository": Name("RepositoryAlreadyExistsException", ("name",), "ecr CreateRepository"),
    "aws_eks_access_entry": Name(
        "ResourceInUseException",
        ("cluster_name", "principal_arn"),
        "eks CreateAccessEntry",
        "The specified access entry resource is already in use on this cluster.",
    ),
    "aws_eks_addon": Name(
        "ResourceInUseException",
        ("cluster_name", "addon_name"),
        "eks CreateAddon",
        "Addon already exists.",
    ),
    "aws_eks_cluster": Name("ResourceInUseException", ("name",), "eks CreateCluster"),
    "aws_eks_node_group": Name(
        "ResourceInUseException",
        ("cluster_name", "node_group_name"),
        "eks CreateNodegroup",
        "NodeGroup already exists with name {node_group_name} and cluster name {cluster_name}",
    ),
    "aws_eks_pod_identity_association": Name(
        "ResourceInUseException",
        ("cluster_name", "namespace", "service_account"),
        "eks CreatePodIdentityAssociation",
        "Association already exists: {namespace}/{service_account}",
    ),
    "aws_elasticache_cluster": Name(
        "CacheClusterAlreadyExists", ("cluster_id",), "elasticache CreateCacheCluster"
    ),
    "aws_elasticache_parameter_group": Name(
        "CacheParameterGroupAlreadyExists",
        ("name",),
        "elasticache CreateCacheParameterGroup",
        "Parameter group {name} already exists",
    ),
    "aws_elasticache_replication_group": Name(
        "ReplicationGroupAlreadyExists",
        ("replication_group_id",),
        "elasticache CreateReplicationGroup",
        "Replication group {replication_group_id} already exists.",
    ),
    "aws_elasticache_subnet_group": Name(
        "CacheSubnetGroupAlreadyExists",
        ("name",),
        "elasticache CreateCacheSubnetGroup",
        "Cache subnet group {name} already exists.",
    ),
    "aws_efs_file_system": Name("FileSystemAlreadyExists", ("creation_token",), "efs CreateFileSystem"),
    "aws_efs_mount_target": Name(
        "MountTargetConflict", ("file_system_id", "subnet_id"), "efs CreateMountTarget"
    ),
    "aws_elasticache_user": Name(
        "UserAlreadyExists", ("user_id",), "elasticache CreateUser", "User {user_id} already exists."
    ),
    "aws_elasticache_user_group": Name(
        "UserGroupAlreadyExists",
        ("user_group_id",),
        "elasticache CreateUserGroup",
        "User group {user_group_id} already exists.",
    ),
    "aws_iam_group": Name("EntityAlreadyExists", ("name",), "iam CreateGroup"),
    "aws_iam_instance_profile": Name("EntityAlreadyExists", ("name",), "iam CreateInstanceProfile"),
    "aws_iam_openid_connect_provider": Name(
        "EntityAlreadyExists",
        ("url",),
        "iam CreateOpenIDConnectProvider",
        "Provider with url {url} already exists.",
    ),
    "aws_iam_policy": Name(
        "EntityAlreadyExists",
        ("name",),
        "iam CreatePolicy",
        "A policy called {name} already exists. Duplicate names are not allowed.",
    ),
    "aws_iam_role": Name(
        "EntityAlreadyExists", ("name",), "iam CreateRole", "Role with name {name} already exists."
    ),
    "aws_iam_service_linked_role": Name(
        "InvalidInput",
        ("aws_service_name", "custom_suffix"),
        "iam CreateServiceLinkedRole",
        "Service role name of {aws_service_name} has been taken in this account, please try a different"
        " suffix.",
    ),
    "aws_iam_user": Name("EntityAlreadyExists", ("name",), "iam CreateUser"),
    "aws_key_pair": Name(
        "InvalidKeyPair.Duplicate", ("key_name",), words="The keypair '{key_name}' already exists."
    ),
    "aws_kms_alias": Name("AlreadyExistsException", ("name",), "kms CreateAlias"),
    "aws_lambda_function": Name(
        "ResourceConflictException",
        ("function_name",),
        "lambda CreateFunction",
        "Function already exist: {function_name}",
    ),
    "aws_lambda_permission": Name(
        "ResourceConflictException",
        ("function_name", "qualifier", "statement_id"),
        "lambda AddPermission",
        "The statement id ({statement_id}) provided already exists. Please provide a new statement id, or"
        " remove the existing statement.",
    ),
    "aws_launch_template": Name(
        "InvalidLaunchTemplateName.AlreadyExistsException",
        ("name",),
        words="Launch template name already in use.",
    ),
    **{
        name: Name(
            "DuplicateLoadBalancerName",
            ("name",),
            "elbv2 CreateLoadBalancer",
            f"A load balancer {_SETTINGS}",
            among=_BALANCERS,
        )
        for name in _BALANCERS
    },
    **{
        name: Name(
            "DuplicateTargetGroupName",
            ("name",),
            "elbv2 CreateTargetGroup",
            f"A target group {_SETTINGS}",
            among=_TARGETS,
        )
        for name in _TARGETS
    },
    "aws_rds_cluster_parameter_group": Name(
        "DBParameterGroupAlreadyExists", ("name",), "rds CreateDBClusterParameterGroup"
    ),
    "aws_resourcegroups_group": Name(
        "BadRequestException",
        ("name",),
        "resource-groups CreateGroup",
        "Group {name} already exists",
    ),
    "aws_secretsmanager_secret": Name(
        "ResourceExistsException",
        ("name",),
        "secretsmanager CreateSecret",
        "The operation failed because the secret {name} already exists.",
    ),
    "aws_security_group": Name(
        "InvalidGroup.Duplicate",
        ("name", "vpc_id"),
        words="The security group '{name}' already exists for VPC '{vpc_id}'",
    ),
    "aws_ssm_parameter": Name(
        "ParameterAlreadyExists",
        ("name",),
        "ssm PutParameter",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to"
        " true.",
        free_with="overwrite",
    ),
    "aws_wafv2_ip_set": Name(*_WAF, "wafv2 CreateIPSet", _WAF_WORDS),
    "aws_wafv2_regex_pattern_set": Name(*_WAF, "wafv2 CreateRegexPatternSet", _WAF_WORDS),
    "aws_wafv2_rule_group": Name(*_WAF, "wafv2 CreateRuleGroup", _WAF_WORDS),
    "aws_wafv2_web_acl": Name(*_WAF, "wafv2 CreateWebACL", _WAF_WORDS),
    "aws_xray_group": Name(
        "InvalidRequestException", ("group_name",), "xray CreateGroup", "Group {group_name} already exists"
    ),
    "aws_xray_sampling_rule": Name(
        "InvalidRequestException",
        ("rule_name",),
        "xray CreateSamplingRule",
        "Sampling rule {rule_name} already exists",
    ),
}


def taken(type_name: str) -> Answer:
    """The error for a second object with the same name."""
    name = NAMES[type_name]

    def answer(_was: Values, now: Values, around: Around) -> str:
        mine = _named(name, now)
        known = isinstance(mine[0], str) and all(part is None or isinstance(part, str) for part in mine)
        if not known or (name.free_with and now.get(name.free_with) is True):
            return ""
        for other_type in name.among or (type_name,):
            if any(_named(name, namesake) == mine for namesake in others(around, other_type, now)):
                description = ", ".join(
                    f"{argument} {value}" for argument, value in zip(name.by, mine, strict=True) if value
                )
                return f"{name.code}: {name.words.format(**{**now, 'said': description})}"
        return ""

    return answer


def _named(name: Name, state: Values) -> tuple[Any, ...]:
    return tuple(value if (value := state.get(argument)) != "" else None for argument in name.by)


def monitor(_was: Values, now: Values, around: Around) -> str:
    kinds = [existing.get("monitor_type") for existing in others(around, MONITOR, now, everywhere=True)]
    if now.get("monitor_type") != "DIMENSIONAL" or "DIMENSIONAL" not in kinds:
        return ""
    return "LimitExceededException: Limit exceeded on dimensional spend monitor creation"


def reserved(_was: Values, now: Values, _around: Around) -> str:
    name = now.get("name")
    first = name.strip("/").split("/")[0].lower() if isinstance(name, str) else ""
    if first == "aws":
        return f"AccessDeniedException: No access to reserved parameter name: {name}."
    if first == "ssm":
        return (
            f'ValidationException: Parameter name: can\'t be prefixed with "ssm" (case-insensitive): {name}'
        )
    return ""


def _source(name: Name) -> str:
    service, _, operation = name.operation.partition(" ")
    return f"API {service}, {operation}, {name.code}" if operation else EC2 + name.code


RULES = (
    *(
        Rule(
            f"name_{type_name.removeprefix('aws_')}",
            (type_name,),
            SAYS,
            _source(name),
            taken(type_name),
            CREATE,
        )
        for type_name, name in NAMES.items()
    ),
    Rule(
        "one_monitor",
        (MONITOR,),
        "an account must have at most one anomaly monitor of all services",
        "API ce, CreateAnomalyMonitor, LimitExceededException; page cost-management/latest/userguide/"
        "management-limits.html",
        monitor,
        CREATE,
    ),
    Rule(
        "reserved_parameter",
        ("aws_ssm_parameter",),
        "the name of a parameter must not begin with aws or ssm",
        "API ssm, PutParameterRequest, Name",
        reserved,
        CREATE,
    ),
)
