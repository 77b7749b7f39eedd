"""Imports: the ids by which objects are found, and which values an import does not restore.

Sources, of hashicorp/terraform-provider-aws: for the ids, the section "Import" of
website/docs/r/<type>.html.markdown; for values that no API returns, ImportStateVerifyIgnore in the acceptance
tests of each type, internal/service/*/*_test.go; for values that an import sets itself,
resourceInstanceImport and resourceClusterImport in internal/service/rds and docdb. Of helm_release:
docs/resources/release.md of hashicorp/terraform-provider-helm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.protocol import Object

# Attributes by which an import may name an object of any type.
ANY = ("{id}", "{arn}", "{name}", "{identifier}", "{cluster_identifier}", "{key_id}", "{url}")
_SCALABLE = "{service_namespace}/{resource_id}/{scalable_dimension}"
_RULE = "{network_acl_id}:{rule_number}:{protocol}:{egress}"
_RECORD = "{zone_id}_{name}_{type}"
IDS: Mapping[str, tuple[str, ...]] = {
    "aws_appautoscaling_policy": (f"{_SCALABLE}/{{name}}",),
    "aws_appautoscaling_target": (_SCALABLE,),
    "aws_autoscaling_lifecycle_hook": ("{autoscaling_group_name}/{name}",),
    "aws_autoscaling_policy": ("{autoscaling_group_name}/{name}",),
    "aws_autoscaling_schedule": ("{autoscaling_group_name}/{scheduled_action_name}",),
    "aws_backup_selection": ("{plan_id}|{id}",),
    "aws_cloudwatch_event_target": ("{event_bus_name}/{rule}/{target_id}", "{rule}/{target_id}"),
    "aws_eks_access_policy_association": ("{cluster_name}#{principal_arn}#{policy_arn}",),
    "aws_eks_pod_identity_association": ("{cluster_name},{association_id}",),
    "aws_iam_group_policy_attachment": ("{group}/{policy_arn}",),
    "aws_iam_role_policy_attachment": ("{role}/{policy_arn}",),
    "aws_iam_user_policy_attachment": ("{user}/{policy_arn}",),
    "aws_lambda_alias": ("{function_name}/{name}",),
    "aws_lambda_permission": ("{function_name}/{statement_id}", "{function_name}:{qualifier}/{statement_id}"),
    "aws_lb_listener_certificate": ("{listener_arn}_{certificate_arn}",),
    "aws_network_acl_rule": (_RULE,),
    "aws_route": tuple(
        f"{{route_table_id}}_{{destination_{destination}}}"
        for destination in ("cidr_block", "ipv6_cidr_block", "prefix_list_id")
    ),
    "aws_route53_record": (f"{_RECORD}_{{set_identifier}}", _RECORD),
    "aws_route_table_association": ("{subnet_id}/{route_table_id}", "{gateway_id}/{route_table_id}"),
    "aws_vpc_endpoint_route_table_association": ("{vpc_endpoint_id}/{route_table_id}",),
    "aws_vpc_endpoint_subnet_association": ("{vpc_endpoint_id}/{subnet_id}",),
    "aws_wafv2_ip_set": ("{id}/{name}/{scope}",),
    "aws_wafv2_regex_pattern_set": ("{id}/{name}/{scope}",),
    "aws_wafv2_rule_group": ("{id}/{name}/{scope}",),
    "aws_wafv2_web_acl": ("{id}/{name}/{scope}",),
    "aws_wafv2_web_acl_association": ("{web_acl_arn},{resource_arn}",),
    "helm_release": ("{namespace}/{name}",),
}
# Arguments that no API returns: only terraform's state has them, and an import leaves them unset.
UNREAD = (
    *("allow_major_version_upgrade", "apply_immediately", "auth_token", "auth_token_update_strategy"),
    *("bypass_policy_lockout_safety_check", "delete_automated_backups", "deletion_window_in_days"),
    *("final_snapshot_identifier", "force_delete", "force_destroy", "force_detach_policies"),
    *("force_overwrite_replica_secret", "force_update_version", "manage_master_user_password"),
    *("master_password", "password", "password_wo_version", "master_password_wo_version"),
    *("recovery_window_in_days", "resolve_conflicts_on_create", "resolve_conflicts_on_update"),
    *("revoke_rules_on_delete", "secret_string_wo_version", "skip_destroy", "skip_final_snapshot"),
    *("wait_for_capacity_timeout", "wait_for_steady_state"),
)
# Values that an import sets for arguments that no API returns.
SET: Mapping[str, Mapping[str, Any]] = {
    "aws_db_instance": {"skip_final_snapshot": True, "delete_automated_backups": True},
    "aws_docdb_cluster": {"skip_final_snapshot": True},
    "aws_rds_cluster": {"skip_final_snapshot": True, "delete_automated_backups": True},
}
_NAME = re.compile(r"\{(\w+)\}")


def ids(type_name: str, state: Object) -> Iterator[str]:
    """The ids by which an import may name the object."""
    for pattern in (*IDS.get(type_name, ()), *ANY):
        names = _NAME.findall(pattern)
        values = {name: _text(state.get(name)) for name in names}
        if all(values.values()):
            yield _NAME.sub(lambda match, values=values: values[match[1]], pattern)  # type: ignore[misc]


def imported(type_name: str, stored: Object) -> Object:
    """The object as an import reads it, without arguments that no API returns."""
    return {**stored, **{name: None for name in UNREAD if name in stored}, **SET.get(type_name, {})}


def refreshed(stored: Object, state: Object) -> Object:
    """The object as it is now; arguments that no API returns keep the values of the state."""
    return {**stored, **{name: state.get(name) for name in UNREAD if name in stored}}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else ""
