"""The launch template of nodes: IMDSv2, an encrypted disk, and kubelet settings that match the capacity
calculation."""

from __future__ import annotations

import base64

from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
    LaunchTemplateMetadataOptions,
    LaunchTemplateMonitoring,
    LaunchTemplateTagSpecifications,
)

from modules.capacity import EVICTION, reserved_cpu, reserved_memory
from modules.compute.nodes_spec import Nodes
from modules.network.outputs import NetworkOutputs
from tierra.patterns.encryption import Key
from tierra.terraform.stack import Stack
from tierra.terraform.templating import Templates

ROOT_DEVICE = "/dev/xvda"


def launch_templates(stack: Stack, network: NetworkOutputs, disks: Key) -> dict[str | None, LaunchTemplate]:
    """By the name of the node group; None for that of `compute.nodes`."""
    compute = stack.environment.compute
    groups = [(None, compute.nodes), *compute.groups.items()]
    return {name: _launch_template(stack, network, disks, name, nodes) for name, nodes in groups}


def _launch_template(
    stack: Stack, network: NetworkOutputs, disks: Key, name: str | None, nodes: Nodes
) -> LaunchTemplate:
    """`aws_launch_template.nodes`, or `nodes_<group>`. The managed node group sets image, instance profile
    and subnet."""
    tags = {**stack.shared_tags, **stack.tags(f"node-{name}" if name else "node")}
    role = f"nodes-{name}" if name else "nodes"
    pods = stack.environment.network.pods
    # Network interfaces keep their subnet. The tag causes a new template version, so that nodes are replaced.
    instance_tags = {**tags, "PodRange": str(pods)} if pods else tags
    return stack.add(
        LaunchTemplate,
        role.replace("-", "_"),
        name=stack.names.of("launch_template", role),
        description=f"Nodes of the group {name}" if name else "Nodes of the cluster",
        update_default_version=True,
        # Without the cluster security group of EKS, which allows all egress of nodes: the security groups of
        # the network tier list all connections of nodes and control plane.
        vpc_security_group_ids=[network.node_security_group_id],
        block_device_mappings=[
            LaunchTemplateBlockDeviceMappings(
                device_name=ROOT_DEVICE,
                ebs=LaunchTemplateBlockDeviceMappingsEbs(
                    volume_type="gp3",
                    volume_size=nodes.disk_gb,
                    encrypted="true",
                    kms_key_id=disks.arn,
                    delete_on_termination="true",
                ),
            )
        ],
        # Hop limit 1: pods, which are one hop further away, cannot get the credentials of their node.
        metadata_options=LaunchTemplateMetadataOptions(
            http_endpoint="enabled",
            http_tokens="required",
            http_put_response_hop_limit=1,
            instance_metadata_tags="disabled",
        ),
        monitoring=LaunchTemplateMonitoring(enabled=True),
        user_data=base64.b64encode(_user_data(nodes).encode()).decode(),
        tag_specifications=[
            LaunchTemplateTagSpecifications(
                resource_type=kind, tags=instance_tags if kind == "instance" else tags
            )
            for kind in ("instance", "network-interface", "volume")
        ],
        tags=stack.tags(role),
    )


def _user_data(nodes: Nodes) -> str:
    """Sets maxPods and reserved memory: by default the kubelet reserves memory for the pods of a node without
    prefixes.

    EKS appends a part that sets maxPods in the kubelet's configuration, and the later of two parts wins; a
    flag of the kubelet takes precedence over its configuration. Sources: EKS user guide, "How maxPods is
    determined"; awslabs/amazon-eks-ami, nodeadm, internal/api/merge.go; kubernetes,
    cmd/kubelet/app/server.go, kubeletConfigFlagPrecedence.
    """
    return Templates().file(
        "compute/node.mime",
        pods=nodes.pods_each,
        cpu=reserved_cpu(nodes.instance.vcpus),
        memory=reserved_memory(nodes.pods_each),
        eviction=EVICTION,
    )
