"""Volumes of systems: how large they are, and how near to what a file system can do."""

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
BUSY_PERCENT = 90  # of the operations that a file system of the mode General Purpose takes


def volume(file_system: str, metric: str, statistic: str = "Average") -> Metric:
    """A metric of a file system. Source: EFS user guide, "CloudWatch metrics for Amazon EFS"."""
    return Metric("AWS/EFS", metric, {"FileSystemId": file_system}, statistic)


def stored(file_system: str) -> Metric:
    """Its bytes in all storage classes, which EFS says every quarter of an hour."""
    return Metric(
        "AWS/EFS", "StorageBytes", {"FileSystemId": file_system, "StorageClass": "Total"}, period=HOUR
    )


def volume_alarms(stack: Stack, topics: Topics, data: DataOutputs) -> dict[str, CloudwatchMetricAlarm]:
    """`aws_cloudwatch_metric_alarm.volume_<system>_<volume>_size` and `_busy`, by name."""
    found: dict[str, CloudwatchMetricAlarm] = {}
    for each, system in stack.environment.systems.items():
        with stack.system(each) as name:
            for called, settings in system.volumes.items():
                file_system = data.volume_ids[f"{each}_{called}"]
                found |= alarms(stack, topics, _table(f"{name}-{called}", settings, file_system))
    return found


def _table(name: str, settings: Volume, file_system: str) -> Iterator[Alarm]:
    role = f"volume_{name.replace('-', '_')}"
    yield Alarm(
        name=f"{role}_size",
        says=f"The volume {name} holds more than {settings.size_gb} GiB.",
        runbook="a-volume-is-larger-than-expected",
        severity="ticket",
        metrics=stored(file_system),
        above=settings.size_gb * GIB,
        of=(3, 3),
    )
    yield Alarm(
        name=f"{role}_busy",
        says=f"The volume {name} takes hardly more operations.",
        runbook="a-volume-is-busy",
        severity="ticket",
        metrics=volume(file_system, "PercentIOLimit"),
        above=BUSY_PERCENT,
        of=(15, 15),
        missing="notBreaching",  # without clients there is nothing to count
    )


def by_volume(data: DataOutputs) -> Mapping[str, str]:
    """File systems, by the words of a dashboard."""
    return {name.replace("_", " "): each for name, each in data.volume_ids.items()}
