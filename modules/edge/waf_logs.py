"""The log of the web ACL: blocked, challenged and counted requests, with the rule."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.cloudwatch_log_resource_policy import CloudwatchLogResourcePolicy
from cdktf_cdktf_provider_aws.wafv2_web_acl import Wafv2WebAcl
from cdktf_cdktf_provider_aws.wafv2_web_acl_logging_configuration import (
    Wafv2WebAclLoggingConfiguration,
    Wafv2WebAclLoggingConfigurationLoggingFilter,
    Wafv2WebAclLoggingConfigurationLoggingFilterFilter,
    Wafv2WebAclLoggingConfigurationLoggingFilterFilterCondition,
    Wafv2WebAclLoggingConfigurationLoggingFilterFilterConditionActionCondition,
    Wafv2WebAclLoggingConfigurationRedactedFields,
    Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader,
)

from modules.edge.waf import SECRET_HEADERS
from modules.edge.waf_spec import Waf
from modules.network.outputs import NetworkOutputs
from tierra.patterns.log_group import log_group
from tierra.terraform.policy import Statement, document
from tierra.terraform.stack import Stack

# Allowed requests are in the access logs of the load balancer.
KEPT = ("BLOCK", "CAPTCHA", "CHALLENGE", "COUNT", "EXCLUDED_AS_COUNT")


def waf_logs(
    stack: Stack, settings: Waf, web_acl: Wafv2WebAcl, network: NetworkOutputs
) -> CloudwatchLogGroup:
    """`aws_cloudwatch_log_group.waf`, encrypted, with credentials of users redacted."""
    group = log_group(stack, "waf", _group_name(stack), settings.log_days, network.logs_key_arn)
    stack.add(
        Wafv2WebAclLoggingConfiguration,
        "main",
        resource_arn=web_acl.arn,
        log_destination_configs=[group.arn],
        redacted_fields=[
            Wafv2WebAclLoggingConfigurationRedactedFields(
                single_header=Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader(name=header)
            )
            for header in SECRET_HEADERS
        ],
        logging_filter=_filter(),
        depends_on=[_delivery(stack)],
    )
    return group


def _group_name(stack: Stack) -> str:
    """The log group of a web ACL must have this prefix."""
    return f"aws-waf-logs-{stack.names.stem}"


def _filter() -> Wafv2WebAclLoggingConfigurationLoggingFilter:
    conditions = [
        Wafv2WebAclLoggingConfigurationLoggingFilterFilterCondition(
            action_condition=Wafv2WebAclLoggingConfigurationLoggingFilterFilterConditionActionCondition(
                action=action
            )
        )
        for action in KEPT
    ]
    return Wafv2WebAclLoggingConfigurationLoggingFilter(
        default_behavior="DROP",
        filter=[
            Wafv2WebAclLoggingConfigurationLoggingFilterFilter(
                behavior="KEEP",
                requirement="MEETS_ANY",
                condition=conditions,
            )
        ],
    )


def _delivery(stack: Stack) -> CloudwatchLogResourcePolicy:
    """Log delivery of this account may write to the group; otherwise AWS would create a broader policy
    itself."""
    environment = stack.environment
    return stack.add(
        CloudwatchLogResourcePolicy,
        "waf",
        policy_name=stack.names.of("log_resource_policy", "waf"),
        policy_document=document(
            Statement(
                sid="DeliverLogsOfTheWebAcl",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=stack.arn("logs", f"log-group:{_group_name(stack)}:log-stream:*"),
                principals={"Service": "delivery.logs.amazonaws.com"},
                conditions={
                    "ArnLike": {"aws:SourceArn": stack.arn("logs", "*")},
                    "StringEquals": {"aws:SourceAccount": environment.account},
                },
            )
        ),
    )
