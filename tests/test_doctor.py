"""Tests of `make doctor`: checks of the machine, credentials and account, against fake AWS servers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import ROOT
from support.project import without_make

from tierra.run import account
from tierra.run.workspace import Workspace
from tools import doctor

PRODUCTION = "123456789012"
UNREACHED = "http://127.0.0.1:9"  # the port of the discard service, where no process listens


ZONES = {"us-east-1a": "use1-az1", "us-east-1b": "use1-az2", "us-east-1c": "use1-az4"}


class Pretence(ThreadingHTTPServer):
    """Answers as STS, EKS and the registry do. `cluster` is the answer about the cluster, or None."""

    account = PRODUCTION
    bucket = "acme-production-123456789012-state"
    cluster: dict[str, object] | None = None
    zones: Mapping[str, str] = ZONES

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Pretence

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if b"DescribeAvailabilityZones" in asked:
            zones = "".join(
                f"<item><zoneName>{name}</zoneName><zoneId>{zone}</zoneId><zoneState>available</zoneState></item>"
                for name, zone in self.server.zones.items()
            )
            name = "DescribeAvailabilityZonesResponse"
            self.say(200, f"<{name}><availabilityZoneInfo>{zones}</availabilityZoneInfo></{name}>")
            return
        for name, inner in (
            ("DescribeAddresses", "<addressesSet/>"),
            (
                "DescribeAccountAttributes",
                "<accountAttributeSet><item><attributeValueSet><item><attributeValue>5</attributeValue></item>"
                "</attributeValueSet></item></accountAttributeSet>",
            ),
        ):
            if name.encode() in asked:
                self.say(200, f"<{name}Response>{inner}</{name}Response>")
                return
        arn = f"<Arn>arn:aws:iam::{self.server.account}:role/operator</Arn>"
        who = f"{arn}<UserId>AROA:me</UserId><Account>{self.server.account}</Account>"
        name = "GetCallerIdentity"
        self.say(200, f"<{name}Response><{name}Result>{who}</{name}Result></{name}Response>")

    def do_HEAD(self) -> None:
        self.say(200 if self.server.bucket in self.path else 404, "")

    def do_GET(self) -> None:
        if self.path == "/.well-known/terraform.json":
            self.say(200, '{"providers.v1": "/v1/providers/"}')
        elif self.path == "/clusters/acme-production" and self.server.cluster:
            self.say(200, json.dumps({"cluster": self.server.cluster}))
        else:
            self.say(404, '{"message": "none"}', **{"x-amzn-ErrorType": "ResourceNotFoundException"})

    def say(self, code: int, text: str, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Suppresses the log."""


@pytest.fixture
def servers() -> Iterator[Pretence]:
    with Pretence() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def variables_of_a_shell(**variables: str) -> dict[str, str]:
    ours = {name: value for name, value in without_make().items() if not name.startswith("AWS_")}
    alone = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    unreached = {"HTTPS_PROXY": UNREACHED, "https_proxy": UNREACHED, "NO_PROXY": "", "no_proxy": ""}
    return {**ours, **alone, **unreached, **variables}


def answered(code: int, output: str) -> tuple[int, dict[str, str], str]:
    """The exit code, the status of everything by name, and the whole output."""
    lines = [line.split(": ", 2) for line in output.splitlines() if line[:1] != " "]
    return code, {line[1]: line[0] for line in lines if line[0] != "doctor"}, output


def run_separately(environment: str, *options: str) -> tuple[int, dict[str, str], str]:
    """Runs the command in a separate process."""
    done = subprocess.run(
        [sys.executable, *options, "-m", "tools.doctor", environment],
        cwd=ROOT,
        env=variables_of_a_shell(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return answered(done.returncode, done.stdout)


def run_here(environment: str, **variables: str) -> tuple[int, dict[str, str], str]:
    """Runs the command in this process."""
    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.chdir(ROOT)
        patch.setattr(sys, "argv", ["doctor", environment])
        for name in os.environ:
            patch.delenv(name)
        for name, value in variables_of_a_shell(**variables).items():
            patch.setenv(name, value)
        # An opener keeps the proxies from its creation.
        urllib.request.install_opener(urllib.request.build_opener())
        code = doctor.main()
    return answered(code, output.getvalue())


def signed_in(server: Pretence) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_STS": server.address,
        "AWS_ENDPOINT_URL_EC2": server.address,
        "AWS_ENDPOINT_URL_EKS": server.address,
        "AWS_ENDPOINT_URL_S3": server.address,
    }


def test_the_sandbox_needs_neither_credentials_nor_network() -> None:
    code, status, output = run_separately("sandbox")
    assert code == 0, output
    assert [name for name in status if status[name] == "not needed"] == [
        "credentials",
        "zones",
        "addresses",
        "services",
        "certificate",
        "backups",
        "states",
        "registry",
        "cluster",
    ]
    assert {status[name] for name in ("make", "python", "packages", "terraform", "node", "git", "spec")} == {
        "ok"
    }
    assert "nothing is missing for sandbox" in output


def test_missing_prerequisites_of_aws_are_reported_with_remedies() -> None:
    code, status, output = run_separately("production")
    assert code == 1
    assert (status["credentials"], status["registry"]) == ("missing", "missing")
    assert f"sign in to {PRODUCTION}" in output
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("missing", "warning")):
            assert lines[number + 1].startswith("  remedy: "), line


