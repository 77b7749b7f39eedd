"""Volumes of systems: each is a separate EFS file system with mount targets in every zone.

Why EFS and not EBS: docs/decisions/0011-shared-volumes.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.efs_access_point import (
    EfsAccessPoint,
    EfsAccessPointPosixUser,
    EfsAccessPointRootDirectory,
    EfsAccessPointRootDirectoryCreationInfo,
)
from cdktf_cdktf_provider_aws.efs_file_system import EfsFileSystem
from cdktf_cdktf_provider_aws.efs_file_system_policy import EfsFileSystemPolicy
from cdktf_cdktf_provider_aws.efs_mount_target import EfsMountTarget

from modules.data.keys import grants_are_for_services
from modules.network.outputs import NetworkOutputs
from modules.systems.volume_spec import OWNER
from modules.systems.volume_spec import volumes as asked_for
from tierra.patterns.encryption import Key, encryption_key
from tierra.terraform.policy import Everyone, Statement, document
from tierra.terraform.stack import Stack

# Path in the file system. Restored files are put into a folder beside it (docs/restore.md).
ROOT = "/volume"


@dataclass(frozen=True)
class Volume:
    """`handle` is the volume handle of the EFS CSI driver."""

    file_system: EfsFileSystem
    handle: str


def volumes(stack: Stack, network: NetworkOutputs) -> dict[str, Volume]:
    """`aws_efs_file_system.<system>_<volume>` and its resources, by `<system>_<volume>`; one key for all."""
    systems = stack.environment.systems
    if not asked_for(systems):
        return {}
    key = encryption_key(stack, "volumes", "Volumes of systems", grants_are_for_services())
    result = {}
    for current, system in systems.items():
        with stack.system(current) as name:
            for volume in system.volumes:
                result[f"{current}_{volume}"] = _volume(stack, network, key, f"{name}-{volume}")
    return result


def _volume(stack: Stack, network: NetworkOutputs, key: Key, name: str) -> Volume:
    address = name.replace("-", "_")
    file_system = stack.add(
        EfsFileSystem,
        address,
        creation_token=stack.names.of("efs_token", name),
        encrypted=True,
        kms_key_id=key.arn,
        performance_mode="generalPurpose",
        # Elastic throughput, billed by the byte; bursting throughput would depend on the size.
        throughput_mode="elastic",
        lifecycle=stack.prevent_destroy,
        tags={**stack.tags(name), **stack.names.backup_tag},
    )
    policy = stack.add(
        EfsFileSystemPolicy, address, file_system_id=file_system.id, policy=_policy(file_system.arn)
    )
    targets = [
        stack.add(
            EfsMountTarget,
            f"{address}_{zone}",
            file_system_id=file_system.id,
            subnet_id=subnet,
            security_groups=[network.volumes_security_group_id],
        )
        for zone, subnet in network.database_subnet_ids.items()
    ]
    owner = EfsAccessPointRootDirectoryCreationInfo(owner_uid=OWNER, owner_gid=OWNER, permissions="0750")
    access = stack.add(
        EfsAccessPoint,
        address,
        file_system_id=file_system.id,
        posix_user=EfsAccessPointPosixUser(uid=OWNER, gid=OWNER),
        root_directory=EfsAccessPointRootDirectory(path=ROOT, creation_info=owner),
        # References to the access point wait until every zone has a mount target.
        depends_on=[policy, *targets],
        lifecycle=stack.prevent_destroy,
        tags=stack.tags(name),
    )
    return Volume(file_system, f"{file_system.id}::{access.id}")


def _policy(arn: str) -> str:
    """Nodes mount without a role, as the security group allows: only with TLS and through an access point, so
    never as root and never outside of the folder of the system."""
    return document(
        Statement(
            sid="MountThroughAccessPoints",
            principals=Everyone("the security group decides who reaches the mount targets"),
            actions=["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            resources=arn,
            conditions={
                "Bool": {
                    "aws:SecureTransport": "true",
                    "elasticfilesystem:AccessedViaMountTarget": "true",
                },
                "Null": {"elasticfilesystem:AccessPointArn": "false"},
            },
        ),
    )
