"""Tests of set-up: its output while it installs, and nothing if there is nothing to do."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import ROOT

# Replaces python3 and the Python of .venv: succeeds, records what pip installs, and fails where a test wants
# it. The file `none` lists what the machine lacks.
PYTHON = """#!/bin/sh
here={folder}
case "$*" in
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && touch .venv/pip ;;
  "-m venv --without-pip .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  "-c import pathlib, pip;"*) test -e $here/__pip-runner__.py && echo $here/__pip-runner__.py ;;
  *" install "* | *" download "*)
    test "$1" = -m || echo borrowed >>$here/pips
    set -- $(echo "$*" | sed 's/.*requirements.//; s/.*venv.half/main/; s/.lock.*$//; s/ .*//')
    echo "$$ $1" >>$here/started
    while test -e $here/slow -a "$1" != pip; do sleep 0.05; done
    test ! -e $here/broken -o "$1" = pip || {{ echo "pip: no route to host" >&2; exit 1; }}
    echo "$1" >>$here/installed
    test "$1" != pip || touch .venv/pip ;;
  "-m tierra.bindings.node") test ! -e $here/none/node || grep -qs node $here/installed ;;
  "-m tierra.bindings.terraform --found") test ! -e $here/none/terraform ;;
  *find_spec*) grep -qs terraform $here/installed ;;
  "-m pip --version") test "$0" = .venv/bin/python -a -e .venv/pip ;;
