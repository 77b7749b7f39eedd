"""The administrator password of Grafana."""

from __future__ import annotations

from modules.data.outputs import DataOutputs
from modules.gateway.outputs import GatewayOutputs
from tierra.patterns.cluster_password import ClusterPassword, cluster_password
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import GRAFANA


def kubernetes_secret(stack: Stack) -> str:
    """The Secret in the cluster. Its name contains the version of the password, so that pods restart with a
    new one, and wait until it exists."""
    return f"grafana-admin-{stack.environment.observability.grafana_password_version}"


def grafana_secret(stack: Stack, data: DataOutputs, gateway: GatewayOutputs) -> ClusterPassword:
    """`aws_secretsmanager_secret.grafana`, and the role that reads it."""
    return cluster_password(
        stack,
        GRAFANA,
        key=data.secrets_key_arn,
        operator=gateway.secrets_operator_role_arn,
        role="grafana",
        tag="grafana",
        description="Password of the administrator of Grafana",
        number=stack.environment.observability.grafana_password_version,
    )
