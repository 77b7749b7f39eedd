"""`python -m tierra.report.calendar SPEC`: warnings about versions of a spec whose support ends, one line
each. The dates are those of tierra/aws/versions.yaml. TIERRA_TODAY, such as 2027-01-31, replaces the date of
the machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tierra.aws import calendar
from tierra.aws.calendar import DOCUMENTDB, KUBERNETES, POSTGRES, PRODUCTS, REDIS, VALKEY
from tierra.aws.types import TYPES
from tierra.plans.changes import Change
from tierra.plans.resources import Resources
from tierra.report.findings import CALENDAR, REFUSED, Finding
from tierra.versions import numbers

if TYPE_CHECKING:
    from modules.spec import Environment

SOON = timedelta(days=60)  # EKS announces the end of standard support at least this early
STALE = timedelta(days=365)  # rows that were looked up longer ago are outdated
UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Product:
    """`key` is that of the spec. `then` is what AWS does after standard support. `one_by_one`: no version can
    be skipped. `closes`: AWS creates no resource of a version after standard support, instead of after
    extended support."""

    name: str
    key: str
    then: str
    guide: str
    one_by_one: bool = False
    closes: bool = False


# Sources of `then`: EKS user guide, "View current cluster upgrade policy" (Tierra sets STANDARD); botocore's
# rds, EngineLifecycleSupport of CreateDBInstanceMessage and RestoreDBInstanceToPointInTimeMessage (Tierra
# turns it off); ElastiCache user guide, "ElastiCache Extended Support charges", with the shares of the price
# as cloudburn.io/blog/amazon-elasticache-pricing has them (2026-04-01); "Amazon DocumentDB engine version
# support dates".
_EXTENDED_CACHE = "AWS bills extended support, 80 % of the price of a node on top and 160 % in its third year"
ABOUT: Mapping[str, Product] = {
    KUBERNETES: Product(
        "Kubernetes",
        "compute.kubernetes",
        "EKS upgrades the cluster by itself, at a time of its choice, because extended support is off (with"
        " it, a cluster costs six times as much)",
        "docs/upgrade-cluster.md",
        one_by_one=True,
    ),
    POSTGRES: Product(
        "PostgreSQL",
        "data.postgres.version",
        "RDS creates no instance of it, and a restore from a backup gets a newer major version, because"
        " extended support is off",
        "docs/changes.md",
        closes=True,
    ),
    REDIS: Product("Redis OSS", "data.redis.version", _EXTENDED_CACHE, "docs/changes.md"),
    VALKEY: Product("Valkey", "data.redis.version", _EXTENDED_CACHE, "docs/changes.md"),
    DOCUMENTDB: Product(
        "DocumentDB",
        "data.documentdb.version",
        "AWS bills extended support for every processor of the cluster",
        "docs/changes.md",
        one_by_one=True,
    ),
}


@dataclass(frozen=True)
class Aging:
    """`ended`: standard support is over. `refused`: AWS no longer creates resources of this version."""

    key: str
    message: str
    remedy: str
    then: str = ""
    ended: bool = False
    refused: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self.what}; remedy: {self.remedy}"

    @property
    def what(self) -> str:
        """The state of the version, and what AWS does about it."""
        return f"{self.message}; {self.then}" if self.then else self.message


def today() -> date:
    """The date in UTC, which AWS uses. Ends the program if TIERRA_TODAY is not a date."""
    given = os.environ.get("TIERRA_TODAY")
    try:
        return date.fromisoformat(given) if given else datetime.now(UTC).date()
    except ValueError:
        sys.exit(f"TIERRA_TODAY={given}: it must be a day\n  remedy: write it like 2027-01-31, or unset it")


def warning(product: str, version: str, day: date) -> Aging | None:
    """The warning about a version of a product on a day; None if it has time left, or AWS has announced no
    end."""
    row = calendar.rows(product).get(version)
    if row is None or row.standard_until is None:
        return None
    about, ends = ABOUT[product], row.standard_until
    left = (ends - day).days
    if left > SOON.days:
        return None
    closed = ends if about.closes else row.extended_until
    refused = closed is not None and day > closed
    named = f"{about.name} {version}"
    if left > 0:
        when = "tomorrow" if left == 1 else f"in {left} days"
        message, then = f"standard support of {named} ends on {ends}, {when}", f"then {about.then}"
    elif refused and not about.closes:
        message, then = f"extended support of {named} ended on {closed}", "AWS no longer creates this version"
    else:
        message, then = f"standard support of {named} ended on {ends}", f"since then {about.then}"
    return Aging(about.key, message, _way(product, version, day), then, left <= 0, refused)


def _way(product: str, version: str, day: date) -> str:
    from modules.compute.versions import VERSIONS  # loads the spec, which few reports need

    about = ABOUT[product]
    sold = VERSIONS if product == KUBERNETES else calendar.offered(product)
    later = [each for each in sold if numbers(each) > numbers(version)]
    lasting = [each for each in later if _lasts(product, each, day)]
    if not later or not lasting:
        return "renew the table with make versions, then use a version that AWS supports"
    target = later[0] if about.one_by_one else lasting[-1]
    rest = f", and go on to {lasting[-1]} in the same way" if target != lasting[-1] else ""
    return f'write {about.key}: "{target}" ({about.guide}){rest}'


def _lasts(product: str, version: str, day: date) -> bool:
    ends = calendar.rows(product)[version].standard_until
    return ends is None or ends > day + SOON


def warnings(environment: Environment, day: date) -> Iterator[Aging]:
    """All warnings about a spec on a day, its defaults included, and about the table itself."""
    data = environment.data
    used: dict[str, str] = {KUBERNETES: environment.compute.kubernetes}
    if data.postgres:
        used[POSTGRES] = data.postgres.major
    if data.redis:
        used[data.redis.engine] = data.redis.version
    if data.documentdb:
        used[DOCUMENTDB] = data.documentdb.version
    for product, version in used.items():
        if text := warning(product, version, day):
            yield text
    yield from _stale(environment.compute.kubernetes, day)


def _stale(kubernetes: str, day: date) -> Iterator[Aging]:
    read = {
        "the versions": min(calendar.as_of(product) for product in PRODUCTS),
        f"the add-ons of Kubernetes {kubernetes}": calendar.rows(calendar.ADDONS)[kubernetes].read,
    }
    for what, last in read.items():
        if day - last > STALE:
            message = f"{what} were looked up on {last}, and may be outdated"
            yield Aging("tierra/aws/versions.yaml", message, "renew it with make versions")


# --- the report of a plan ---


def findings(tier: str, resources: Resources, changes: list[Change], day: date) -> Iterator[Finding]:
    """Findings about resources that a plan leaves at a version whose support has ended by a day, or ends soon
    after it. A version that AWS no longer creates is refused if the plan creates a resource with it, or
    changes one to it."""
    touched = {each.address: each for each in changes}
    for terraform_type, argument in ((name, each.version) for name, each in TYPES.items() if each.version):
        for address, values in resources.will_be(terraform_type).items():
            product = _product(terraform_type, values.get("engine"))
            version = values.get(argument)
            if product == POSTGRES and isinstance(version, str):
                version = version.partition(".")[0]
            if not isinstance(version, str) or not (text := warning(product, version, day)):
                continue
            change = touched.get(address)
            action = change.action if change else UNCHANGED
            new = action in ("create", "replace") or (
                change is not None and change.was.get(argument) != values.get(argument)
            )
            subject = REFUSED if text.refused and new else CALENDAR
            message = f"{text.message}: {text.remedy}"
            lines = (f"~ {text.then}",)
            yield Finding(subject, tier, address, action, message, lines, critical=text.ended or new)


def _product(terraform_type: str, engine: object) -> str:
    if terraform_type == "aws_elasticache_replication_group":
        return VALKEY if engine == "valkey" else REDIS
    return {"aws_eks_cluster": KUBERNETES, "aws_db_instance": POSTGRES}.get(terraform_type, DOCUMENTDB)


def main() -> int:
    from modules.loader import load

    path = Path(sys.argv[1])
    for line in warnings(load(path), today()):
        print(f"calendar: {path}: {line}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
