"""Tests of the progress table of make on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import subprocess
import termios
import time
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from support.project import PLAN_OUTPUT, Project, planned, succeeded, without_make

from tierra.run import after
from tierra.run.board import DONE, RUNNING, STOPPED, Board, Row, Table
from tierra.run.workspace import Workspace

NEEDS = {"network": [], "storage": [], "data": ["network"], "systems": ["data", "storage", "compute"]}


class Screen(StringIO):
    """A terminal that records its output."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.setenv("TERM", "xterm")
    opened = Board(tmp_path, Screen())
    opened.open(NEEDS)
    return opened


def shown(board: Board, now: float = 0) -> dict[str, str]:
    """The text of each tier's row in the table."""
    table = json.loads(board.file.read_text())
    rows = Table({tier: Row(**row) for tier, row in table["rows"].items()}).lines(now or time.time(), 60)
    plain = [re.sub(r"\x1b\[\d+m", "", row).split(maxsplit=1) for row in rows]
    return {tier: rest.strip() for tier, rest in plain}


def test_a_tier_waits_only_for_its_needs(board: Board) -> None:
    board.update("network", RUNNING, "terraform plan")
    assert shown(board) == {
        "network": "terraform plan" + " " * 29 + "0:00",
        "storage": "waits for its turn",
        "data": "waits for network",
        "systems": "waits for data, storage",  # compute is not in this run
    }
    board.update("network", DONE, "no changes")
    assert shown(board)["data"] == "waits for its turn"


def test_after_a_failure_no_tier_is_waiting(board: Board) -> None:
    board.update("network", STOPPED, "stopped")
    assert {shown(board)[tier] for tier in ("storage", "data", "systems")} == {"not started"}


def test_lines_are_printed_above_the_table_and_the_table_is_removed_at_the_end(board: Board) -> None:
    board.update("network", RUNNING, "terraform plan")
    stream = board.stream
    assert isinstance(stream, Screen)
    before = len(stream.getvalue())
    board.say("a line\n")
    after = stream.getvalue()[before:]
    assert after.startswith("\x1b[4F\x1b[Ja line\n")
    assert after.count("\n") == 1 + len(NEEDS)
    board.close()
    assert stream.getvalue().endswith("\x1b[4F\x1b[J")
    assert not board.file.exists()


def test_a_kept_table_is_not_removed(board: Board) -> None:
    board.update("network", DONE, "3 added")
    board.close(keep=True)
    assert isinstance(board.stream, Screen)
    last = board.stream.getvalue().rpartition("\x1b[J")[2]
    assert last.count("\n") == len(NEEDS)
    assert "3 added" in last
    assert not board.file.exists()


def test_one_tier_has_no_table_on_a_terminal_so_it_prints_a_line(board: Board) -> None:
    assert board.has_table
    board.open({"network": []})
    assert not board.has_table


def test_long_rows_are_truncated_with_an_ellipsis() -> None:
    (line,) = Table({"data": Row(status="x" * 60, state=RUNNING)}).lines(0, 40)
    assert "x…" in line
    assert "x" * 60 not in line


def test_a_closed_pipe_is_no_failure(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        Board(tmp_path, stream).say("unseen\n")
        Board(tmp_path, stream).say("and again\n")


def on_a_terminal(project: Project, *arguments: str) -> tuple[int, str, int]:
    """The exit code of make, the output on its terminal, and the number of questions answered with yes."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 160))
    make = subprocess.Popen(
        ["make", *arguments],
        cwd=project.folder,
        env=without_make(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),  # type: ignore[func-returns-value]
    )
    os.close(theirs)
    output, answered = b"", 0
    with suppress(OSError):  # the other end is closed
        while read := os.read(ours, 65536):
            output += read
            while output.count(b"Type yes") > answered:
                os.write(ours, b"yes\n")
                answered += 1
    os.close(ours)
    return make.wait(), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode()), answered


def test_make_shows_the_progress_of_each_tier_and_then_the_report(project: Project) -> None:
    code, output, answered = on_a_terminal(project, "plan", "TIER=storage network edge")
    assert (code, answered) == (0, 0), output
    assert re.search(r"edge +waits for (network, storage|network|storage)", output)
    assert re.search(r"network +terraform plan +0:\d\d", output)
    assert re.search(r"storage +35 to add, 0 to change, 0 to destroy +0:\d\d", output)
    assert "terraform -chdir=" not in output
    last = output.rpartition("edge ")[2]
    assert "Next: make apply ENV=sandbox" in last

    code, output, answered = on_a_terminal(project, "apply", "TIER=storage network edge")
    assert (code, answered) == (0, 1), output  # edge was a forecast, and its plan does the approved changes


def test_without_a_terminal_there_is_a_line_for_each_tier(project: Project) -> None:
    output = (planned() / PLAN_OUTPUT).read_text()
    assert re.search(r"^plan   storage +35 to add, 0 to change, 0 to destroy  \(\d+ s\)$", output, re.M)
    assert "\x1b" not in output
    output = succeeded(project.make("plan", "TIER=storage", VERBOSE="yes"))
    assert re.search(r"^\S*terraform -chdir=\S+/storage plan ", output, re.M)
    assert "aws_s3_bucket.files will be created" in output


def test_after_a_partial_apply_the_next_plan_is_of_the_same_tiers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiers: dict[str, list[str]] = {"state": [], "network": []}
    facts = {"target": "rehearsal", "tiers": tiers}
    (tmp_path / "environment.json").write_text(json.dumps(facts))
    monkeypatch.setattr(after, "finish", lambda _: None)
    monkeypatch.setattr(after, "glance", lambda _: "")
    for tier in tiers:
        (tmp_path / "stacks" / tier).mkdir(parents=True)
        (tmp_path / "stacks" / tier / "cdk.tf.json").write_text("{}")
    after.applied(Workspace("dev", tmp_path, {"TIER": "network"}))
    output = capsys.readouterr().out
    assert "apply: dev is up to date (network)" in output
    assert "Next: make plan ENV=dev TIER=network, which ends with No changes." in output
