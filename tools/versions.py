"""Asks AWS for its current versions, and updates tierra/aws/versions.yaml.

    python -m tools.versions ENV

`make versions` runs it after tools.renewal, which lists everything else and needs no credentials. Credentials
of any account that allow ACTIONS are sufficient; the region is that of the spec. Facts that AWS does not
publish in an API stay: the days of ElastiCache and DocumentDB, and the image of the cluster autoscaler. The
change is reviewed and committed like any other. Exit code 0, or 1 if AWS could not be asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from modules.compute import versions
from modules.loader import load as load_spec
from tierra.aws.calendar import (
    ADDONS,
    AUTOSCALER,
    DOCUMENTDB,
    KUBERNETES,
    POSTGRES,
    REDIS,
    SOURCES,
    TABLE,
    VALKEY,
    parse_table,
)
from tierra.files import write
from tierra.report.calendar import today
from tierra.versions import numbers

ACTIONS = (
    "eks:DescribeClusterVersions",
    "eks:DescribeAddonVersions",
    "rds:DescribeDBMajorEngineVersions",
    "rds:DescribeDBEngineVersions",  # DocumentDB's, too
    "elasticache:DescribeCacheEngineVersions",
)
AWS = "aws"  # the source of what was asked
QUICK = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})
STANDARD, EXTENDED = "open-source-rds-standard-support", "open-source-rds-extended-support"
# Users that IAM authenticates came with Redis OSS 7.0; before it nothing of ElastiCache is offered.
LEAST_CACHE = (7, 0)
WIDEST = 127  # of a line of the table
NAMES = tuple(versions.ADDONS[versions.NEWEST])  # of the add-ons that a cluster has

Row = dict[str, Any]
Table = dict[str, dict[str, Row]]
Client = Callable[[str], Any]


def main() -> int:
    region = load_spec(Path("environments", f"{sys.argv[1]}.yaml")).region
    text = TABLE.read_text(encoding="utf-8")
    session = botocore.session.Session()
    try:
        table = renewed(
            parse_table(text),
            lambda name: session.create_client(name, region_name=region, config=QUICK),
            today(),
        )
    except NoCredentialsError:
        return _refuse(
            "there are no credentials for AWS",
            "sign in: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    except ClientError as error:
        what = f"AWS refuses {error.operation_name} ({error.response['Error']['Code']})"
        return _refuse(what, f"sign in again, or allow the role {', '.join(ACTIONS)}")
    except BotoCoreError as error:
        return _refuse(f"AWS cannot be asked: {error}", "check the network and its proxy: HTTPS_PROXY")
    changes = list(differences(parse_table(text), table))
    write(TABLE, written(text, table))
    print("\n".join([*(f"versions: {line}" for line in changes), f"versions: {TABLE} is of {today()}"]))
    if changes:
        print("Next: git diff tierra/aws/versions.yaml, make test, then commit it")
    return 0


def _refuse(what: str, remedy: str) -> int:
    sys.stderr.write(f"versions: {what}\n  remedy: {remedy}\n")
    return 1


# --- answers of AWS ---


def renewed(table: Table, client: Client, day: date) -> Table:
    """The table with the current answers of AWS."""
    eks, rds, cache = client("eks"), client("rds"), client("elasticache")
    new = deepcopy(table)
    asked = {"source": AWS, "read": day}
    for version, row in kubernetes(eks):
        _put(new[KUBERNETES], version, row | asked)
    for version, row in new[KUBERNETES].items():
        if row.get("offered", True) and row["standard_until"] > day:
            new[ADDONS][version] = dict(addons(eks, version)) | asked
    minors = oldest_minors(rds)
    for version, row in majors(rds):
        sold = version in minors and row["standard_until"] > day
        more = {"oldest_minor": minors[version]} if sold else {"offered": False}
        _put(new[POSTGRES], version, row | more | asked)
    for engine in (REDIS, VALKEY):
        _sold(new[engine], dict(cache_versions(cache, engine)), asked)
    _sold(new[DOCUMENTDB], {version: {} for version in documentdb(client("docdb"))}, asked)
    return new


def kubernetes(eks: Any) -> Iterator[tuple[str, Row]]:
    """Versions of EKS with their days, including versions that are no longer supported."""
    pages = eks.get_paginator("describe_cluster_versions").paginate(includeAll=True)
    for version in _all(pages, "clusterVersions"):
        ended = version.get("versionStatus") == "UNSUPPORTED"
        if numbers(version["clusterVersion"]) < (1, 30) or "endOfStandardSupportDate" not in version:
            continue
        days = {
            "standard_until": _day(version["endOfStandardSupportDate"]),
            "extended_until": _day(version["endOfExtendedSupportDate"]),
        }
        yield version["clusterVersion"], ({"offered": False} if ended else {}) | days


def addons(eks: Any, kubernetes: str) -> Iterator[tuple[str, str]]:
    """The default version of each add-on for a version of Kubernetes."""
    for name in NAMES:
        pages = eks.get_paginator("describe_addon_versions").paginate(
            kubernetesVersion=kubernetes, addonName=name
        )
        candidates = [
            (fit.get("defaultVersion", False), entry["addonVersion"])
            for addon in _all(pages, "addons")
            for entry in addon["addonVersions"]
            for fit in entry["compatibilities"]
            if fit["clusterVersion"] == kubernetes
        ]
        if candidates:
            yield name, next((version for default, version in candidates if default), candidates[0][1])


def majors(rds: Any) -> Iterator[tuple[str, Row]]:
    """Majors of PostgreSQL with their days."""
    pages = rds.get_paginator("describe_db_major_engine_versions").paginate(Engine="postgres")
    for major in _all(pages, "DBMajorEngineVersions"):
        ends = {
            life["LifecycleSupportName"]: _day(life["LifecycleSupportEndDate"])
            for life in major.get("SupportedEngineLifecycles", [])
        }
        if major["MajorEngineVersion"].isdigit() and STANDARD in ends:
            yield (
                major["MajorEngineVersion"],
                {"standard_until": ends[STANDARD], "extended_until": ends.get(EXTENDED)},
            )


def oldest_minors(rds: Any) -> dict[str, int]:
    """Majors of PostgreSQL that can be created, with the oldest minor."""
    oldest: dict[str, int] = {}
    pages = rds.get_paginator("describe_db_engine_versions").paginate(Engine="postgres")
    for version in _all(pages, "DBEngineVersions"):
        major, _, minor = version["EngineVersion"].partition(".")
        if version.get("Status", "available") == "available" and minor.isdigit():
            oldest[major] = min(int(minor), oldest.get(major, int(minor)))
    return oldest


def cache_versions(cache: Any, engine: str) -> Iterator[tuple[str, Row]]:
    """Versions of an engine of ElastiCache, with the family of their parameter groups."""
    pages = cache.get_paginator("describe_cache_engine_versions").paginate(Engine=engine)
    for entry in _all(pages, "CacheEngineVersions"):
        version = ".".join(entry["EngineVersion"].split(".")[:2])
        if numbers(version) >= LEAST_CACHE:
            yield version, {"family": entry["CacheParameterGroupFamily"]}


def documentdb(docdb: Any) -> Iterator[str]:
    """Versions of DocumentDB."""
    pages = docdb.get_paginator("describe_db_engine_versions").paginate(Engine="docdb")
    yield from (version["EngineVersion"] for version in _all(pages, "DBEngineVersions"))


def _all(pages: Iterable[Any], name: str) -> Iterator[Any]:
    for page in pages:
        yield from page.get(name, [])


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _put(rows: dict[str, Row], version: str, row: Row) -> None:
    """A version that Tierra does not offer for a reason of its own stays that way."""
    withheld = {"offered": False} if rows.get(version, {}).get("offered") is False else {}
    rows[version] = withheld | row


def _sold(rows: dict[str, Row], sold: dict[str, Row], asked: Row) -> None:
    """AWS has no days for these: existing days stay, and a version that AWS no longer lists is no longer
    offered."""
    days = {"standard_until": None, "extended_until": None}
    for version, row in sold.items():
        rows[version] = row | days | rows.get(version, {}) | row | asked
    for version, row in rows.items():
        if version not in sold and row.get("offered", True):
            rows[version] = {"offered": False} | row | asked


# --- output ---


def differences(was: Table, now: Table) -> Iterator[str]:
    """New, removed and changed rows, and what must be added by hand."""
    for name, rows in now.items():
        for version, row in _sorted(rows) if name != SOURCES else ():
            old, new = (
                {key: value for key, value in state.items() if key not in ("source", "read")}
                for state in (was[name].get(version, {}), row)
            )
            changed = [
                f"{key}: {old.get(key)} → {new.get(key)}"
                for key in {**old, **new}
                if old.get(key) != new.get(key)
            ]
            if changed:
                yield f"{name} {version}: {', '.join(changed)}"
    for version in now[ADDONS]:
        missing = set(NAMES) - set(now[ADDONS][version])
        if missing:
            yield f"Kubernetes {version} has no {', '.join(sorted(missing))}: add it by hand"
        if version not in now[AUTOSCALER]:
            yield (
                f"Kubernetes {version} is not offered before `{AUTOSCALER}` has its image: add the newest"
                f" release cluster-autoscaler-{version}.x of kubernetes/autoscaler by hand"
            )


def written(text: str, table: Table) -> str:
    """The text of the table with new rows; the comments above each section stay."""
    lines: list[str] = []
    section = ""
    for line in text.splitlines():
        top = line[:1].isalpha()
        if top:
            section = line.partition(":")[0]
        if top or section == SOURCES or not line or line.startswith("#"):
            lines.append(line)
        if top and section != SOURCES:
            lines += [part for version, row in _sorted(table[section]) for part in _row(version, row)]
    return "\n".join(lines) + "\n"


def _row(version: str, row: Row) -> list[str]:
    pairs = [f"{key}: {_value(value)}" for key, value in row.items()]
    short = f'  "{version}": {{{", ".join(pairs)}}}'
    return [short] if len(short) <= WIDEST else [f'  "{version}":', *(f"    {pair}" for pair in pairs)]


def _sorted(rows: dict[str, Row]) -> list[tuple[str, Row]]:
    return sorted(rows.items(), key=lambda item: numbers(item[0]))


def _value(value: Any) -> str:
    return (
        value.isoformat()
        if isinstance(value, date)
        else value
        if isinstance(value, str)
        else json.dumps(value)
    )


if __name__ == "__main__":
    sys.exit(main())
