"""AWS Backup: plans, selections, vaults and their locks."""

from __future__ import annotations

from collections import Counter

from rehearsal.refusals.documents import RESOURCE, policy_error, trusted
from rehearsal.refusals.rules import Rule, blocks, changed, texts
from tierra.aws.transition_answers import Around, Values

COLD_DAYS, CONTINUOUS_DAYS = 90, 35
INVALID = "InvalidParameterValueException:"


def lifecycle(was: Values, now: Values, _around: Around) -> str:
    if not changed(was, now, "rule"):
        return ""
    for rule in blocks(now, "rule"):
        for lifecycle_ in [
            *blocks(rule, "lifecycle"),
            *(copied for copy in blocks(rule, "copy_action") for copied in blocks(copy, "lifecycle")),
        ]:
            cold, gone = lifecycle_.get("cold_storage_after"), lifecycle_.get("delete_after")
            if not isinstance(cold, int) or not isinstance(gone, int) or not cold or not gone:
                continue
            if gone < cold + COLD_DAYS:
                return (
                    f"{INVALID} DeleteAfterDays cannot be less than {COLD_DAYS} days apart from"
                    " MoveToColdStorageAfterDays"
                )
    return ""


def rules(was: Values, now: Values, _around: Around) -> str:
    if not changed(was, now, "rule"):
        return ""
    names = Counter(str(rule.get("rule_name")) for rule in blocks(now, "rule"))
    twice = next((name for name, number in names.items() if number > 1), None)
    if twice:
        return f"{INVALID} Rule names of a backup plan must differ: {twice}"
    for rule in blocks(now, "rule"):
        retention = [lifecycle.get("delete_after") for lifecycle in blocks(rule, "lifecycle")]
        days = retention[0] if retention and rule.get("enable_continuous_backup") is True else None
        if isinstance(days, int) and not 1 <= days <= CONTINUOUS_DAYS:
            return (
                f"{INVALID} Lifecycle of continuous backups must be 1 to {CONTINUOUS_DAYS} days, got {days}"
            )
        start, completion = rule.get("start_window"), rule.get("completion_window")
        if isinstance(start, int) and 0 < start < 60:
            return f"{INVALID} Start window must be at least 60 minutes: {start}"
        if isinstance(start, int) and isinstance(completion, int) and completion < start + 60:
            return (
                f"{INVALID} Completion window {completion} must be at least 60 minutes longer than the start"
                " window"
                f" {start}"
            )
    return ""


def selection_role(was: Values, now: Values, around: Around) -> str:
    arn = now.get("iam_role_arn")
    if not changed(was, now, "iam_role_arn") or trusted(around, arn, "backup.amazonaws.com"):
        return ""
    return f"{INVALID} IAM Role {arn} cannot be assumed by AWS Backup"


def selection(_was: Values, now: Values, _around: Around) -> str:
    given = [*texts(now.get("resources")), *texts(now.get("not_resources"))]
    if not given and not blocks(now, "selection_tag") and not blocks(now, "condition"):
        return (
            f"{INVALID} Invalid backup selection. Either 'ListOfTags' or 'Resources' section must be"
            " non-empty."
        )
    return ""


def lock(was: Values, now: Values, _around: Around) -> str:
    least, most = now.get("min_retention_days"), now.get("max_retention_days")
    if isinstance(least, int) and isinstance(most, int) and 0 < most < least:
        return f"{INVALID} MinRetentionDays {least} cannot be greater than MaxRetentionDays {most}"
    return ""


def vault_policy(was: Values, now: Values, _around: Around) -> str:
    words = policy_error(now.get("policy"), RESOURCE) if changed(was, now, "policy") else ""
    return f"{INVALID} The specified policy cannot be added to the vault: {words}" if words else ""


API = "API backup, "
RULES = (
    Rule(
        "lifecycle",
        ("aws_backup_plan",),
        f"recovery points in cold storage must stay there for at least {COLD_DAYS} days",
        API + "Lifecycle, DeleteAfterDays; CreateBackupPlan, InvalidParameterValueException",
        lifecycle,
    ),
    Rule(
        "windows",
        ("aws_backup_plan",),
        "the names of the rules of a plan must be unique, and a rule must have at least an hour to start"
        " and another hour to complete",
        API + "BackupRuleInput, StartWindowMinutes, CompletionWindowMinutes",
        rules,
    ),
    Rule(
        "selection_role",
        ("aws_backup_selection",),
        "the role of a selection must trust backup.amazonaws.com",
        "hashicorp/terraform-provider-aws#9297 quotes the answer",
        selection_role,
    ),
    Rule(
        "selection",
        ("aws_backup_selection",),
        "a selection must select by resources, tags or conditions",
        "ministryofjustice/modernisation-platform-terraform-baselines#90 quotes the answer",
        selection,
    ),
    Rule(
        "vault_lock",
        ("aws_backup_vault_lock_configuration",),
        "the minimum retention of a vault must be at most its maximum",
        API + "PutBackupVaultLockConfiguration, InvalidParameterValueException",
        lock,
    ),
    Rule(
        "vault_policy",
        ("aws_backup_vault_policy",),
        "a policy of a vault must follow the grammar",
        API + "PutBackupVaultAccessPolicy, InvalidParameterValueException",
        vault_policy,
    ),
)
