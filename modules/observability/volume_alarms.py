"""Alarms of volumes: their size, and their load in percent of what the file system can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm

from modules.data.outputs import DataOutputs
from modules.observability.alarm import Alarm, alarms
from modules.observability.metric import HOUR, Metric
from modules.observability.topics import Topics
from modules.systems.volume_spec import Volume
from tierra.terraform.stack import Stack

GIB = 1024**3
BUSY_PERCENT = 90  # of the I/O limit of a file system in General Purpose mode


def volume(file_system: str, metric: str, statistic: str = "Average") -> Metric:
    """A metric of a file system. Source: EFS user guide, "CloudWatch metrics for Amazon EFS"."""
    return Metric("AWS/EFS", metric, {"FileSystemId": file_system}, statistic)


def stored(file_system: str) -> Metric:
    """Its size in bytes in all storage classes, which EFS reports every 15 minutes."""
    return Metric(
        "AWS/EFS", "StorageBytes", {"FileSystemId": file_system, "StorageClass": "Total"}, period=HOUR
    )


def volume_alarms(stack: Stack, topics: Topics, data: DataOutputs) -> dict[str, CloudwatchMetricAlarm]:
    """`aws_cloudwatch_metric_alarm.volume_<system>_<volume>_size` and `_busy`, by name."""
    created: dict[str, CloudwatchMetricAlarm] = {}
    for system_name, system in stack.environment.systems.items():
        with stack.system(system_name) as name:
            for volume_name, settings in system.volumes.items():
                file_system = data.volume_ids[f"{system_name}_{volume_name}"]
                created |= alarms(stack, topics, _table(f"{name}-{volume_name}", settings, file_system))
    return created


def _table(name: str, settings: Volume, file_system: str) -> Iterator[Alarm]:
    role = f"volume_{name.replace('-', '_')}"
    yield Alarm(
        name=f"{role}_size",
        description=f"The volume {name} is larger than {settings.size_gb} GiB, its expected maximum.",
        runbook="a-volume-is-larger-than-expected",
        severity="ticket",
        metrics=stored(file_system),
        above=settings.size_gb * GIB,
        of=(3, 3),
    )
    yield Alarm(
        name=f"{role}_busy",
        description=f"The volume {name} has been above {BUSY_PERCENT} % of its I/O limit for 15 minutes.",
        runbook="a-volume-is-busy",
        severity="ticket",
        metrics=volume(file_system, "PercentIOLimit"),
        above=BUSY_PERCENT,
        of=(15, 15),
        missing="notBreaching",  # without clients there are no values
    )


def by_volume(data: DataOutputs) -> Mapping[str, str]:
    """File systems, by the name that dashboards show."""
    return {name.replace("_", " "): volume_id for name, volume_id in data.volume_ids.items()}
