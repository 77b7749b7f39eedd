"""What the terminal shows while make works: the table by itself, and make on a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import subprocess
import termios
from contextlib import suppress
from pathlib import Path

import pytest
from test_make import Project, succeeded, without_make

from review.progress import Board

NEEDS = {"network": [], "storage": [], "data": ["network"], "systems": ["data", "storage", "compute"]}


@pytest.fixture
def board() -> Board:
    return Board("plan", NEEDS)


def states(board: Board) -> dict[str, str]:
    return {tier: board.state(tier) for tier in board.needs}


def test_a_tier_waits_for_what_it_needs_and_nothing_else(board: Board) -> None:
    board.hear("start network\n", 10)
    assert states(board) == {
        "network": "plan runs",
        "storage": "waits for its turn",
        "data": "waits for network",
        "systems": "waits for data, storage",  # compute is not part of this run
    }
    board.hear("end network\n", 75.5)
    board.hear("start data\n", 76)
    assert board.rows(80) == [
        ("network", "done", "1:05"),
        ("storage", "waits for its turn", ""),
        ("data", "plan runs", "0:04"),
        ("systems", "waits for data, storage", ""),
    ]


def test_a_question_is_told_apart_from_work(board: Board) -> None:
    for line in ("start data", "ask data"):
        board.hear(line, 0)
    assert (board.asking, board.state("data")) == ("data", "asks")
    board.hear("asked data", 9)
    assert (board.asking, board.state("data")) == ("", "plan runs")


def test_after_a_failure_nothing_waits_any_more(board: Board) -> None:
    for line in ("start network", "end network", "start data", "no event", "start nothing"):
        board.hear(line, 0)
    board.failed = True
    assert states(board) == {
        "network": "done",
        "storage": "not begun",
        "data": "stopped",
        "systems": "not begun",
    }


def on_a_terminal(project: Project, *arguments: str) -> tuple[int, str, int]:
    """The exit code of make, what its terminal showed, and how many questions were answered with yes."""
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
    shown, answered = b"", 0
    with suppress(OSError):  # nobody holds the other end any more
        while read := os.read(ours, 65536):
            shown += read
            while shown.count(b"Type yes") > answered:
                os.write(ours, b"yes\n")
                answered += 1
    os.close(ours)
    return make.wait(), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()), answered


def test_make_shows_where_each_tier_is_and_asks_in_between(tmp_path: Path) -> None:
    project = Project(tmp_path / "tierra")
    tiers = "TIER=storage network edge"
    code, shown, answered = on_a_terminal(project, "plan", tiers)
    assert (code, answered) == (0, 0), shown
    assert re.search(r"edge +waits for (network, storage|network|storage)", shown)
    assert re.search(r"network +plan runs +0:\d\d", shown)
    last = shown.rpartition("time")[2]
    assert [
        tier for tier in ("storage", "network", "edge") if re.search(rf"{tier} +done +\d:\d\d", last)
    ] == [
        "storage",
        "network",
        "edge",
    ]
    assert "terraform -chdir=" in shown  # what terraform is asked and says stands above


def test_without_a_terminal_there_is_no_table(tmp_path: Path) -> None:
    said = succeeded(Project(tmp_path / "tierra").make("plan", "TIER=storage"))
    assert "plan runs" not in said
    assert "\x1b" not in said
