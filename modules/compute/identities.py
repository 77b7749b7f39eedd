"""IAM roles of pods that use AWS: the VPC CNI, the EBS driver and, with scaling: pods, the cluster
autoscaler."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.eks_cluster import EksCluster
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.compute.keys import FOR_AWS, GRANT, USE
from tierra.patterns.encryption import Key
from tierra.patterns.iam import attach, grant
from tierra.patterns.pod_identity import associate, pod_role
from tierra.terraform.policy import Everything, Statement
from tierra.terraform.stack import Stack

NAMESPACE = "kube-system"
NETWORK, VOLUMES, AUTOSCALER = "aws-node", "ebs-csi-controller-sa", "cluster-autoscaler"


@dataclass(frozen=True)
class Identities:
    """`autoscaler` is None unless the spec says scaling: pods."""

    network: IamRole
    volumes: IamRole
    autoscaler: IamRole | None


def identities(stack: Stack, cluster: EksCluster, disks: Key) -> Identities:
    """Roles by purpose. The add-ons associate the first two with their service accounts."""
    network = pod_role(stack, "vpc_cni", "The VPC CNI assigns addresses to pods", NAMESPACE, NETWORK)
    attach(stack, "vpc_cni", network, "AmazonEKS_CNI_Policy")
    volumes = pod_role(stack, "ebs_csi", "The EBS driver makes and attaches volumes", NAMESPACE, VOLUMES)
    attach(stack, "ebs_csi", volumes, "service-role/AmazonEBSCSIDriverPolicy")
    grant(
        stack,
        "ebs_csi",
        volumes,
        Statement(sid="EncryptVolumes", actions=USE, resources=disks.arn),
        Statement(sid="GrantToVolumes", actions=GRANT, resources=disks.arn, conditions=FOR_AWS),
    )
    by_pods = stack.environment.compute.scaling == "pods"
    return Identities(network, volumes, _autoscaler(stack, cluster) if by_pods else None)


def _autoscaler(stack: Stack, cluster: EksCluster) -> IamRole:
    """Reads all Auto Scaling groups, and changes those of this cluster. The gateway tier installs the
    pods."""
    role = pod_role(
        stack, "cluster_autoscaler", "The autoscaler adds and removes nodes", NAMESPACE, AUTOSCALER
    )
    name = stack.names.of("cluster")
    grant(
        stack,
        "cluster_autoscaler",
        role,
        Statement(
            sid="SeeGroupsAndTypes",
            actions=[
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "autoscaling:DescribeTags",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ],
            resources=Everything("these calls know no resources in IAM"),
        ),
        Statement(
            sid="SeeNodeGroups",
            actions="eks:DescribeNodegroup",
            resources=stack.arn("eks", f"nodegroup/{name}/*"),
        ),
        Statement(
            sid="ScaleGroupsOfThisCluster",
            actions=["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            resources=stack.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*"),
            # EKS sets this tag on the Auto Scaling groups of node groups.
            conditions={"StringEquals": {f"autoscaling:ResourceTag/kubernetes.io/cluster/{name}": "owned"}},
        ),
    )
    associate(stack, "cluster_autoscaler", cluster.name, NAMESPACE, AUTOSCALER, role)
    return role
