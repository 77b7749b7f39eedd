"""Kubernetes, its nodes, releases and images."""

from __future__ import annotations

from collections.abc import Mapping

from tierra.aws.types.entry import Type

TYPES: Mapping[str, Type] = {
    "aws_eks_access_entry": Type(grants=("principal_arn", "kubernetes_groups", "type"), free=True),
    "aws_eks_access_policy_association": Type(
        import_ids=("{cluster_name}#{principal_arn}#{policy_arn}",),
        grants=("principal_arn", "policy_arn", "access_scope"),
        free=True,
    ),
    "aws_eks_addon": Type(volatile=("modified_at",), free=True),
    "aws_eks_cluster": Type(
        volatile=("platform_version", "status"),
        tenant=("the cluster", "name"),
        outage="everything in the cluster is deleted",
        version="version",
    ),
    "aws_eks_node_group": Type(
        volatile=("resources", "status"),
        outage="its pods have no node",
        partial_outage="its pods move to other nodes, if those have room",
        interrupts={
            "launch_template": "its nodes are replaced one after another, and their pods move",
            "release_version": "its nodes are replaced one after another, and their pods move",
            "version": "its nodes are replaced one after another, and their pods move",
        },
        usage="nodes that the autoscaler adds, CPU credits, traffic between zones",
    ),
    "aws_eks_pod_identity_association": Type(
        import_ids=("{cluster_name},{id}",),
        grants=("namespace", "service_account", "role_arn"),
        free=True,
    ),
    "aws_launch_template": Type(free=True),
    "aws_autoscaling_group_tag": Type(free=True),
    "aws_autoscaling_lifecycle_hook": Type(import_ids=("{autoscaling_group_name}/{name}",)),
    "aws_autoscaling_policy": Type(import_ids=("{autoscaling_group_name}/{name}",), free=True),
    "aws_autoscaling_schedule": Type(import_ids=("{autoscaling_group_name}/{scheduled_action_name}",)),
    "aws_appautoscaling_policy": Type(
        import_ids=("{service_namespace}/{resource_id}/{scalable_dimension}/{name}",),
    ),
    "aws_appautoscaling_target": Type(import_ids=("{service_namespace}/{resource_id}/{scalable_dimension}",)),
    "aws_lambda_alias": Type(import_ids=("{function_name}/{name}",)),
    "aws_lambda_permission": Type(
        import_ids=("{function_name}/{statement_id}", "{function_name}:{qualifier}/{statement_id}"),
    ),
    "aws_ecr_lifecycle_policy": Type(free=True),
    "aws_ecr_pull_through_cache_rule": Type(usage="cached images, by the bytes kept"),
    "aws_ecr_registry_scanning_configuration": Type(usage="enhanced scans, by the image"),
    "aws_ecr_repository": Type(
        emptied=(
            "force_delete",
            "images",
            "name",
            (
                "to delete it with its images, once no pod runs one: aws ecr"
                " delete-repository-policy --repository-name {name}{region} && aws ecr"
                " delete-repository --force --repository-name {name}{region}, and run make plan again"
            ),
        ),
        usage="images, by the bytes kept",
    ),
    "aws_ecr_repository_policy": Type(free=True),
    "aws_codebuild_project": Type(usage="runners, by the minute that a job takes"),
    "aws_codebuild_webhook": Type(free=True),
    "helm_release": Type(
        import_ids=("{namespace}/{name}",),
        minor_data=True,
        outage="its pods stop",
        usage="volumes of its pods, by their size, and requests of its pods to AWS",
    ),
}
