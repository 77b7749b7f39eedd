"""Backup vaults: one, protected against early deletion, and a second one in another region if the spec says
so."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.backup_vault import BackupVault
from cdktf_cdktf_provider_aws.backup_vault_lock_configuration import BackupVaultLockConfiguration
from cdktf_cdktf_provider_aws.backup_vault_policy import BackupVaultPolicy

from tierra.patterns.encryption import Key, encryption_key
from tierra.terraform.policy import THIS_KEY, Everyone, Everything, Statement, document
from tierra.terraform.stack import Stack

MAIN = "main"
COPY = "copy"


@dataclass(frozen=True)
class Vaults:
    """`copy` is None without a second region."""

    main: BackupVault
    key: Key
    copy: BackupVault | None


def backup_vaults(stack: Stack) -> Vaults:
    """`aws_backup_vault.main`, and `.copy` in storage.backup.copy_region. Each has a key in its region."""
    key = encryption_key(stack, "backup", "Backups and the topic that reports on them", _reports(stack))
    main = _vault(stack, MAIN, key)
    region = stack.environment.storage.backup.copy_region
    if region is None:
        return Vaults(main, key, None)
    copy_key = encryption_key(stack, "backup_copy", "Copies of backups from another region", region=region)
    return Vaults(main, key, _vault(stack, COPY, copy_key, region))


def vault_arn(stack: Stack, role: str) -> str:
    """ARN of a vault in the region of the environment, known before the vault exists."""
    return stack.arn("backup", f"backup-vault:{stack.names.of('backup_vault', role)}")


def _reports(stack: Stack) -> Statement:
    """Lets AWS Backup encrypt its messages to the topic, for this account."""
    return Statement(
        sid="BackupReportsToTheTopic",
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=THIS_KEY,
        principals={"Service": "backup.amazonaws.com"},
        conditions={"StringEquals": {"aws:SourceAccount": stack.environment.account}},
    )


def _vault(stack: Stack, role: str, key: Key, region: str | None = None) -> BackupVault:
    vault = stack.add(
        BackupVault,
        role,
        region=region,
        name=stack.names.of("backup_vault", role),
        kms_key_arn=key.arn,
        force_destroy=not stack.environment.protection,
        lifecycle=stack.prevent_destroy,
        tags=stack.tags(role),
    )
    _lock(stack, role, vault, region)
    if stack.environment.protection:
        _refuse_deletion(stack, role, vault, region)
    return vault


def _lock(stack: Stack, role: str, vault: BackupVault, region: str | None) -> None:
    """No role can delete a recovery point early. The limits are separate keys, because changing one replaces
    the lock: they must not follow the retention of the plan."""
    settings = stack.environment.storage.backup
    if settings.lock == "off":
        return
    stack.add(
        BackupVaultLockConfiguration,
        role,
        region=region,
        backup_vault_name=vault.name,
        # With days of grace it is a compliance lock, which cannot be removed once they have passed.
        changeable_for_days=settings.lock_grace_days if settings.lock == "compliance" else None,
        min_retention_days=settings.lock_min_days,
        max_retention_days=settings.lock_max_days,
    )


def _refuse_deletion(stack: Stack, role: str, vault: BackupVault, region: str | None) -> None:
    """Recovery points expire and cannot be deleted otherwise. To allow it, set protection to false."""
    stack.add(
        BackupVaultPolicy,
        role,
        region=region,
        backup_vault_name=vault.name,
        policy=document(
            Statement(
                sid="RefuseDeletion",
                effect="Deny",
                principals=Everyone("no role is exempt from a refusal"),
                actions=[
                    "backup:DeleteRecoveryPoint",
                    "backup:DisassociateRecoveryPoint",
                    "backup:UpdateRecoveryPointLifecycle",
                ],
                resources=Everything("the policy of a vault is about the recovery points in it"),
            )
        ),
    )
