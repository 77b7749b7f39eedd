"""VPC flow logs: every accepted and rejected connection, encrypted."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.flow_log import FlowLog
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.network.vpc import AnyVpc
from tierra.patterns.encryption import Key, encryption_key
from tierra.patterns.iam import grant, iam_role
from tierra.patterns.log_group import log_group
from tierra.terraform.policy import THIS_KEY, Statement, trust
from tierra.terraform.stack import Stack


def flow_logs(stack: Stack, vpc: AnyVpc) -> Key:
    """`aws_flow_log.main`, for all traffic, aggregated by minute, if the spec has flow logs. Returns the key
    of log groups of every tier."""
    key = _logs_key(stack)
    if not stack.environment.network.flow_logs:
        return key
    days = stack.environment.network.flow_log_days
    group = log_group(stack, "flow", stack.names.log_group("vpc", "flow"), days, key.arn)
    stack.add(
        FlowLog,
        "main",
        vpc_id=vpc.id,
        traffic_type="ALL",
        max_aggregation_interval=60,
        log_destination_type="cloud-watch-logs",
        log_destination=group.arn,
        iam_role_arn=_role(stack).arn,
        tags=stack.tags("flow"),
    )
    return key


def _logs_key(stack: Stack) -> Key:
    """Only CloudWatch Logs may use it, for log groups of this account and region."""
    return encryption_key(
        stack,
        "logs",
        "CloudWatch log groups",
        Statement(
            sid="CloudWatchLogsEncrypts",
            actions=[
                "kms:Encrypt*",
                "kms:Decrypt*",
                "kms:ReEncrypt*",
                "kms:GenerateDataKey*",
                "kms:Describe*",
            ],
            resources=THIS_KEY,
            principals={"Service": f"logs.{stack.environment.region}.{stack.environment.dns_suffix}"},
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": stack.arn("logs", "log-group:*")}},
        ),
    )


def _role(stack: Stack) -> IamRole:
    """Only flow logs of this account may assume it, to write to their log group."""
    trusted = trust(
        "vpc-flow-logs.amazonaws.com", stack.environment.account, stack.arn("ec2", "vpc-flow-log/*")
    )
    role = iam_role(stack, "flow_log", "Flow logs of the VPC write to CloudWatch", trusted)
    group = stack.arn("logs", f"log-group:{stack.names.log_group('vpc', 'flow')}")
    grant(
        stack,
        "flow_log",
        role,
        Statement(
            sid="WriteToTheLogGroup",
            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[group, f"{group}:*"],
        ),
        Statement(
            sid="FindTheLogGroup",
            actions="logs:DescribeLogGroups",
            resources=stack.arn("logs", "log-group:*"),
        ),
    )
    return role
