"""The calendar of the simulated account: REHEARSAL_DAYS=8 moves its clock forward to the eighth day, never
back.

The clock is stored in the account, so that all providers of a command, and later commands, see the same day.
Changes that AWS makes by itself until then are made, and the next plan shows them:

- maintenance windows open: each does within a week. Sources: tierra/aws/waits.py
- EKS upgrades a cluster without extended support, or after it, by one minor version at a time.
  docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
- RDS upgrades the major version of a PostgreSQL without extended support: botocore's rds,
  EngineLifecycleSupport of CreateDBInstanceMessage. It is an assumption that it chooses the next version
- Secrets Manager rotates: the previous version becomes AWSPREVIOUS. botocore's secretsmanager, RotateSecret

The days on which support ends are those of tierra/aws/versions.yaml. TIERRA_TODAY replaces the clock there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rehearsal import engines
from rehearsal.cloud import Cloud
from rehearsal.protocol import Object

VERSIONS = Path(__file__).resolve().parents[1] / "tierra/aws/versions.yaml"
CLOCK = "clock"
CLUSTER, SECRET, SECRET_VERSION = (
    "aws_eks_cluster",
    "aws_secretsmanager_secret",
    "aws_secretsmanager_secret_version",
)
ROTATION = "aws_secretsmanager_secret_rotation"
WINDOW_DAYS = 7
UNSUPPORTED = "open-source-rds-extended-support-disabled"


def today(cloud: Cloud) -> int:
    """The day of the account; 0 for a new one."""
    return int((cloud.note(CLOCK, "day") or {"day": 0})["day"])


def pass_to(cloud: Cloud, environment: Mapping[str, str]) -> None:
    """Lets days pass until REHEARSAL_DAYS. Raises ValueError if that, or TIERRA_TODAY, is invalid."""
    text = environment.get("REHEARSAL_DAYS", "")
    if not text or not cloud.remembers:
        return
    if not text.isdecimal():
        raise ValueError(
            f"REHEARSAL_DAYS={text}: it must be a number of days since the first command, such as 8"
        )
    day = int(text)
    with cloud.exclusively():
        before = today(cloud)
        if day <= before:
            return
        started = (cloud.note(CLOCK, "day") or {}).get("started") or datetime.now(UTC).date().isoformat()
        cloud.write_note(CLOCK, "day", {"day": day, "started": started})
        given = environment.get("TIERRA_TODAY")
        now = date.fromisoformat(given) if given else date.fromisoformat(started) + timedelta(days=day)
        engines.open_window(cloud, day - WINDOW_DAYS)
        _rotate(cloud, before, day)
        _end_support(cloud, now)


def _rotate(cloud: Cloud, before: int, day: int) -> None:
    for rotation in cloud.all(ROTATION):
        rules = (rotation.get("rotation_rules") or [{}])[0]
        every = rules.get("automatically_after_days")
        if not isinstance(every, int) or every <= 0 or before // every == day // every:
            continue
        for key, version in cloud.items(SECRET_VERSION):
            if version.get("secret_id") == rotation.get("secret_id"):
                cloud.put(SECRET_VERSION, key, {**version, "version_stages": ["AWSPREVIOUS"]})


def _end_support(cloud: Cloud, now: date) -> None:
    import yaml

    versions = yaml.safe_load(VERSIONS.read_text(encoding="utf-8"))
    for key, cluster in cloud.items(CLUSTER):
        raised = _supported(versions["kubernetes"], cluster, _support(cluster), now)
        if raised != cluster.get("version"):
            cloud.put(CLUSTER, key, {**cluster, "version": raised})
    for key, database in cloud.items(engines.DATABASE):
        if database.get("engine") != "postgres" or database.get("engine_lifecycle_support") != UNSUPPORTED:
            continue
        if not database.get("replicate_source_db"):
            _raise_database(cloud, key, database, versions["postgres"], now)


def _support(cluster: Object) -> str:
    """The row of versions.yaml with the dates of the version of a cluster."""
    policy = (cluster.get("upgrade_policy") or [{}])[0].get("support_type")
    return "standard_until" if policy == "STANDARD" else "extended_until"


def _supported(rows: Mapping[str, Mapping[str, Any]], state: Object, until: str, now: date) -> Any:
    """The version of an object, or the next supported one if AWS has ended it."""
    names = list(rows)
    version = state.get("version")
    if not isinstance(version, str):
        return version
    while version in rows and version != names[-1] and (rows[version].get(until) or now) < now:
        version = names[names.index(version) + 1]
    return version


def _raise_database(cloud: Cloud, key: str, database: Object, rows: Mapping[str, Any], now: date) -> None:
    major = str(database.get(engines.ACTUAL) or database.get("engine_version")).partition(".")[0]
    raised = _supported(rows, {"version": major}, "standard_until", now)
    if raised != major and raised in rows:
        version = f"{raised}.{rows[raised].get('oldest_minor', 1)}"
        engines.raised(cloud, key, database, version)
