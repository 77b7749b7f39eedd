"""Differences that are not drift: values that AWS changes by itself, and values that reflect other
resources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

# What AWS changes in the ordinary course of things. A test holds every name against the schema: none can be
# set, so none can have been changed by hand.
VOLATILE: Mapping[str, frozenset[str]] = {
    "aws_acm_certificate": frozenset(
        {"not_after", "not_before", "pending_renewal", "renewal_eligibility", "renewal_summary"}
    ),
    "aws_backup_vault": frozenset({"recovery_points"}),
    "aws_db_instance": frozenset({"engine_version_actual", "latest_restorable_time", "replicas", "status"}),
    "aws_docdb_cluster_instance": frozenset({"writer"}),
    "aws_eks_addon": frozenset({"modified_at"}),
    "aws_eks_cluster": frozenset({"platform_version", "status"}),
    "aws_eks_node_group": frozenset({"resources", "status"}),
    "aws_elasticache_replication_group": frozenset({"engine_version_actual", "member_clusters"}),
    "aws_iam_policy": frozenset({"attachment_count"}),
    "aws_lb_target_group": frozenset({"load_balancer_arns"}),
    "aws_sns_topic_subscription": frozenset({"confirmation_was_authenticated", "pending_confirmation"}),
    "aws_ssm_parameter": frozenset({"version"}),  # counts the writes of attributes in ignore_changes
    "aws_wafv2_web_acl": frozenset({"lock_token"}),
}

# Attributes that reflect resources created later: the state has them at the next refresh,
# so each apply would look like drift (terraform-provider-aws #18437, #22317). Of the first kind there is one
# resource for each element; more or fewer elements than resources are drift.
ELEMENTS: Mapping[tuple[str, str], str] = {
    ("aws_docdb_cluster", "cluster_members"): "aws_docdb_cluster_instance",
    ("aws_iam_role", "inline_policy"): "aws_iam_role_policy",
    ("aws_iam_role", "managed_policy_arns"): "aws_iam_role_policy_attachment",
    ("aws_network_acl", "egress"): "aws_network_acl_rule",
    ("aws_network_acl", "ingress"): "aws_network_acl_rule",
    ("aws_route_table", "route"): "aws_route",
    ("aws_security_group", "egress"): "aws_vpc_security_group_egress_rule",
    ("aws_security_group", "ingress"): "aws_vpc_security_group_ingress_rule",
}
# In the second group one resource manages the whole attribute and shows its changes.
WHOLES: Mapping[tuple[str, str], str] = {
    ("aws_acm_certificate", "status"): "aws_acm_certificate_validation",
    ("aws_eip", "association_id"): "aws_nat_gateway",
    ("aws_eip", "network_interface"): "aws_nat_gateway",
    ("aws_eip", "private_dns"): "aws_nat_gateway",
    ("aws_eip", "private_ip"): "aws_nat_gateway",
    ("aws_s3_bucket", "lifecycle_rule"): "aws_s3_bucket_lifecycle_configuration",
    ("aws_s3_bucket", "logging"): "aws_s3_bucket_logging",
    ("aws_s3_bucket", "policy"): "aws_s3_bucket_policy",
    ("aws_s3_bucket", "server_side_encryption_configuration"): (
        "aws_s3_bucket_server_side_encryption_configuration"
    ),
    ("aws_s3_bucket", "versioning"): "aws_s3_bucket_versioning",
    ("aws_sns_topic", "policy"): "aws_sns_topic_policy",
}
NAMES = ("id", "arn", "name", "bucket")
# A rule of a security group shows all its sources in one element.
SOURCES = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")

Resource = Mapping[str, Any]


def expected_drift(drifted: Resource, managed: Iterable[Resource], configured: Resource) -> list[str]:
    """The attributes of a drifted resource (of `resource_drift` in terraform's JSON of a plan) that are not
    drift. `managed` are the resources in the tier's state, `configured` is its generated configuration."""
    kind, after = drifted["type"], drifted["change"]["after"]
    ignored = configured.get("lifecycle", {}).get("ignore_changes", [])
    attributes = [*VOLATILE.get(kind, ()), *(after if ignored == "all" else ignored)]
    if kind == "aws_db_instance" and _grown(drifted["change"]):
        attributes.append("allocated_storage")
    if kind == "aws_db_instance" and "engine_version" not in configured:
        attributes.append("engine_version")  # of a replica: it follows AWS, or the primary
    names = {after.get(name) for name in NAMES} - {None}
    for table in (ELEMENTS, WHOLES):
        for (of_kind, attribute), by in table.items():
            if of_kind == kind and attribute not in configured:
                others = [resource["values"] for resource in managed if resource["type"] == by]
                count = sum(_belongs(resource, names, attribute) for resource in others)
                if count == _count(after.get(attribute)) if table is ELEMENTS else count:
                    attributes.append(attribute)
    return attributes


def covers(ignored: str, attribute: str) -> bool:
    """Whether a value is at an ignored path, or below it; `["a"]`, `[0]` and `.a` are one."""
    path, above = (
        [part for part in re.split(r"[.\[\]\"]+", path_) if part] for path_ in (attribute, ignored)
    )
    return path[: len(above)] == above


def _belongs(resource: Resource, names: set[Any], attribute: str) -> bool:
    if attribute in ("egress", "ingress") and resource.get("egress") not in (None, attribute == "egress"):
        return False
    return any(value in names for value in resource.values() if isinstance(value, str))


def _count(value: Any) -> int:
    """The number of resources that an attribute reflects."""
    return sum(max(1, _sources(block)) for block in value or [])


def _sources(element: Any) -> int:
    if not isinstance(element, dict):
        return 1
    return sum(len(element.get(name) or []) for name in SOURCES) + bool(element.get("self"))


def _grown(change: Resource) -> bool:
    """Whether a database grew within the maximum of the spec."""
    was, now = change["before"], change["after"]
    return bool((was.get("allocated_storage") or 0) < (now.get("allocated_storage") or 0)) and bool(
        now.get("max_allocated_storage")
    )
