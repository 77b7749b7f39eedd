"""Tests of the host process of the rehearsal provider: loaded once, with a fork for each call."""

from __future__ import annotations

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

import pytest
from support.rehearsing import ROOT, Project

from rehearsal.attach import address
from rehearsal.catalog import catalog_path
from rehearsal.cloud import Cloud

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