esac
"""


class Machine:
    """A checkout without packages; the machine has Node and terraform unless a test removes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "none").mkdir()
        (folder / "tools").mkdir()
        shutil.copy(ROOT / "tools/setup.sh", folder / "tools")
        shutil.copytree(ROOT / "requirements", folder / "requirements")
        (folder / "python3").write_text(PYTHON.format(folder=folder))
        (folder / "python3").chmod(0o755)

    def lacks(self, *names: str) -> None:
        for name in names:
            (self.folder / "none" / name).touch()

    def setup(self, **variables: str) -> subprocess.CompletedProcess[str]:
        without = {name: value for name, value in os.environ.items() if name != "MAKE_TERMOUT"}
        return subprocess.run(
            [self.folder / "tools/setup.sh"],
            env={**without, "PYTHON3": str(self.folder / "python3"), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def installed(self) -> list[str]:
        return (self.folder / "installed").read_text().split()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def steps(output: str) -> list[str]:
    return re.findall(r"^setup: (.+): done in \d+ s$", output, re.M)


def test_each_step_is_announced_and_its_duration_printed(
    machine: Machine,
) -> None:
    machine.lacks("node", "terraform")
    done = machine.setup()
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()[0]
    packages = r"Python packages \(\d+ MB\), bindings of AWS \(\d+ MB\), "
    assert re.search(packages + r"Node \(\d+ MB; .+\), terraform \(\d+ MB; .+\)$", first)
    assert "two minutes" in done.stdout
    assert steps(done.stdout) == ["virtual environment", "packages"]
    assert sorted(machine.installed) == ["bindings", "main-0", "main-1", "node", "pip", "terraform"]
    text = (machine.folder / ".venv/bin/terraform").read_text(encoding="utf-8")
    [program] = re.findall(r'"[^"]*/(tierra/[^"]+)" "\$@"', text)
    assert (ROOT / program).is_file()


def test_programs_of_the_machine_are_not_installed(machine: Machine) -> None:
    done = machine.setup()
    assert done.stdout.splitlines()[0].endswith("once: Python packages (140 MB), bindings of AWS (60 MB)")
    assert sorted(machine.installed) == ["bindings", "main-0", "main-1", "pip"]
    assert not (machine.folder / ".venv/bin/terraform").exists()


def test_setup_prints_nothing_if_nothing_is_to_do(machine: Machine) -> None:
    machine.lacks("node", "terraform")
    machine.setup()
    again = machine.setup()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert len(machine.installed) == 6


def test_only_changed_packages_are_installed_again(machine: Machine) -> None:
    machine.lacks("node")
    machine.setup()
    for lock, again in (("main", ["main-0", "main-1"]), ("bindings", ["bindings"])):
        before = machine.installed
        (machine.folder / f"requirements/{lock}.lock").write_text("other\n")
        assert steps(machine.setup().stdout) == ["packages"]
        assert sorted(machine.installed) == sorted([*before, *again])


def test_the_two_parallel_installations_cover_all_packages(machine: Machine) -> None:
    (machine.folder / "broken").touch()
    machine.setup()
    halves = [(machine.folder / f".venv/half-{each}").read_text() for each in (0, 1)]
    names = [re.findall(r"^[a-z][\w.-]*==", half, re.M) for half in halves]
    lock = (ROOT / "requirements/main.lock").read_text()
    assert sorted([*names[0], *names[1]]) == sorted(re.findall(r"^[a-z][\w.-]*==", lock, re.M))
    assert abs(len(names[0]) - len(names[1])) <= 1
    assert sum(half.count("--hash=") for half in halves) == lock.count("--hash=")


def test_the_pip_of_the_machine_only_installs_that_of_the_environment(machine: Machine) -> None:
    (machine.folder / "__pip-runner__.py").touch()
    done = machine.setup()
    assert done.returncode == 0, done.stderr
    assert machine.installed[0] == "pip"
    assert sorted(machine.installed) == ["bindings", "main-0", "main-1", "pip"]
    assert (machine.folder / "pips").read_text() == "borrowed\n"


def test_an_old_pip_of_the_machine_is_ignored(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    assert not (machine.folder / "pips").exists()
    assert machine.installed[0] == "pip"


def test_a_failed_step_is_reported_with_a_remedy_and_repeated_the_next_time(machine: Machine) -> None:
    (machine.folder / "broken").touch()
    done = machine.setup()
    assert done.returncode == 1
    assert "no route to host" in done.stderr
    assert "setup: packages: failed" in done.stderr
    assert "run make setup again" in done.stderr
    (machine.folder / "broken").unlink()
    assert steps(machine.setup().stdout) == ["packages"]
    assert sorted(machine.installed) == ["bindings", "main-0", "main-1", "pip"]


def test_packages_are_downloaded_in_parallel_and_an_interrupt_stops_all(machine: Machine) -> None:
    machine.lacks("node")
    (machine.folder / "slow").touch()
    script = machine.folder / "tools/setup.sh"
    running = subprocess.Popen([script], env={**os.environ, "PYTHON3": str(machine.folder / "python3")})
    started = machine.folder / "started"
    while not started.exists() or len(started.read_text().splitlines()) < 5:
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    assert running.wait() == 130
    pids = [int(line.split()[0]) for line in started.read_text().splitlines()]
    while any(alive(pid) for pid in pids):
        time.sleep(0.02)
    (machine.folder / "slow").unlink()
    assert steps(machine.setup().stdout) == ["packages"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_progress_goes_to_the_terminal_that_make_names(machine: Machine) -> None:
    ours, theirs = pty.openpty()
    done = machine.setup(MAKE_TERMOUT=os.ttyname(theirs))
    shown = ""
    while "setup: packages: done" not in shown:
        shown += os.read(ours, 65536).decode()
    assert (done.returncode, done.stdout) == (0, "")
    assert shown.startswith("setup: installing into .venv, once: ")
    assert "setup: packages: 0 s" in shown
    assert re.search(r"\rsetup: packages: done in \d+ s\r\n", shown)
    os.close(theirs)
    os.close(ours)


def test_a_make_termout_without_a_path_creates_no_file(machine: Machine) -> None:
    assert "once: Python packages" in machine.setup(MAKE_TERMOUT="true").stdout
    assert not (machine.folder / "true").exists()
