"""The control plane: private, encrypted and logged; no role has access by default."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.eks_cluster import (
    EksCluster,
    EksClusterAccessConfig,
    EksClusterEncryptionConfig,
    EksClusterEncryptionConfigProvider,
    EksClusterKubernetesNetworkConfig,
    EksClusterUpgradePolicy,
    EksClusterVpcConfig,
    EksClusterZonalShiftConfig,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.network.outputs import NetworkOutputs
from tierra.patterns.encryption import Key
from tierra.patterns.iam import attach, grant, iam_role
from tierra.patterns.log_group import log_group
from tierra.patterns.pod_identity import cluster_arn
from tierra.terraform.policy import Statement, trust
from tierra.terraform.stack import Stack

LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]


def cluster(stack: Stack, network: NetworkOutputs, key: Key) -> EksCluster:
    """`aws_eks_cluster.main`. Its role and its log group are created before it and deleted after it."""
    settings = stack.environment.compute
    name = stack.names.of("cluster")
    role = _role(stack)
    rights = [
        attach(stack, "cluster", role, "AmazonEKSClusterPolicy"),
        grant(
            stack,
            "cluster_secrets",
            role,
            Statement(
                sid="EncryptSecrets",
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"],
                resources=key.arn,
            ),
        ),
    ]
    return stack.add(
        EksCluster,
        "main",
        name=name,
        role_arn=role.arn,
        version=settings.kubernetes,
        access_config=EksClusterAccessConfig(
            authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
        ),
        bootstrap_self_managed_addons=False,
        deletion_protection=stack.environment.protection,
        enabled_cluster_log_types=LOGS,
        encryption_config=EksClusterEncryptionConfig(
            resources=["secrets"], provider=EksClusterEncryptionConfigProvider(key_arn=key.arn)
        ),
        kubernetes_network_config=EksClusterKubernetesNetworkConfig(
            service_ipv4_cidr=str(settings.service_cidr)
        ),
        # No extended support, which costs six times as much: AWS upgrades clusters when standard support
        # ends.
        upgrade_policy=EksClusterUpgradePolicy(support_type="STANDARD"),
        vpc_config=_vpc_config(stack, network),
        # Zonal shift: an operator or AWS can move traffic out of an impaired zone.
        zonal_shift_config=EksClusterZonalShiftConfig(enabled=True),
        depends_on=[*rights, _logs(stack, network, name)],
        lifecycle=stack.prevent_destroy,
        tags=stack.tags("cluster"),
    )


def _vpc_config(stack: Stack, network: NetworkOutputs) -> EksClusterVpcConfig:
    endpoint = stack.environment.compute.endpoint
    ranges = [str(cidr) for cidr in endpoint.public_cidrs]
    zones = endpoint.zones or stack.environment.network.zones
    return EksClusterVpcConfig(
        subnet_ids=[network.private_subnet_ids[zone] for zone in zones],
        security_group_ids=[network.control_plane_security_group_id],
        endpoint_private_access=True,
        endpoint_public_access=bool(ranges),
        public_access_cidrs=ranges or None,
    )


def _logs(stack: Stack, network: NetworkOutputs, name: str) -> CloudwatchLogGroup:
    """EKS writes to the log group of this name, and would create it without expiry or encryption."""
    group = f"/aws/eks/{name}/cluster"
    return log_group(stack, "cluster", group, stack.environment.compute.log_days, network.logs_key_arn)


def _role(stack: Stack) -> IamRole:
    """EKS assumes it, for this cluster only."""
    trusted = trust("eks.amazonaws.com", stack.environment.account, cluster_arn(stack))
    return iam_role(stack, "cluster", "EKS runs the control plane", trusted)
