"""Tests of version support dates: the table, its warnings about specs and plans, and its renewal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber
from conftest import ENVIRONMENTS, ROOT

from modules.compute.versions import ADDONS, AUTOSCALER, VERSIONS
from modules.loader import load
from modules.spec import Environment
from tierra.aws import calendar
from tierra.aws.calendar import DOCUMENTDB, KUBERNETES, POSTGRES, PRODUCTS, REDIS, VALKEY
from tierra.bindings.imports import sources
from tierra.plans.changes import changes
from tierra.plans.resources import planned_resources
from tierra.report import calendar as days
from tierra.report.findings import CALENDAR, REFUSED, Finding
from tools import doctor, versions

TODAY = date(2026, 11, 28)
Environments = Callable[..., Environment]
TEXT = calendar.TABLE.read_text(encoding="utf-8")
TABLE = calendar.parse_table(TEXT)


# --- the table ---


def test_every_row_has_a_source_and_the_date_it_was_read() -> None:
    for section, rows in TABLE.items():
        if section != calendar.SOURCES:
            for version, row in rows.items():
                assert row["source"] in TABLE[calendar.SOURCES], (section, version)
                assert isinstance(row["read"], date), (section, version)


def test_dates_are_in_order() -> None:
    for product in PRODUCTS:
        for row in calendar.rows(product).values():
            if row.standard_until and row.extended_until:
                assert row.standard_until < row.extended_until, row


def test_versions_past_their_end_of_support_are_not_offered() -> None:
    ended = {"standard_until": date(2025, 1, 1), "source": "aws", "read": TODAY}
    rows = calendar.parsed(
        {
            "1.9": ended | {"extended_until": TODAY},
            "1.10": ended | {"extended_until": TODAY + timedelta(days=1)},
        }
    )
    assert [(version, row.offered) for version, row in rows.items()] == [("1.9", False), ("1.10", True)]
    assert "1.31" not in VERSIONS


def test_a_version_without_addons_or_an_autoscaler_is_not_offered() -> None:
    assert set(VERSIONS) == set(ADDONS) & set(AUTOSCALER) & set(calendar.offered(KUBERNETES))


def test_synthesis_reads_no_clock() -> None:
    clocks = re.compile(
        r"\b(date\.today|datetime\.(now|utcnow|today)|time\.(time|localtime|gmtime))\b|TIERRA_TODAY"
    )
    for path in [*sources(ROOT), *(ROOT / "tierra/validation").glob("*.py"), ROOT / "tierra/aws/calendar.py"]:
        assert not clocks.search(path.read_text(encoding="utf-8")), path


# --- warnings about a spec ---


def keys(environment: Environment, day: date) -> list[str]:
    return [each.key for each in days.warnings(environment, day)]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_included_environments_are_in_standard_support(name: str) -> None:
    environment = load(ROOT / "environments" / f"{name}.yaml")
    assert keys(environment, TODAY) == []
    assert keys(environment, TODAY + timedelta(days=365)) == ["compute.kubernetes"]


def test_the_defaults_are_in_standard_support(environment: Environments) -> None:
    assert keys(environment(), TODAY) == []


def test_warnings_start_sixty_days_before_the_end_of_support(environment: Environments) -> None:
    spec = environment(compute={"kubernetes": "1.35"})
    ends = date(2027, 3, 27)

    def says(day: date) -> str:
        return " ".join(str(each) for each in days.warnings(spec, day))

    assert says(ends - timedelta(days=61)) == ""
    assert "ends on 2027-03-27, in 60 days; then EKS upgrades" in says(ends - timedelta(days=60))
    assert "ends on 2027-03-27, tomorrow" in says(ends - timedelta(days=1))
    assert "standard support of Kubernetes 1.35 ended on 2027-03-27; since then EKS" in says(ends)
    assert 'write compute.kubernetes: "1.36" (docs/upgrade-cluster.md)' in says(ends)
    gone = says(date(2028, 3, 28))
    assert "extended support of Kubernetes 1.35 ended on 2028-03-27; AWS no longer creates" in gone


def test_the_suggested_upgrade_is_the_next_kubernetes_or_the_newest_postgresql(
    environment: Environments,
) -> None:
    spec = environment(compute={"kubernetes": "1.33"}, data={"postgres": {"version": "14.20"}})
    warnings = {each.key: each for each in days.warnings(spec, date(2027, 3, 1))}
    assert warnings["compute.kubernetes"].ended
    assert not warnings["compute.kubernetes"].refused, "EKS still offers it, with extended support"
    assert 'write compute.kubernetes: "1.34"' in warnings["compute.kubernetes"].remedy
    assert "go on to 1.36 in the same way" in warnings["compute.kubernetes"].remedy
    assert warnings["data.postgres.version"].refused, "RDS refuses new ones if extended support is off"
    assert 'write data.postgres.version: "18"' in warnings["data.postgres.version"].remedy


def test_a_version_without_an_end_date_never_warns() -> None:
    for product in (REDIS, VALKEY, DOCUMENTDB):
        for version in calendar.offered(product):
            assert days.warning(product, version, date(2060, 1, 1)) is None


def test_cache_versions_are_checked_by_engine(
    environment: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = {"standard_until": date(2027, 1, 1), "source": "aws", "read": TODAY}
    rows = calendar.parsed({"8.2": ends, "8.3": ends | {"standard_until": date(2029, 1, 1)}})
    known = calendar.rows
    monkeypatch.setattr(calendar, "rows", lambda product: rows if product == VALKEY else known(product))
    spec = environment(data={"redis": {"engine": "valkey", "version": "8.2"}})
    [warning] = days.warnings(spec, date(2027, 1, 2))
    assert warning.key == "data.redis.version"
    assert "standard support of Valkey 8.2 ended on 2027-01-01; since then AWS bills" in warning.what
    assert 'write data.redis.version: "8.3"' in warning.remedy
    assert not keys(environment(data={"redis": {"version": "7.1"}}), date(2027, 1, 2))


def test_a_table_older_than_a_year_warns(environment: Environments) -> None:
    warnings = [str(each) for each in days.warnings(environment(), TODAY + timedelta(days=400))]
    assert any("the versions were looked up on" in each and "make versions" in each for each in warnings)
    assert any(f"the add-ons of Kubernetes {VERSIONS[-1]} were looked up on" in each for each in warnings)


def test_the_current_date_can_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERRA_TODAY", "2031-03-01")
    assert days.today() == date(2031, 3, 1)
    monkeypatch.setenv("TIERRA_TODAY", "tomorrow")
    with pytest.raises(SystemExit, match="write it like 2027-01-31"):
        days.today()
    monkeypatch.delenv("TIERRA_TODAY")
    assert abs((days.today() - date.today()).days) <= 1


@pytest.mark.parametrize(("day", "lines"), [("2026-11-28", 0), ("2027-11-28", 1)])
def test_synthesis_prints_a_line_for_each_warning(day: str, lines: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tierra.report.calendar", "environments/production.yaml"],
        cwd=ROOT,
        env={**os.environ, "TIERRA_TODAY": day},
        capture_output=True,
        text=True,
        check=True,
    )
    printed = done.stderr.splitlines()
    assert len(printed) == lines
    assert all(
        each.startswith("calendar: environments/production.yaml: compute.kubernetes: ") for each in printed
    )
    assert (
        "-m tierra.report.calendar" in (ROOT / "Makefile").read_text(encoding="utf-8").partition("synth:")[2]
    )


@pytest.mark.parametrize(
    ("target", "day", "status"),
    [
        ("rehearsal", "2026-11-28", doctor.OK),
        ("rehearsal", "2027-11-28", doctor.WARNING),
        ("aws", "2027-11-28", doctor.WARNING),
        ("aws", "2028-11-28", doctor.MISSING),
        ("rehearsal", "2028-11-28", doctor.WARNING),
    ],
)
def test_doctor_reports_the_warnings(
    environment: Environments, monkeypatch: pytest.MonkeyPatch, target: str, day: str, status: str
) -> None:
    monkeypatch.setenv("TIERRA_TODAY", day)
    spec = environment().model_copy(update={"target": target})
    findings = doctor.look_at_calendar(spec)
    assert findings.status == status
    assert bool(findings.remedy) is (status != doctor.OK)


# --- findings about a plan ---


def planned(terraform_type: str, was: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any]:
    actions = ["create"] if was is None else ["no-op"] if was == now else ["update"]
    change = {"actions": actions, "before": was, "after": now}
    resource = {
        "address": f"{terraform_type}.it",
        "mode": "managed",
        "type": terraform_type,
        "name": "it",
        "change": change,
    }
    return {"resource_changes": [resource], "planned_values": {}, "configuration": {}}


def findings_on(
    terraform_type: str, was: dict[str, Any] | None, now: dict[str, Any], day: date
) -> list[Finding]:
    plan = planned(terraform_type, was, now)
    return list(days.findings("tier", planned_resources(plan, {}), changes("tier", plan, {}), day))


CLUSTER = "aws_eks_cluster"


def test_the_report_covers_existing_and_new_resources() -> None:
    late = date(2027, 3, 1)
    [finding] = findings_on(CLUSTER, {"version": "1.35"}, {"version": "1.35"}, late)
    assert (finding.subject, finding.action, finding.critical) == (CALENDAR, days.UNCHANGED, False)
    [finding] = findings_on(CLUSTER, None, {"version": "1.35"}, late)
    assert (finding.subject, finding.action, finding.critical) == (CALENDAR, "create", True)
    assert finding.message.endswith('write compute.kubernetes: "1.36" (docs/upgrade-cluster.md)')
    assert finding.lines[0].startswith("~ then EKS upgrades the cluster by itself")
    assert findings_on(CLUSTER, {"version": "1.35"}, {"version": "1.36"}, late) == []
    [finding] = findings_on(CLUSTER, {"version": "1.34"}, {"version": "1.34"}, late)
    assert finding.critical


def test_versions_that_aws_no_longer_creates_are_refused_for_new_resources() -> None:
    late = date(2028, 4, 1)
    assert findings_on(CLUSTER, None, {"version": "1.35"}, late)[0].subject == REFUSED
    assert findings_on(CLUSTER, {"version": "1.34"}, {"version": "1.35"}, late)[0].subject == REFUSED
    assert findings_on(CLUSTER, {"version": "1.35"}, {"version": "1.35"}, late)[0].subject == CALENDAR
    tagged = {"version": "1.35", "tags": {"Owner": "platform"}}
    assert findings_on(CLUSTER, {"version": "1.35"}, tagged, late)[0].subject == CALENDAR


@pytest.mark.parametrize(
    ("terraform_type", "values", "reported"),
    [
        ("aws_db_instance", {"engine": "postgres", "engine_version": "14.20"}, True),
        ("aws_db_instance", {"engine": "postgres", "engine_version": "18"}, False),
        ("aws_elasticache_replication_group", {"engine": "redis", "engine_version": "6.2"}, True),
        ("aws_elasticache_replication_group", {"engine": "valkey", "engine_version": "8.0"}, False),
        ("aws_docdb_cluster", {"engine": "docdb", "engine_version": "3.6.0"}, True),
        ("aws_docdb_cluster", {"engine": "docdb", "engine_version": "5.0.0"}, False),
        (CLUSTER, {"version": None}, False),
    ],
)
def test_every_type_of_database_is_checked(
    terraform_type: str, values: dict[str, Any], reported: bool
) -> None:
    assert bool(findings_on(terraform_type, values, values, date(2027, 3, 1))) is reported


# --- renewal of the table ---


def moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


Answers = list[tuple[str, dict[str, Any]]]


class Stubs:
    """Clients of botocore that answer from a list; botocore checks each answer against its model."""

    def __init__(self, answers: dict[str, Answers]) -> None:
        self.stubs: list[Stubber] = []
        self.clients: dict[str, Any] = {}
        for service, calls in answers.items():
            client = botocore.session.Session().create_client(
                service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
            )
            stub = Stubber(client)
            for method, answer in calls:
                stub.add_response(method, answer)
            stub.activate()
            self.clients[service] = client
            self.stubs.append(stub)

    def __call__(self, service: str) -> Any:
        return self.clients[service]


def cluster_version(version: str, ends: date, status: str = "STANDARD_SUPPORT") -> dict[str, Any]:
    return {
        "clusterVersion": version,
        "clusterType": "eks",
        "releaseDate": moment(ends - timedelta(days=425)),
        "endOfStandardSupportDate": moment(ends),
        "endOfExtendedSupportDate": moment(ends + timedelta(days=366)),
        "versionStatus": status,
    }


def addon(name: str, kubernetes: str, *sold: str) -> dict[str, Any]:
    """The last version is the default of EKS."""
    return {
        "addons": [
            {
                "addonName": name,
                "addonVersions": [
                    {
                        "addonVersion": version,
                        "compatibilities": [
                            {"clusterVersion": "1.30", "defaultVersion": True},
                            {"clusterVersion": kubernetes, "defaultVersion": version == sold[-1]},
                        ],
                    }
                    for version in sold
                ],
            }
        ]
    }


DAY = date(2027, 4, 1)
NAMES = list(versions.NAMES)


@pytest.fixture
def renewed() -> dict[str, dict[str, dict[str, Any]]]:
    def life(major: str, standard: date) -> dict[str, Any]:
        spans = ((versions.STANDARD, standard), (versions.EXTENDED, standard + timedelta(days=1096)))
        return {
            "Engine": "postgres",
            "MajorEngineVersion": major,
            "SupportedEngineLifecycles": [
                {
                    "LifecycleSupportName": name,
                    "LifecycleSupportStartDate": moment(date(2022, 1, 1)),
                    "LifecycleSupportEndDate": moment(ends),
                }
                for name, ends in spans
            ],
        }

    eks: Answers = [
        (
            "describe_cluster_versions",
            {
                "clusterVersions": [
                    cluster_version("1.37", date(2028, 1, 9)),
                    cluster_version("1.36", date(2027, 8, 3)),
                ],
                "nextToken": "more",
            },
        ),
        (
            "describe_cluster_versions",
            {
                "clusterVersions": [
                    cluster_version("1.35", date(2027, 3, 27), "EXTENDED_SUPPORT"),
                    cluster_version("1.32", date(2026, 3, 23), "UNSUPPORTED"),
                    cluster_version("1.29", date(2025, 3, 23), "UNSUPPORTED"),
                ]
            },
        ),
    ]
    for kubernetes in ("1.36", "1.37"):
        eks += [
            (
                "describe_addon_versions",
                addon(name, kubernetes, "v9.9.9-eksbuild.1", f"v{kubernetes}.1-eksbuild.2"),
            )
            for name in NAMES
        ]
    rds: Answers = [
        (
            "describe_db_engine_versions",
            {
                "DBEngineVersions": [
                    {"Engine": "postgres", "EngineVersion": version, "Status": status}
                    for version, status in (
                        ("14.23", "available"),
                        ("17.8", "deprecated"),
                        ("17.11", "available"),
                        ("17.9", "available"),
                        ("19.2", "available"),
                    )
                ]
            },
        ),
        (
            "describe_db_major_engine_versions",
            {
                "DBMajorEngineVersions": [
                    life("14", date(2027, 2, 28)),
                    life("17", date(2030, 2, 28)),
                    life("19", date(2032, 2, 28)),
                ]
            },
        ),
    ]

    def cache(*sold: tuple[str, str]) -> dict[str, Any]:
        return {
            "CacheEngineVersions": [
                {"Engine": "it", "EngineVersion": version, "CacheParameterGroupFamily": family}
                for version, family in sold
            ]
        }

    elasticache: Answers = [
        ("describe_cache_engine_versions", cache(("6.2", "redis6.x"), ("7.1", "redis7"))),
        ("describe_cache_engine_versions", cache(("8.2", "valkey8"), ("9.0", "valkey9"))),
    ]
    docdb: Answers = [
        (
            "describe_db_engine_versions",
            {"DBEngineVersions": [{"Engine": "docdb", "EngineVersion": each} for each in ("5.0.0", "8.0.0")]},
        )
    ]
    stubs = Stubs({"eks": eks, "rds": rds, "elasticache": elasticache, "docdb": docdb})
    table = versions.renewed(TABLE, stubs, DAY)
    for stub in stubs.stubs:
        stub.assert_no_pending_responses()
    return table


def test_renewal_adds_removes_and_updates_kubernetes_versions(renewed: dict[str, Any]) -> None:
    rows = calendar.parsed(renewed[KUBERNETES])
    assert rows["1.37"].standard_until == date(2028, 1, 9)
    assert (rows["1.37"].source, rows["1.37"].read, rows["1.37"].offered) == ("aws", DAY, True)
    assert rows["1.36"].standard_until == date(2027, 8, 3)
    assert not rows["1.32"].offered
    assert "1.29" not in rows
    assert rows["1.34"].read == TODAY, "what AWS does not list must stay unchanged"


def test_renewal_takes_the_default_addon_versions_of_eks(renewed: dict[str, Any]) -> None:
    for kubernetes in ("1.36", "1.37"):
        row = renewed[calendar.ADDONS][kubernetes]
        assert {name: row[name] for name in NAMES} == dict.fromkeys(NAMES, f"v{kubernetes}.1-eksbuild.2")
    assert renewed[calendar.ADDONS]["1.35"] == TABLE[calendar.ADDONS]["1.35"], "standard support has ended"


def test_renewal_takes_the_oldest_available_minor_of_each_postgresql_major(renewed: dict[str, Any]) -> None:
    rows = calendar.parsed(renewed[POSTGRES])
    assert rows["17"].facts == {"oldest_minor": 9}
    assert rows["19"].facts == {"oldest_minor": 2}
    assert not rows["14"].offered, "standard support is over, and extended support is off"
    assert not rows["13"].offered
    assert rows["18"] == calendar.rows(POSTGRES)["18"]


def test_renewal_keeps_dates_and_removes_versions_of_caches_and_documentdb(renewed: dict[str, Any]) -> None:
    valkey, redis = (calendar.parsed(renewed[name]) for name in (VALKEY, REDIS))
    assert valkey["9.0"].facts == {"family": "valkey9"}
    assert (valkey["9.0"].offered, valkey["8.0"].offered) == (True, False)
    assert (redis["7.1"].offered, redis["7.0"].offered, redis["6.2"].offered) == (True, False, False)
    assert redis["6.2"].standard_until == date(2027, 1, 31)
    documentdb = calendar.parsed(renewed[DOCUMENTDB])
    assert {version: row.offered for version, row in documentdb.items()} == {
        "3.6.0": False,
        "4.0.0": False,
        "5.0.0": True,
        "8.0.0": True,
    }


def test_the_written_table_reads_the_same_and_keeps_its_comments(renewed: dict[str, Any]) -> None:
    text = versions.written(TEXT, renewed)
    assert calendar.parse_table(text) == renewed

    def comments(of: str) -> list[str]:
        return [line for line in of.splitlines() if line.startswith("#") or line == ""]

    assert comments(text) == comments(TEXT)
    assert max(map(len, text.splitlines())) <= versions.WIDEST
    assert versions.written(TEXT, TABLE) == TEXT


def test_renewal_reports_differences_and_manual_steps(renewed: dict[str, Any]) -> None:
    differences = "\n".join(versions.differences(TABLE, renewed))
    assert "kubernetes 1.36: standard_until: 2027-08-02 → 2027-08-03" in differences
    assert "Kubernetes 1.37 is not offered before `autoscaler` has its image" in differences
    assert list(versions.differences(TABLE, TABLE)) == []


@pytest.fixture
def denied(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    client = botocore.session.Session().create_client(
        "eks", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        stub.add_client_error("describe_cluster_versions", "AccessDeniedException")
        monkeypatch.setattr(botocore.session.Session, "create_client", lambda *_, **__: client)
        yield


@pytest.mark.usefixtures("denied")
def test_a_refused_call_names_the_permissions_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["versions", "production"])
    assert versions.main() == 1
    assert "AWS refuses DescribeClusterVersions (AccessDeniedException)" in (
        printed := capsys.readouterr().err
    )
    assert "eks:DescribeAddonVersions" in printed
    assert calendar.TABLE.read_text(encoding="utf-8") == TEXT


def test_the_table_is_written_to_the_file_that_is_read(
    renewed: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = tmp_path / "versions.yaml"
    copy.write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["versions", "production"])
    monkeypatch.setattr(versions, "TABLE", copy)
    monkeypatch.setattr(versions, "renewed", lambda *_: renewed)
    assert versions.main() == 0
    assert calendar.parse_table(copy.read_text(encoding="utf-8")) == renewed
    assert "commit it" in capsys.readouterr().out
