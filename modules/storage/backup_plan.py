"""The backup plan: everything with the environment's backup tag is backed up daily, weekly and monthly."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.backup_plan import (
    BackupPlan,
    BackupPlanRule,
    BackupPlanRuleCopyAction,
    BackupPlanRuleCopyActionLifecycle,
    BackupPlanRuleLifecycle,
)
from cdktf_cdktf_provider_aws.backup_selection import BackupSelection, BackupSelectionSelectionTag
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.storage.backup_vaults import Vaults
from tierra.patterns.iam import attach, iam_role
from tierra.terraform.policy import trust
from tierra.terraform.stack import Stack

# Hours in UTC, spread out, and before working hours in Europe and the Americas.
DAILY = "cron(0 3 ? * * *)"
WEEKLY = "cron(0 4 ? * SUN *)"
MONTHLY = "cron(0 5 1 * ? *)"
START_MINUTES = 60
COMPLETION_MINUTES = 12 * 60

MANAGED_POLICIES = {
    "backup": "service-role/AWSBackupServiceRolePolicyForBackup",
    "restores": "service-role/AWSBackupServiceRolePolicyForRestores",
    "s3_backup": "AWSBackupServiceRolePolicyForS3Backup",
    "s3_restore": "AWSBackupServiceRolePolicyForS3Restore",
}


def backup_plan(stack: Stack, vaults: Vaults) -> IamRole:
    """`aws_backup_plan.main` and its selection. Returns the role that creates and restores backups."""
    settings = stack.environment.storage.backup
    role = _role(stack)
    plan = stack.add(
        BackupPlan,
        "main",
        name=stack.names.of("backup_plan", "main"),
        rule=[
            # Point-in-time recovery, where it is supported (S3, RDS); DocumentDB and volumes get a daily
            # snapshot.
            _rule(vaults, "daily", DAILY, settings.daily_days, continuous=True),
            _rule(vaults, "weekly", WEEKLY, settings.weekly_days),
            _rule(vaults, "monthly", MONTHLY, settings.monthly_days, cold_days=settings.cold_days),
        ],
        tags=stack.tags("main"),
    )
    [(key, value)] = stack.names.backup_tag.items()
    stack.add(
        BackupSelection,
        "tagged",
        name=stack.names.of("backup_plan", "tagged"),
        plan_id=plan.id,
        iam_role_arn=role.arn,
        selection_tag=[BackupSelectionSelectionTag(type="STRINGEQUALS", key=key, value=value)],
    )
    return role


def _rule(
    vaults: Vaults,
    name: str,
    schedule: str,
    days: int,
    *,
    continuous: bool = False,
    cold_days: int | None = None,
) -> BackupPlanRule:
    """A recovery point that is kept for `days`, and copied to the second region if there is one."""
    # Volumes only move to cold storage on opt-in; types that do not support it are kept as they are. Set even
    # when false, because AWS returns it: in a set of rules, a missing value would be a difference in every
    # plan.
    archive = cold_days is not None
    copies = [
        BackupPlanRuleCopyAction(
            destination_vault_arn=vault.arn,
            lifecycle=BackupPlanRuleCopyActionLifecycle(
                cold_storage_after=cold_days,
                delete_after=days,
                opt_in_to_archive_for_supported_resources=archive,
            ),
        )
        for vault in (vaults.copy,)
        if vault is not None
    ]
    return BackupPlanRule(
        rule_name=name,
        target_vault_name=vaults.main.name,
        schedule=schedule,
        start_window=START_MINUTES,
        completion_window=COMPLETION_MINUTES,
        enable_continuous_backup=continuous,
        lifecycle=BackupPlanRuleLifecycle(
            cold_storage_after=cold_days,
            delete_after=days,
            opt_in_to_archive_for_supported_resources=archive,
        ),
        copy_action=copies or None,
    )


def _role(stack: Stack) -> IamRole:
    """AWS Backup assumes it, for this account only."""
    trusted = trust("backup.amazonaws.com", stack.environment.account)
    role = iam_role(stack, "backup", "AWS Backup makes, copies and restores backups", trusted)
    for name, policy in MANAGED_POLICIES.items():
        attach(stack, name, role, policy)
    return role
