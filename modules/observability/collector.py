"""The OpenTelemetry collector: traces of the systems to X-Ray, logs of all pods to CloudWatch."""

from __future__ import annotations

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.network.outputs import NetworkOutputs
from modules.observability.charts import COLLECTOR
from modules.observability.identities import identity
from tierra.patterns.helm import release
from tierra.patterns.images import pulled_from
from tierra.patterns.log_group import log_group
from tierra.terraform.policy import Everything, Statement
from tierra.terraform.stack import Stack
from tierra.terraform.templating import Templates
from tierra.validation.namespaces import OBSERVABILITY

ACCOUNT = "collector"


def pod_logs(stack: Stack, network: NetworkOutputs) -> CloudwatchLogGroup:
    """`aws_cloudwatch_log_group.pods`: a stream for each container, `<namespace>/<pod>/<container>`."""
    days = stack.environment.observability.retention_days
    return log_group(stack, "pods", stack.names.log_group("eks", "pods"), days, network.logs_key_arn)


def collector_identity(
    stack: Stack, compute: ComputeOutputs, logs: CloudwatchLogGroup
) -> list[ITerraformDependable]:
    """`aws_iam_role.collector`, which may write to that log group and, with traces, to X-Ray."""
    traced = stack.environment.observability.traces
    return identity(
        stack,
        compute,
        ACCOUNT,
        f"The collector sends {'traces to X-Ray and ' if traced else ''}logs to CloudWatch",
        *([_send_traces()] if traced else []),
        Statement(
            sid="WriteLogsOfPods",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=f"{logs.arn}:*",
        ),
    )


def _send_traces() -> Statement:
    return Statement(
        sid="SendTraces",
        actions=[
            "xray:GetSamplingRules",
            "xray:GetSamplingStatisticSummaries",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ],
        resources=Everything("X-Ray knows no resources for traces, nor for questions about sampling"),
    )


def collector(
    stack: Stack, gateway: GatewayOutputs, logs: CloudwatchLogGroup, after: ITerraformDependable
) -> Release:
    """`helm_release.collector`, one on every node."""
    values = Templates().argument(
        "observability/collector.yaml",
        registry=pulled_from(stack),
        account=ACCOUNT,
        namespace=OBSERVABILITY,
        region=stack.environment.region,
        priority_class=gateway.priority_class,
        log_group=logs.name,
        traces=stack.environment.observability.traces,
        monitoring=stack.environment.observability.monitoring,
    )
    return release(
        stack,
        "collector",
        COLLECTOR,
        name="collector",
        namespace=OBSERVABILITY,
        values=[values],
        depends_on=[after],
    )
