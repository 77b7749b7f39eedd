"""Prometheus and Alertmanager: they monitor the cluster and send alerts to SNS."""

from __future__ import annotations

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.outputs import GatewayOutputs
from modules.observability.charts import PROMETHEUS
from modules.observability.identities import identity
from modules.observability.topics import Topics
from tierra.patterns.helm import release
from tierra.patterns.images import pulled_from
from tierra.terraform.policy import Statement
from tierra.terraform.stack import Stack
from tierra.terraform.templating import Templates
from tierra.validation.namespaces import DATABASES, GRAFANA, OBSERVABILITY, SECRETS, SYSTEM

ALERTMANAGER = "alertmanager"
# Namespaces of the platform's own pods, in addition to that of Kong.
OURS = ("default", DATABASES, GRAFANA, OBSERVABILITY, SECRETS, SYSTEM)


def alertmanager_identity(
    stack: Stack, compute: ComputeOutputs, topics: Topics, heartbeat: SnsTopic
) -> list[ITerraformDependable]:
    """`aws_iam_role.alertmanager`, which publishes to the topics."""
    return identity(
        stack,
        compute,
        ALERTMANAGER,
        "Alertmanager sends alerts to the topics",
        Statement(
            sid="TellPeople", actions="sns:Publish", resources=list(_topic_arns(topics, heartbeat).values())
        ),
        Statement(
            sid="EncryptMessages",
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=topics.key.arn,
        ),
    )


def prometheus(
    stack: Stack,
    gateway: GatewayOutputs,
    topics: Topics,
    heartbeat: SnsTopic,
    after: ITerraformDependable,
) -> Release:
    """`helm_release.prometheus`: kube-prometheus-stack."""
    settings = stack.environment.observability
    values = Templates().argument(
        "observability/kube-prometheus-stack.yaml",
        registry=pulled_from(stack),
        stem=stack.names.stem,
        region=stack.environment.region,
        priority_class=gateway.priority_class,
        alertmanager_account=ALERTMANAGER,
        platform_namespaces=[*OURS, gateway.namespace],
        storage_class=gateway.storage_class,
        metrics_days=settings.metrics_days,
        metrics_gb=settings.metrics_gb,
        most_metrics_gb=settings.metrics_gb * 4 // 5,
        topics=_topic_arns(topics, heartbeat),
        tainted_nodes=bool(stack.environment.compute.groups),
    )
    return release(
        stack,
        "prometheus",
        PROMETHEUS,
        name="prometheus",
        namespace=OBSERVABILITY,
        values=[values],
        depends_on=[after],
    )


def _topic_arns(topics: Topics, heartbeat: SnsTopic) -> dict[str, str]:
    return {"page": topics.page.arn, "ticket": topics.ticket.arn, "heartbeat": heartbeat.arn}