def test_credentials_of_the_account_are_shown(servers: Pretence) -> None:
    _, status, output = run_here("production", **signed_in(servers))
    assert status["credentials"] == "ok", output
    assert f"arn:aws:iam::{PRODUCTION}:role/operator" in output
    assert status["cluster"] == "ok"
    assert "acme-production does not exist yet" in output


def test_credentials_of_another_account_are_reported(servers: Pretence) -> None:
    servers.account = "210987654321"
    code, status, output = run_here("production", **signed_in(servers))
    assert (code, status["credentials"]) == (1, "missing")
    assert f"the spec is for {PRODUCTION}" in output


def test_the_state_bucket_is_checked(servers: Pretence) -> None:
    assert run_here("production", **signed_in(servers))[1]["states"] == "ok"
    servers.bucket = "another"
    code, status, output = run_here("production", **signed_in(servers))
    assert (code, status["states"]) == (1, "missing")
    assert "make bootstrap ENV=production" in output


def test_zones_that_eks_or_the_account_lacks_are_reported(servers: Pretence) -> None:
    assert run_here("production", **signed_in(servers))[1]["zones"] == "ok"
    servers.zones = {**ZONES, "us-east-1b": "use1-az3", "us-east-1d": "use1-az6"}
    code, status, output = run_here("production", **signed_in(servers))
    assert (code, status["zones"]) == (1, "missing")
    assert "us-east-1b is use1-az3 here, which EKS refuses" in output
    assert "write network.zones with letters of these: a, c, d" in output
    servers.zones = {"us-east-1a": "use1-az1"}
    assert "this account has no zone us-east-1b" in run_here("production", **signed_in(servers))[2]


