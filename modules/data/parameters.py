"""Parameters of PostgreSQL: TLS is required, slow statements are logged, idle transactions are ended."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.db_parameter_group import DbParameterGroup, DbParameterGroupParameter

from modules.data.postgres_spec import Postgres as Settings
from tierra.terraform.stack import Stack

AT_ONCE = "immediate"
AT_REBOOT = "pending-reboot"

# By name: the value, and when RDS applies it.
COMMON = {
    "auto_explain.log_min_duration": ("5000", AT_ONCE),  # ms; plans of slower statements are logged
    "idle_in_transaction_session_timeout": ("300000", AT_ONCE),  # ms; an open transaction blocks vacuum
    "log_connections": ("1", AT_ONCE),
    "log_disconnections": ("1", AT_ONCE),
    "log_lock_waits": ("1", AT_ONCE),
    "log_min_duration_statement": ("1000", AT_ONCE),  # ms
    "password_encryption": ("scram-sha-256", AT_ONCE),
    "rds.force_ssl": ("1", AT_ONCE),
    "shared_preload_libraries": ("pg_stat_statements,auto_explain", AT_REBOOT),
}
# The primary keeps rows that long queries of a replica still read; queries are only canceled after five
# minutes.
REPLICA = {
    "hot_standby_feedback": ("1", AT_ONCE),
    "max_standby_streaming_delay": ("300000", AT_ONCE),  # ms
}


def primary_parameters(stack: Stack, settings: Settings) -> DbParameterGroup:
    """`aws_db_parameter_group.postgres`."""
    return _group(stack, settings, "postgres", "PostgreSQL", COMMON)


def replica_parameters(stack: Stack, settings: Settings) -> DbParameterGroup:
    """`aws_db_parameter_group.postgres_replica`. It is unchanged during a major upgrade, while replicas still
    have the earlier version and use it."""
    ignored = ["family", "name_prefix"] if settings.allow_major_upgrade else None
    return _group(
        stack, settings, "postgres_replica", "Read replicas of PostgreSQL", COMMON | REPLICA, ignored
    )


def _group(
    stack: Stack,
    settings: Settings,
    role: str,
    description: str,
    parameters: dict[str, tuple[str, str]],
    ignored: list[str] | None = None,
) -> DbParameterGroup:
    """In the family of the major version, so that a major upgrade creates a new group before the old one is
    deleted."""
    return stack.add(
        DbParameterGroup,
        role,
        name_prefix=stack.names.prefix("parameter_group", f"{role.replace('_', '-')}{settings.major}"),
        family=f"postgres{settings.major}",
        description=description,
        parameter=[
            DbParameterGroupParameter(name=name, value=value, apply_method=method)
            for name, (value, method) in sorted(parameters.items())
        ],
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True, ignore_changes=ignored),
        tags=stack.tags(role.replace("_", "-")),
    )
