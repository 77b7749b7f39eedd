"""Restore tests: each week AWS Backup restores the newest backup, reports the result, and deletes the
copy."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.backup_restore_testing_plan import (
    BackupRestoreTestingPlan,
    BackupRestoreTestingPlanRecoveryPointSelection,
)
from cdktf_cdktf_provider_aws.backup_restore_testing_selection import BackupRestoreTestingSelection
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.storage.backup_vaults import Vaults
from tierra.patterns.bucket import PrivateBucket
from tierra.terraform.stack import Stack

# After the weekly backup.
WEEKLY = "cron(0 8 ? * SUN *)"
START_HOURS = 4
# Longer than a week, so that one missed backup does not fail the test: the vault reports it separately.
WINDOW_DAYS = 14
VALIDATION_HOURS = 1


def restore_testing(stack: Stack, vaults: Vaults, role: IamRole, files: PrivateBucket) -> None:
    """`aws_backup_restore_testing_plan.weekly`, with the bucket for files. Other tiers add their own
    selections."""
    plan = stack.add(
        BackupRestoreTestingPlan,
        "weekly",
        name=stack.names.underscored("restore_testing_plan", "weekly"),
        schedule_expression=WEEKLY,
        start_window_hours=START_HOURS,
        recovery_point_selection=[
            BackupRestoreTestingPlanRecoveryPointSelection(
                algorithm="LATEST_WITHIN_WINDOW",
                include_vaults=[vaults.main.arn],
                recovery_point_types=["CONTINUOUS", "SNAPSHOT"],
                selection_window_days=WINDOW_DAYS,
            )
        ],
        tags=stack.tags("weekly"),
    )
    stack.add(
        BackupRestoreTestingSelection,
        "files",
        name=stack.names.underscored("restore_testing_plan", "files"),
        restore_testing_plan_name=plan.name,
        protected_resource_type="S3",
        protected_resource_arns=[files.bucket.arn],
        iam_role_arn=role.arn,
        validation_window_hours=VALIDATION_HOURS,
    )
