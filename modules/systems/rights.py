"""AWS permissions of the pods of a system: those of its needs, and those of its `permissions`."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.compute.outputs import ComputeOutputs
from modules.data.outputs import DataOutputs
from modules.storage.outputs import StorageOutputs
from modules.systems.own_spec import own_statements
from modules.systems.spec import System
from tierra.patterns.iam import grant
from tierra.patterns.pod_identity import associate, pod_role
from tierra.terraform.policy import Statement
from tierra.terraform.stack import Stack


@dataclass(frozen=True)
class Identity:
    """The role of pods, and the resources that must exist before them."""

    role: IamRole
    before_pods: list[ITerraformDependable]


def pods(
    stack: Stack,
    name: str,
    system: System,
    cluster: ComputeOutputs,
    data: DataOutputs,
    storage: StorageOutputs,
) -> Identity:
    """`aws_iam_role.<system>`, associated with the service account of the system in its namespace."""
    address = name.replace("-", "_")
    role = pod_role(stack, address, f"Pods of {name}", name, name)
    statements = [
        *_files(stack, name, system, storage),
        *_redis(system, data),
        *own_statements(system.permissions),
    ]
    rights = [grant(stack, address, role, *statements)] if statements else []
    return Identity(role, [*rights, associate(stack, address, cluster.cluster_name, name, name, role)])


def _files(stack: Stack, name: str, system: System, storage: StorageOutputs) -> list[Statement]:
    """Files in the folder with the name of the system; it has no access to those of other systems."""
    if "files" not in system.needs:
        return []
    environment = stack.environment
    return [
        Statement(
            sid="ListFilesOfItsOwn",
            actions="s3:ListBucket",
            resources=storage.files_bucket_arn,
            conditions={"StringLike": {"s3:prefix": [f"{name}/*", f"{name}/"]}},
        ),
        Statement(
            sid="UseFilesOfItsOwn",
            actions=["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            resources=f"{storage.files_bucket_arn}/{name}/*",
        ),
        Statement(
            sid="EncryptFiles",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=storage.files_key_arn,
            conditions={
                "StringEquals": {"kms:ViaService": f"s3.{environment.region}.{environment.dns_suffix}"}
            },
        ),
    ]


def _redis(system: System, data: DataOutputs) -> list[Statement]:
    if "redis" not in system.needs:
        return []
    return [
        Statement(
            sid="ConnectToRedis",
            actions="elasticache:Connect",
            resources=[
                data.redis_replication_group_arn,
                data.redis_broker_replication_group_arn,
                data.redis_user_arn,
            ],
        )
    ]