class Fake:
    """A client of AWS that returns the given answers and raises given exceptions."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(**_: object) -> object:
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def check_of(
    monkeypatch: pytest.MonkeyPatch, check: Callable[[object], doctor.Check], **answers: object
) -> doctor.Check:
    monkeypatch.chdir(ROOT)
    spec, _ = doctor.look_at_spec("production")
    monkeypatch.setattr(doctor, "client", lambda *_: Fake(**answers))
    return check(spec)


def test_elastic_ips_above_the_quota_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = {"AccountAttributes": [{"AttributeValues": [{"AttributeValue": "5"}]}]}

    def addresses(*names: str) -> doctor.Check:
        described = {"Addresses": [{"Tags": [{"Key": "Name", "Value": name}]} for name in names]}
        return check_of(
            monkeypatch,
            doctor.look_at_addresses,
            describe_addresses=described,
            describe_account_attributes=limit,
        )

    assert addresses("acme-production-nat-a", "other", "another").status == doctor.OK
    short = addresses("one", "two", "three")
    assert (short.status, short.details) == (
        "missing",
        "3 for NAT gateways, 3 used by others, 5 allowed in us-east-1",
    )


def test_a_region_without_a_service_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    sold: dict[str, object] = {"DBEngineVersions": [{}]}
    lacks = ClientError({"Error": {"Code": "WAFNonexistentItemException", "Message": ""}}, "x")

    def services(engines: object, rules: object) -> doctor.Check:
        return check_of(
            monkeypatch,
            doctor.look_at_services,
            describe_db_engine_versions=engines,
            describe_managed_rule_group=rules,
        )

    assert services(sold, {}).status == doctor.OK
    assert services({"DBEngineVersions": []}, {}).details == "us-east-1 has no DocumentDB 5.0.0"
    assert services(sold, lacks).remedy == "write edge.waf.rules.anti_ddos: off"


def test_resource_types_without_aws_backup_opt_in_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def backups(**chosen: bool) -> doctor.Check:
        settings = {"ResourceTypeOptInPreference": chosen}
        return check_of(monkeypatch, doctor.look_at_backups, describe_region_settings=settings)

    assert backups().status == backups(RDS=True, EFS=False).status == doctor.OK
    off = backups(RDS=True, S3=False, DocumentDB=False)
    assert off.status == doctor.MISSING
    assert "--resource-type-opt-in-preference DocumentDB=true,S3=true" in off.remedy


def test_efs_needs_aws_backup_opt_in_only_with_volumes(
    monkeypatch: pytest.MonkeyPatch, environment: Callable[..., Any]
) -> None:
    left_out = {"ResourceTypeOptInPreference": {"EFS": False}}
    monkeypatch.setattr(doctor, "client", lambda *_: Fake(describe_region_settings=left_out))
    shop = {"framework": "go", "volumes": {"media": {"path": "/srv/media"}}}
    spec = environment(
        target="aws",
        account="123456789012",
        edge={"zone": "example.com", "domain": "app.example.com"},
        delivery={"ci": "off"},
        observability={"runbooks": "https://example.com/help"},
        systems={"shop": shop},
    )
    assert "EFS=true" in doctor.look_at_backups(spec).remedy


@pytest.mark.parametrize("reached", [True, False])
def test_an_unreachable_private_cluster_is_reported(servers: Pretence, reached: bool) -> None:
    servers.cluster = {
        "status": "ACTIVE",
        "endpoint": servers.address if reached else UNREACHED,
        "resourcesVpcConfig": {"endpointPublicAccess": False},
    }
    _, status, output = run_here("production", **signed_in(servers))
    assert status["cluster"] == ("ok" if reached else "missing"), output
    assert ("inside the VPC with the security group acme-production-runner" in output) is not reached
    assert ("network.admin_cidrs" in output) is not reached


def test_a_reachable_registry_is_reported(servers: Pretence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(doctor, "registry_of", lambda name: servers.address)
    spec, _ = doctor.look_at_spec("production")
    assert doctor.look_at_registry(spec).status == doctor.OK


def test_missing_programs_are_reported_with_their_source(tmp_path: Path) -> None:
    code, status, output = run_here("production", PATH=str(tmp_path))
    assert (code, status["git"], status["aws"]) == (1, "missing", "missing")
    assert (status["kubectl"], status["helm"]) == ("warning", "warning")
    assert "https://docs.aws.amazon.com/cli/" in output


@pytest.mark.parametrize(
    ("version", "status"),
    [("1.27.159", "missing"), ("1.32.6", "ok"), ("2.0.30", "missing"), ("2.12.3", "ok")],
)
def test_an_old_aws_cli_is_reported(tmp_path: Path, version: str, status: str) -> None:
    program = tmp_path / "aws"
    program.write_text(f"#!/bin/sh\necho aws-cli/{version} Python/3.11.7 Linux/6.1\n")
    program.chmod(0o755)
    assert run_here("production", PATH=f"{tmp_path}:{os.environ['PATH']}")[1]["aws"] == status


@pytest.mark.parametrize(
    ("make", "gmake", "status"),
    [
        ("GNU Make 3.81", "", "missing"),
        ("GNU Make 4.4.1", "", "ok"),
        ("GNU Make 3.81", "GNU Make 4.4.1", "ok"),
        ("usage: make 4.0", "", "missing"),
        ("", "", "missing"),
    ],
)
def test_doctor_reports_a_make_that_is_too_old(tmp_path: Path, make: str, gmake: str, status: str) -> None:
    for name, says in (("make", make), ("gmake", gmake)):
        if says:
            (tmp_path / name).write_text(f"#!/bin/sh\necho '{says}'\n")
            (tmp_path / name).chmod(0o755)
    code, statuses, output = run_here("sandbox", PATH=str(tmp_path))
    assert statuses["make"] == status
    assert ("brew install make" in output) is (status == "missing")
    assert ("type gmake wherever" in output) is (bool(gmake) and status == "ok")
    assert code == 1, "git is missing, too"


def test_an_invalid_spec_is_reported() -> None:
    code, status, output = run_here("nowhere")
    assert (code, status["spec"]) == (1, "missing")
    assert "the environments that exist" in output


def test_without_packages_the_remedy_is_make_setup() -> None:
    code, status, output = run_separately("sandbox", "-S")
    assert (code, status["packages"]) == (1, "missing")
    assert "make setup" in output


def test_a_run_is_refused_before_terraform_if_eks_lacks_a_zone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "environment.json").write_text(json.dumps({"region": "us-east-1", "zones": ["a", "b"]}))
    workspace = Workspace("production", tmp_path)

    def there_are(**ids: str) -> None:
        zones = [
            {"ZoneName": f"us-east-1{letter}", "ZoneId": id_, "State": "available"}
            for letter, id_ in ids.items()
        ]
        fake = Fake(describe_availability_zones={"AvailabilityZones": zones})
        monkeypatch.setattr(account, "client", lambda *_: fake)

    there_are(a="use1-az1", b="use1-az2")
    account.look_at_zones(workspace)
    there_are(a="use1-az1", b="use1-az3", c="use1-az2")
    with pytest.raises(account.Refused, match=r"us-east-1b is use1-az3 here, which EKS refuses\n.* a, c"):
        account.look_at_zones(workspace)
    denied = ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "DescribeAvailabilityZones")
    monkeypatch.setattr(account, "client", lambda *_: Fake(describe_availability_zones=denied))
    account.look_at_zones(workspace)  # terraform reports it
