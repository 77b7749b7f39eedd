"""Log groups with the names that the databases write to. AWS would create them without encryption or
expiry."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup

from modules.network.outputs import NetworkOutputs
from tierra.patterns.log_group import log_group
from tierra.terraform.stack import Stack


def log_groups(
    stack: Stack,
    network: NetworkOutputs,
    role: str,
    folder: str,
    logs: Sequence[str],
    protected: bool = True,
) -> dict[str, CloudwatchLogGroup]:
    """`aws_cloudwatch_log_group.<role>_<log>` named `<folder>/<log>`, by log. Resources that write to them
    depend on them, or would create them first.

    Log groups of temporary resources, such as replicas, are not protected and are deleted with them.
    """
    return {
        log: log_group(
            stack,
            f"{role}_{log.replace('-', '_')}",
            f"{folder}/{log}",
            stack.environment.data.log_days,
            network.logs_key_arn,
            protected=protected,
        )
        for log in logs
    }
