"""The state tier: the bucket of Terraform's states, including its own. `make bootstrap` creates it."""

from __future__ import annotations

from modules.state.access import access
from modules.state.boundary import workload_boundary
from modules.state.buckets import logs_bucket, state_bucket
from modules.state.outputs import StateOutputs
from tierra.terraform.stack import Stack


class State:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        self.logs = logs_bucket(stack)
        self.bucket, self.key = state_bucket(stack, self.logs)
        self.read_policy = access(stack, "read")
        self.write_policy = access(stack, "write")
        self.boundary = workload_boundary(stack)
        self._outputs().declare(stack)

    def _outputs(self) -> StateOutputs:
        return StateOutputs(
            bucket_name=self.bucket.bucket.id,
            bucket_arn=self.bucket.bucket.arn,
            key_arn=self.key.arn,
            logs_bucket_name=self.logs.bucket.id,
            read_policy_arn=self.read_policy.arn,
            write_policy_arn=self.write_policy.arn,
            boundary_arn=self.boundary.arn,
        )
