"""Plans that the provider refuses, other than by checks of values: its CustomizeDiff functions.

Each rule names its function in the sources of hashicorp/terraform-provider-aws. Unknown values are not
checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rehearsal.protocol import UNKNOWN, Object


class Difference(NamedTuple):
    types: tuple[str, ...]
    source: str
    answer: Callable[[Object], str]


def _target_group(config: Object) -> str:
    target_type = config.get("target_type") or "instance"
    if target_type in (UNKNOWN, "lambda"):
        return ""
    for name in ("port", "protocol", "vpc_id"):
        if config.get(name) is None:
            return f'{name} must be set when target_type is "{target_type}"'
    return ""


def _alarm(config: Object) -> str:
    metric, plain, extended = (
        config.get(name) for name in ("metric_name", "statistic", "extended_statistic")
    )
    if UNKNOWN in (metric, plain, extended) or not metric or bool(plain) != bool(extended):
        return ""
    return "one of statistic and extended_statistic must be set for an alarm on a metric"


def _failover(config: Object) -> str:
    if config.get("multi_az_enabled") is True and config.get("automatic_failover_enabled") in (None, False):
        return "automatic_failover_enabled must be true when multi_az_enabled is true"
    return ""


DIFFERENCES = (
    Difference(
        ("aws_lb_target_group", "aws_alb_target_group"),
        "internal/service/elbv2/target_group.go, customizeDiffTargetGroupTargetTypeNotLambda",
        _target_group,
    ),
    Difference(
        ("aws_cloudwatch_metric_alarm",), "internal/service/cloudwatch/metric_alarm.go, CustomizeDiff", _alarm
    ),
    Difference(
        ("aws_elasticache_replication_group",),
        "internal/service/elasticache/replication_group.go, replicationGroupValidateMultiAZAutomaticFailover",
        _failover,
    ),
)


def refused(type_name: str, config: Object) -> Iterator[tuple[str, str]]:
    """The errors of the provider for a configuration at plan, each with its source."""
    for rule in DIFFERENCES:
        if type_name in rule.types and (words := rule.answer(config)):
            yield words, f"The provider refuses it at plan. The rule is from {rule.source}."
