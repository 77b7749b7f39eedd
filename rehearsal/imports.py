"""Imports: the ids by which objects are found, and which values an import does not restore.

Source of what no API answers: ImportStateVerifyIgnore in the acceptance tests of each type of
hashicorp/terraform-provider-aws, internal/service/*/*_test.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rehearsal.protocol import Object
from tierra.aws.types import known

# Attributes by which an import may name an object of any type.
ANY = ("{id}", "{arn}", "{name}", "{identifier}", "{cluster_identifier}", "{key_id}", "{url}")
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
_NAME = re.compile(r"\{(\w+)\}")


def ids(type_name: str, state: Object) -> Iterator[str]:
    """The identifiers with which an operator can import the object."""
    for pattern in (*known(type_name).import_ids, *ANY):
        names = _NAME.findall(pattern)
        values = {name: _text(state.get(name)) for name in names}
        if all(values.values()):
            yield _NAME.sub(lambda match, values=values: values[match[1]], pattern)  # type: ignore[misc]


def imported(type_name: str, existing: Object) -> Object:
    """The state of an imported object: without the values that no API returns."""
    return {**existing, **{name: None for name in UNREAD if name in existing}, **known(type_name).import_sets}


def refreshed(stored: Object, state: Object) -> Object:
    """The object as it is now; arguments that no API returns keep the values of the state."""
    return {**stored, **{name: state.get(name) for name in UNREAD if name in stored}}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else ""
