"""Tests of the host process of the rehearsal provider: loaded once, with a fork for each call."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.rehearsing import ROOT, Project, settings

from rehearsal import attach
from rehearsal.attach import address
from rehearsal.catalog import catalog_path
from rehearsal.cloud import Cloud
from rehearsal.needed import configured_once
from tierra.run import terraform

BUCKET = 'resource "aws_s3_bucket" "a" {}\n'


def test_one_host_answers_every_call_in_the_environment_of_the_call(tmp_path: Path) -> None:
    project = Project(tmp_path, BUCKET)
    project.apply()
    assert (catalog_path().parent / address()).is_socket()
    assert project.unchanged()
    assert "failure injected" in project.run(
        "apply", "-auto-approve", "-replace=aws_s3_bucket.a", code=1, REHEARSAL_FAIL="aws_s3_bucket=1"
    )
    assert "failure injected" not in project.apply()


def attached(project: Project, configuration: str) -> str | None:
    """The plan in a folder whose providers run in one process, as terraform shows it; None if terraform must
    start them."""
    project.write(configuration)
    environment = {**settings(), "REHEARSAL_CLOUD": str(project.cloud), "REHEARSAL_EXISTS": "*"}
    result = attach.running(str(project.folder), environment)
    if result is None:
        return None
    connection, value = result
    socket_file = Path(json.loads(value)["registry.terraform.io/hashicorp/aws"]["Addr"]["String"])
    assert socket_file.is_socket()
    assert socket_file.parent.stat().st_mode & 0o77 == 0, "no other user may use the provider"
    # The environment of another provider shows that terraform attaches.
    text = project.run("plan", TF_REATTACH_PROVIDERS=value, REHEARSAL_AS="nothing")
    connection.close()
    deadline = time.monotonic() + 20
    while socket_file.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not socket_file.exists(), "the providers end with the last holder of the connection"
    return text


def test_terraform_attaches_to_providers_that_run_in_one_process(tmp_path: Path) -> None:
    project = Project(tmp_path, BUCKET)
    started = project.run("plan")
    assert "1 to add" in started
    assert "no such role" in project.run("plan", REHEARSAL_AS="nothing")
    assert attached(project, BUCKET) == started


def test_a_host_in_a_folder_with_a_long_name_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "long" / ("a" * 100)
    folder.mkdir(parents=True)
    monkeypatch.setattr(attach, "HOME", str(folder))
    assert attach.connected() is None
    monkeypatch.setattr(attach, "address", lambda: "host-1.sock")
    host = start(folder, idle=60)
    try:
        connection = attach.connected()
        assert connection is not None
        connection.close()
    finally:
        host.send_signal(signal.SIGTERM)
        host.wait(timeout=20)


def test_providers_are_reached_where_the_temporary_folder_has_a_long_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("a" * 100)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    project = Project(tmp_path, BUCKET)
    assert "1 to add" in project.run("plan", TMPDIR=str(long))
    assert attached(project, BUCKET) is not None


@pytest.mark.parametrize(
    ("command", "variables", "attaches"),
    [("plan", {}, True), ("init", {}, False), ("plan", {"TF_LOG_PROVIDER": "debug"}, False)],
)
def test_make_attaches_terraform_unless_it_needs_no_provider_or_logs_its_output(
    tmp_path: Path, command: str, variables: dict[str, str], attaches: bool
) -> None:
    with terraform.attached(command, tmp_path, {**os.environ, **variables}) as (environment, descriptors):
        assert ("TF_REATTACH_PROVIDERS" in environment) == bool(descriptors) == attaches


def test_terraform_attaches_in_a_folder_that_configures_each_provider_once(tmp_path: Path) -> None:
    configuration = 'provider "aws" {\n  region = "eu-west-1"\n}\nprovider "helm" {}\n' + BUCKET
    project = Project(tmp_path, configuration)
    assert attached(project, configuration) == project.run("plan")


def test_terraform_starts_the_providers_of_a_folder_that_configures_one_twice(tmp_path: Path) -> None:
    assert attached(Project(tmp_path), 'provider "aws" {\n  alias = "other"\n}\n' + BUCKET) is None


@pytest.mark.parametrize(
    ("files", "once"),
    [
        ({"main.tf": 'provider "aws" {}\nprovider helm {\n}\n'}, True),
        ({"main.tf": 'provider "aws" {}\n', "other.tf": '/* b */ provider "aws" { alias = "b" }'}, False),
        ({"main.tf": 'provider "aws" {\n  region = "eu-west-1"\n  alias  = "b"\n}\n'}, False),
        ({"main.tf": 'provider "aws" {}\n', "cdk.tf.json": {"aws": {}}}, False),
        ({"cdk.tf.json": {"aws": {"region": "us-east-1"}, "helm": [{}]}}, True),
        ({"cdk.tf.json": {}}, True),
        ({"cdk.tf.json": {"aws": [{}, {"alias": "other"}]}}, False),
        ({"cdk.tf.json": {"aws": {"alias": "other"}}}, False),
        ({"cdk.tf.json": [{"aws": {}}, {"aws": {"alias": "other"}}]}, False),
        ({"cdk.tf.json": '{"provider": {"aws": {"alias": "b"}}, "provider": {"aws": {}}}'}, False),
        ({"cdk.tf.json": '{"provider": {"aws": {}, "aws": {}}}'}, False),
        ({"cdk.tf.json": "[]"}, False),
        ({"main.tf": 'provider "aws" /* here */ {\n  alias = "b"\n}\n'}, False),
        ({"main.tf": 'provider /* here */ "aws" {}\n'}, False),
        ({"main.tf": 'provider "aws" {\n  alias /* here */ = "b"\n}\n'}, False),
        ({"main.tf": 'provider "amazon" {}\n'}, False),
        ({"main.tf": 'resource "aws_s3_bucket" "a" {\n  provider = aws\n}\n'}, True),
        ({"module/main.tf": 'provider "aws" {}\n', "main.tf": ""}, False),
        ({"module/cdk.tf.json": {"helm": {}}, "main.tf": ""}, False),
        ({"module/main.tf": 'output "a" {}\n', "main.tf": 'provider "aws" {}\n'}, True),
    ],
)
def test_further_configurations_of_a_provider_are_recognized(
    tmp_path: Path, files: dict[str, Any], once: bool
) -> None:
    modules = {"Modules": [{"Dir": "."}, {"Dir": "module"}]}
    for name, content in {**files, ".terraform/modules/modules.json": modules}.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        providers = {"provider": content} if name.endswith("cdk.tf.json") else content
        file.write_text(content if isinstance(content, str) else json.dumps(providers))
    assert configured_once(tmp_path) == once


def start(folder: Path, idle: float) -> subprocess.Popen[bytes]:
    """Starts a separate host in a folder and waits until it listens."""
    program = (
        f"from rehearsal import host; host.HOME, host.IDLE_SECONDS = {str(folder)!r}, {idle}; host.main()"
    )
    host = subprocess.Popen([sys.executable, "-c", program, "host-1.sock"], cwd=ROOT, stdout=subprocess.PIPE)
    assert host.stdout
    assert host.stdout.read(1) == b"!"
    return host


def call(folder: Path, environment: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(os.path.relpath(folder / "host-1.sock"))
    socket.send_fds(connection, [b"-"], [1, 2])
    connection.sendall(f"aws\0{folder}\0{environment}".encode())
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(20)
    return connection


def test_a_host_without_calls_ends_and_removes_its_address(tmp_path: Path) -> None:
    (tmp_path / "host-0.sock").touch()
    host = start(tmp_path, idle=1)
    assert call(tmp_path, "A=1").recv(3) == b"1"  # not a call by terraform: refused, as by the provider
    assert host.wait(timeout=20) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_call_ends_if_its_caller_ends(tmp_path: Path) -> None:
    from rehearsal.handshake import COOKIE_NAME, COOKIE_VALUE

    host = start(tmp_path, idle=60)
    try:
        connection = call(tmp_path, f"{COOKIE_NAME}={COOKIE_VALUE}")
        children = Path(f"/proc/{host.pid}/task/{host.pid}/children")
        deadline = time.monotonic() + 20
        while not children.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert children.read_text()
        connection.close()
        while children.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not children.read_text()
    finally:
        host.send_signal(signal.SIGTERM)
        host.wait(timeout=20)


def test_without_a_socket_folder_the_provider_serves_itself(tmp_path: Path) -> None:
    for folder in ("rehearsal", "tierra"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    alone = subprocess.run(
        [sys.executable, "-ISB", tmp_path / "rehearsal" / "attach.py", "aws"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode == 1
    assert "terraform starts it; it does nothing by itself" in alone.stderr


@pytest.mark.parametrize(
    "file", ["rehearsal/attach.py", "rehearsal/planning.py", ".rehearsal/catalog.sqlite"]
)
def test_newer_code_or_facts_get_a_new_host(tmp_path: Path, file: str) -> None:
    for folder in ("rehearsal", "tierra"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".rehearsal").mkdir()
    (tmp_path / ".rehearsal" / "catalog.sqlite").touch()
    asks = [
        sys.executable,
        "-I",
        "-c",
        "import sys; sys.path.insert(0, '.'); from rehearsal import attach; print(attach.stamp())",
    ]

    def asked() -> str:
        return subprocess.run(asks, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    before = asked()
    assert asked() == before
    later = time.time() + 100
    os.utime(tmp_path / file, (later, later))
    assert asked() != before


def test_providers_that_start_together_open_a_new_account(tmp_path: Path) -> None:
    together, rounds = 4, 50
    barrier = threading.Barrier(together)

    def opened(number: int) -> Cloud:
        barrier.wait()
        return Cloud(tmp_path / str(number) / "account.sqlite")

    with ThreadPoolExecutor(together) as pool:
        for number in range(rounds):
            clouds = list(pool.map(opened, [number] * together))
            clouds[0].put("aws_vpc", "vpc-1", {"id": "vpc-1"})
            assert [each.all("aws_vpc") for each in clouds] == [[{"id": "vpc-1"}]] * together
            assert [path.name for path in (tmp_path / str(number)).iterdir() if path.is_dir()] == []
