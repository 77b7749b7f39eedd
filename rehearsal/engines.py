"""Changes that databases make by themselves after a change is accepted: changes wait for the window, the
running version follows the requested one, and replicas follow their primary to another major version.

Sources: tierra/aws/waits.py; for replicas
docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html, Major version upgrades.
It is an assumption that they get the default group of their new version: no group of the old one fits.
"""

from __future__ import annotations

from typing import Any

from rehearsal.cloud import Cloud
from rehearsal.protocol import UNKNOWN, Object
from tierra.aws.types import known
from tierra.aws.waits import GROUPS, waits
from tierra.versions import numbers

DATABASE = "aws_db_instance"
ACTUAL = "engine_version_actual"
PENDING = "pending"  # the type of the waiting changes in the account; by type and key of the object


def key_of(state: Object) -> str:
    return f"{state.get('region') or 'global'}/{state.get('id')}"


def settled(type_name: str, created: Object) -> Object:
    """The object with its running version."""
    version, running = created.get("engine_version"), created.get(ACTUAL)
    if type_name != DATABASE or not isinstance(version, str) or not numbers(version):
        return created
    if isinstance(running, str) and f"{running}.".startswith(f"{version}."):
        return created
    return {**created, ACTUAL: version if "." in version else f"{version}.1"}


def accepted(cloud: Cloud, type_name: str, key: str, was: Object, planned: Object) -> Object:
    """The object after AWS has accepted a change. Arguments that wait for the maintenance window keep their
    values; the new values are noted."""
    names = waits(type_name, was, planned)
    if names and numbers(was.get("engine_version"))[:1] != numbers(planned.get("engine_version"))[:1]:
        names += [name for name in GROUPS if name in planned and "engine_version" in names]
    if known(type_name).waits:
        _note(cloud, f"{type_name} {key}", {name: planned[name] for name in names})
    now = settled(type_name, {**planned, **{name: was.get(name) for name in names}})
    _lead(cloud, type_name, was, now)
    return now


def forget(cloud: Cloud, type_name: str, key: str) -> None:
    """Removes the waiting changes of a deleted object."""
    if known(type_name).waits:
        cloud.delete(PENDING, f"{type_name} {key}")


def open_window(cloud: Cloud, noted_until: int | None = None) -> list[str]:
    """Makes every waiting change, or those that have waited since that day; returns the objects that
    changed."""
    changed = []
    for note in cloud.all(PENDING):
        if noted_until is not None and note.get("day", 0) > noted_until:
            continue
        type_name, _, key = note["of"].partition(" ")
        was = cloud.get(type_name, key)
        cloud.delete(PENDING, note["of"])
        if was is not None:
            now = settled(type_name, {**was, **note["values"]})
            cloud.put(type_name, key, now)
            _lead(cloud, type_name, was, now)
            changed.append(f"{type_name} {was.get('id')}: {', '.join(note['values'])}")
    return changed


def raised(cloud: Cloud, key: str, was: Object, version: str) -> None:
    """Upgrades a database, and its replicas, to a version that AWS chose."""
    major = version.partition(".")[0]
    now = {**was, "engine_version": version, ACTUAL: version, GROUPS[0]: f"default.postgres{major}"}
    cloud.put(DATABASE, key, now)
    _lead(cloud, DATABASE, was, now)


def _note(cloud: Cloud, of: str, values: dict[str, Any]) -> None:
    earlier = (cloud.get(PENDING, of) or {}).get("values", {})
    if values or earlier:
        day = (cloud.note("clock", "day") or {"day": 0})["day"]
        cloud.put(PENDING, of, {"of": of, "values": {**earlier, **values}, "day": day})


def _lead(cloud: Cloud, type_name: str, was: Object, now: Object) -> None:
    """Upgrades the replicas of a database to its major version."""
    old, new = numbers(was.get(ACTUAL)), numbers(now.get(ACTUAL))
    if type_name != DATABASE or now.get("replicate_source_db") or old[:1] == new[:1] or not new:
        return
    for replica in cloud.all(DATABASE):
        if replica.get("replicate_source_db") == now.get("identifier") is not UNKNOWN:
            group = {"parameter_group_name": f"default.postgres{new[0]}"}
            version = {"engine_version": now[ACTUAL], ACTUAL: now[ACTUAL]}
            cloud.put(DATABASE, key_of(replica), {**replica, **version, **group})
