"""Grafana: dashboards and data sources from files, no data in the pod, and access only by `kubectl
port-forward`."""

from __future__ import annotations

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.observability.charts import GRAFANA, GRAFANA_ACCOUNT
from modules.observability.grafana_secret import kubernetes_secret
from modules.observability.identities import identity
from tierra.patterns.helm import release
from tierra.patterns.images import pulled_from
from tierra.terraform.policy import Everything, Statement
from tierra.terraform.stack import Stack
from tierra.terraform.templating import Templates
from tierra.validation.namespaces import GRAFANA as NAMESPACE
from tierra.validation.namespaces import OBSERVABILITY

# Not in the image of Grafana, which downloads it from grafana.com in the background.
XRAY_PLUGIN = "grafana-x-ray-datasource@2.17.1"


def grafana_identity(
    stack: Stack, compute: ComputeOutputs, logs: CloudwatchLogGroup
) -> list[ITerraformDependable]:
    """`aws_iam_role.grafana`, which may read metrics, traces and the logs of pods, and change nothing."""
    return identity(
        stack,
        compute,
        GRAFANA_ACCOUNT,
        "Grafana shows metrics, logs, traces",
        *_rights(stack, logs),
        namespace=NAMESPACE,
    )


def grafana(
    stack: Stack, gateway: GatewayOutputs, logs: CloudwatchLogGroup, after: ITerraformDependable
) -> Release:
    """`helm_release.grafana`, in a separate namespace: plans may read the namespaces of release records, but
    not its password."""
    values = Templates().argument(
        "observability/grafana.yaml",
        registry=pulled_from(stack),
        account=GRAFANA_ACCOUNT,
        namespace=NAMESPACE,
        observability=OBSERVABILITY,
        region=stack.environment.region,
        priority_class=gateway.priority_class,
        admin_secret=kubernetes_secret(stack),
        xray_plugin=XRAY_PLUGIN,
        log_group=logs.name,
        log_group_arn=f"{logs.arn}:*",
        traces=stack.environment.observability.traces,
    )
    return release(
        stack,
        "grafana",
        GRAFANA,
        name="grafana",
        namespace=gateway.releases_namespace,
        values=[values],
        depends_on=[after],
    )


def _rights(stack: Stack, logs: CloudwatchLogGroup) -> list[Statement]:
    return [
        Statement(
            sid="ReadMetrics",
            actions=[
                "cloudwatch:DescribeAlarmHistory",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:DescribeAlarmsForMetric",
                "cloudwatch:GetMetricData",
                "cloudwatch:ListMetrics",
                "ec2:DescribeRegions",
                "logs:DescribeLogGroups",
                "logs:GetQueryResults",
                "logs:StopQuery",
                "tag:GetResources",
            ],
            resources=Everything("neither metrics nor answers to queries have resources in IAM"),
        ),
        Statement(
            sid="ReadLogsOfPods",
            actions=["logs:GetLogEvents", "logs:GetLogGroupFields", "logs:StartQuery"],
            resources=[logs.arn, f"{logs.arn}:*"],
        ),
        *([_read_traces()] if stack.environment.observability.traces else []),
    ]


def _read_traces() -> Statement:
    return Statement(
        sid="ReadTraces",
        actions=[
            "xray:BatchGetTraces",
            "xray:GetGroups",
            "xray:GetInsight",
            "xray:GetInsightSummaries",
            "xray:GetServiceGraph",
            "xray:GetTimeSeriesServiceStatistics",
            "xray:GetTraceGraph",
            "xray:GetTraceSummaries",
        ],
        resources=Everything("X-Ray knows no resources for traces"),
    )
