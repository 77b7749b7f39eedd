"""The storage tier: the bucket for files of systems, the bucket of access logs, and tested backups."""

from __future__ import annotations

from modules.storage.backup_plan import backup_plan
from modules.storage.backup_vaults import backup_vaults
from modules.storage.files import files
from modules.storage.logs import logs
from modules.storage.notifications import notifications
from modules.storage.outputs import StorageOutputs
from modules.storage.restore_testing import restore_testing
from tierra.terraform.stack import Stack


class Storage:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        self.logs = logs(stack)
        self.files, self.files_key = files(stack, self.logs)
        self.vaults = backup_vaults(stack)
        self.backup_role = backup_plan(stack, self.vaults)
        self.topic = notifications(stack, self.vaults)
        restore_testing(stack, self.vaults, self.backup_role, self.files)
        self._outputs().declare(stack)

    def _outputs(self) -> StorageOutputs:
        return StorageOutputs(
            files_bucket_name=self.files.bucket.id,
            files_bucket_arn=self.files.bucket.arn,
            files_key_arn=self.files_key.arn,
            logs_bucket_name=self.logs.policy.bucket,
            backup_vault_name=self.vaults.main.name,
            backup_vault_arn=self.vaults.main.arn,
            backup_key_arn=self.vaults.key.arn,
            backup_role_arn=self.backup_role.arn,
            backup_topic_arn=self.topic.arn,
        )
