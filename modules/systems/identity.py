"""Who a system is to AWS: the role of its pods, which may do what its needs say and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.eks_pod_identity_association import EksPodIdentityAssociation
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.compute.outputs import ComputeOutputs
from modules.data.outputs import DataOutputs
from modules.iam import grant
from modules.pod_identity import pod_role
from modules.policy import Statement
from modules.stack import Stack
from modules.storage.outputs import StorageOutputs
from modules.systems.naming import slug
from modules.systems.spec import System


@dataclass(frozen=True)
class Identity:
    """The role, and what must be there before a pod starts: it asks for credentials once it runs."""

    role: IamRole
    ready: list[ITerraformDependable]


def identity(
    stack: Stack,
    name: str,
    system: System,
    cluster: ComputeOutputs,
    data: DataOutputs,
    storage: StorageOutputs,
) -> Identity:
    """`aws_iam_role.system_<system>`, tied to the service account of the system's name and namespace."""
    role_name = f"system_{slug(name)}"
    role = pod_role(stack, role_name, f"Pods of {name}", name, name)
    rights = [*_redis(system, data), *_files(stack, name, system, storage)]
    granted = [grant(stack, role_name, role, *rights)] if rights else []
    association = stack.add(
        EksPodIdentityAssociation,
        slug(name),
        cluster_name=cluster.cluster_name,
        namespace=name,
        service_account=name,
        role_arn=role.arn,
        tags=stack.tags(name),
    )
    return Identity(role, [association, *granted])


def _redis(system: System, data: DataOutputs) -> Iterator[Statement]:
    """Both the group and the user are named: a token is for the two."""
    if "redis" in system.needs:
        groups = {data.redis_replication_group_arn: None, data.redis_broker_replication_group_arn: None}
        yield Statement(
            sid="SignInToRedis",
            actions="elasticache:Connect",
            resources=[*groups, data.redis_user_arn],
        )


def _files(stack: Stack, name: str, system: System, storage: StorageOutputs) -> Iterator[Statement]:
    """Files below the system's own name, in the one bucket, with its key and through S3 alone."""
    if "files" not in system.needs:
        return
    place = stack.environment
    yield Statement(
        sid="UseItsFiles",
        actions=[
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ],
        resources=f"{storage.files_bucket_arn}/{name}/*",
    )
    yield Statement(
        sid="ListItsFiles",
        actions="s3:ListBucket",
        resources=storage.files_bucket_arn,
        conditions={"StringLike": {"s3:prefix": f"{name}/*"}},
    )
    yield Statement(
        sid="EncryptItsFiles",
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=storage.files_key_arn,
        conditions={"StringEquals": {"kms:ViaService": f"s3.{place.region}.{place.dns_suffix}"}},
    )
