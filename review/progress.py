"""What runs, what waits for what, and for how long, while make plans or applies the tiers:

    python -m review.progress VERB TIER:NEED,NEED… -- COMMAND…

runs the command, prints what it says, and keeps a table below that. The command and its children append a
line to the file that the variable PROGRESS names whenever something begins or ends: `start network`, `ask
network` (a question is on the terminal, and the table makes room), `asked network`, `end network`. The exit
code is the command's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import IO

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

VARIABLE = "PROGRESS"
SECONDS = 0.1  # between two looks at the file


@dataclass
class Board:
    """Where each tier is. `needs` are the tiers that it waits for; times are seconds of any clock."""

    verb: str
    needs: Mapping[str, Sequence[str]]
    started: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    asking: str = ""
    failed: bool = False
    shown: list[tuple[str, str, str]] = field(default_factory=list)

    def hear(self, line: str, now: float) -> None:
        """Takes one line of the file; one that is no event is passed over."""
        event, _, tier = line.strip().partition(" ")
        if tier not in self.needs:
            return
        if event == "start":
            self.started.setdefault(tier, now)
        elif event == "end":
            self.started.setdefault(tier, now)
            self.ended.setdefault(tier, now)
        elif event in ("ask", "asked"):
            self.asking = tier if event == "ask" else ""

    def state(self, tier: str) -> str:
        """`done`, `plan runs`, `stopped`, `asks`, `not begun`, or what it waits for."""
        if tier in self.ended:
            return "done"
        if tier in self.started:
            return "stopped" if self.failed else "asks" if tier == self.asking else f"{self.verb} runs"
        if self.failed:
            return "not begun"
        waits = [need for need in self.needs[tier] if need in self.needs and need not in self.ended]
        return f"waits for {', '.join(waits)}" if waits else "waits for its turn"

    def rows(self, now: float) -> list[tuple[str, str, str]]:
        """Tier, state, and for how long it has run or ran, as minutes:seconds."""
        return [(tier, self.state(tier), self._time(tier, now)) for tier in self.needs]

    def _time(self, tier: str, now: float) -> str:
        if tier not in self.started:
            return ""
        seconds = int(self.ended.get(tier, now) - self.started[tier])
        return f"{seconds // 60}:{seconds % 60:02}"


STYLES = {"done": "green", "stopped": "red", "asks": "yellow"}


def table(rows: Sequence[tuple[str, str, str]]) -> Table:
    """The rows of a board as people read them."""
    shown = Table(box=box.SIMPLE, pad_edge=False)
    shown.add_column("tier")
    shown.add_column("", overflow="ellipsis", no_wrap=True)
    shown.add_column("time", justify="right")
    for tier, state, spent in rows:
        style = "dim" if state.startswith(("waits", "not begun")) else STYLES.get(state, "bold")
        shown.add_row(tier, Text(state, style=style), spent)
    return shown


def run(board: Board, command: Sequence[str], console: Console) -> int:
    """Runs the command above the table. Ctrl-C reaches terraform, which stops in good order."""
    with tempfile.TemporaryDirectory(prefix="tierra-progress-") as folder:
        events = Path(folder) / "events"
        events.touch()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        child = subprocess.Popen(
            command,
            env={**os.environ, VARIABLE: str(events)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            close_fds=False,  # the job server of make is one of them
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert child.stdout
        live = Live(console=console, auto_refresh=False, transient=True)
        said = Thread(target=_repeat, args=(child.stdout, console), daemon=True)
        with live, events.open() as heard:
            said.start()
            while child.poll() is None or said.is_alive():
                for line in heard:
                    board.hear(line, time.monotonic())
                _show(live, board)
                time.sleep(SECONDS)
            for line in heard:
                board.hear(line, time.monotonic())
        signal.signal(signal.SIGINT, before)
        board.failed = child.returncode != 0
        console.print(table(board.rows(time.monotonic())))
        return child.returncode


def _show(live: Live, board: Board) -> None:
    """Keeps the table, except while a question is on the terminal. It is drawn again when it says something
    else, once a second as a rule."""
    if board.asking:
        live.stop()
        board.shown = []
        return
    if not live.is_started:
        live.start()
    shown = board.rows(time.monotonic())
    if shown != board.shown:
        board.shown = shown
        live.update(table(shown), refresh=True)


def _repeat(stream: IO[str], console: Console) -> None:
    for line in stream:
        console.print(Text.from_ansi(line.rstrip("\n")), soft_wrap=True)


def main() -> int:
    """The exit code."""
    split = sys.argv.index("--")
    needs = {}
    for argument in sys.argv[2:split]:
        tier, _, needed = argument.partition(":")
        needs[tier] = [each for each in needed.split(",") if each]
    return run(Board(sys.argv[1], needs), sys.argv[split + 1 :], Console())


if __name__ == "__main__":
    sys.exit(main())
