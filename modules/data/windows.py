"""Time windows in UTC: daily for backups, weekly for maintenance; they must not overlap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.validation.model import Violation, rule_error

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
WEEK = 7 * DAY

_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
_DAILY = rf"{_TIME}-{_TIME}"
_WEEKLY = rf"({'|'.join(DAYS)}):{_TIME}-({'|'.join(DAYS)}):{_TIME}"


def _minutes(window: str) -> tuple[int, int]:
    """Start and length in minutes, in the day or in the week; a window may cross midnight or the end of the
    week."""
    weekly = re.fullmatch(_WEEKLY, window)
    if weekly:
        day, hour, minute, last_day, last_hour, last_minute = weekly.groups()
        start = DAYS.index(day) * DAY + int(hour) * 60 + int(minute)
        end = DAYS.index(last_day) * DAY + int(last_hour) * 60 + int(last_minute)
        return start, (end - start) % WEEK
    first, last = (int(text[:2]) * 60 + int(text[3:]) for text in window.split("-"))
    return first, (last - first) % DAY


def _daily(shortest: int) -> Callable[[str], str]:
    def validate(window: str) -> str:
        if not re.fullmatch(_DAILY, window):
            raise rule_error(
                "a daily window must be two times in UTC, hh:mm-hh:mm", "write it like 00:30-01:30"
            )
        if _minutes(window)[1] < shortest:
            raise rule_error(f"a daily window must be at least {shortest} minutes long", "end it later")
        return window

    return validate


def _weekly(shortest: int) -> Callable[[str], str]:
    def validate(window: str) -> str:
        if not re.fullmatch(_WEEKLY, window):
            raise rule_error(
                "a weekly window must be two times in UTC with their days, ddd:hh:mm-ddd:hh:mm",
                "write it like sun:09:00-sun:10:00, in lowercase",
            )
        if not shortest <= _minutes(window)[1] <= DAY:
            raise rule_error(f"a weekly window must be {shortest} minutes to 24 hours long", "move its end")
        return window

    return validate


# RDS and DocumentDB require half an hour, ElastiCache an hour (botocore: PreferredBackupWindow and
# PreferredMaintenanceWindow of rds and docdb, SnapshotWindow and PreferredMaintenanceWindow of elasticache).
_DAILY_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_DAILY}$"})
_WEEKLY_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_WEEKLY}$"})
DailyWindow = Annotated[str, AfterValidator(_daily(30)), _DAILY_SCHEMA]
DailyHour = Annotated[str, AfterValidator(_daily(60)), _DAILY_SCHEMA]
WeeklyWindow = Annotated[str, AfterValidator(_weekly(30)), _WEEKLY_SCHEMA]
WeeklyHour = Annotated[str, AfterValidator(_weekly(60)), _WEEKLY_SCHEMA]


def overlap(daily: str, weekly: str) -> bool:
    """Whether the daily window overlaps the weekly one on any day. Adjacent windows do not overlap."""
    start, length = _minutes(weekly)
    first, lasts = _minutes(daily)
    return any(
        start < day * DAY + first + lasts and day * DAY + first < start + length for day in range(-1, 15)
    )


def window_violations(backup: str, maintenance: str) -> Iterator[Violation]:
    """AWS refuses a backup window that overlaps the maintenance window."""
    if overlap(backup, maintenance):
        rule = f"backup_window must not overlap maintenance_window ({maintenance})"
        yield Violation(("backup_window",), rule, "move one of the two windows")
