"""The progress of a run: on a terminal a live table of the tiers, elsewhere a line for each tier as it ends.

Each tier runs in its own process, and all of them share one table: its rows are in the file `board.json` of
the environment's folder, and the process that holds the lock of that file may draw. Other output is printed
above the table.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

SECONDS = 0.2  # between two drawings
RUNNING, DONE, STOPPED, ASKS, WAITS = "running", "done", "stopped", "asks", "waits"
COLORS = {DONE: "32", STOPPED: "31", ASKS: "33", WAITS: "2"}
UP, CLEAR = "\x1b[{}F", "\x1b[J"


@dataclass
class Row:
    """A tier in the table. Times are seconds since the epoch."""

    needs: list[str] = field(default_factory=list)
    state: str = WAITS
    status: str = ""
    started: float = 0
    ended: float = 0


@dataclass
class Table:
    """The rows by tier, and the number of lines of the terminal that they occupy."""

    rows: dict[str, Row] = field(default_factory=dict)
    drawn: int = 0
    shown: list[str] = field(default_factory=list)

    def lines(self, now: float, width: int) -> list[str]:
        """A line for each tier: its name, its activity or what it waits for, and its running time."""
        longest = max(map(len, self.rows), default=0)
        result = []
        for tier, row in self.rows.items():
            status, spent = self._status(row), ""
            if row.started:
                seconds = int((row.ended or now) - row.started)
                spent = f"{seconds // 60}:{seconds % 60:02}"
            room = max(8, width - longest - 12)
            status = status if len(status) <= room else f"{status[: room - 1]}…"
            text = f"  {tier:<{longest}}  {status:<{room}} {spent:>5}"
            color = COLORS.get(row.state, "1")
            result.append(f"\x1b[{color}m{text[: width - 1]}\x1b[0m")
        return result

    def _status(self, row: Row) -> str:
        if row.state != WAITS:
            return row.status
        if any(row.state == STOPPED for row in self.rows.values()):
            return "not started"
        waits = [need for need in row.needs if need in self.rows and self.rows[need].state != DONE]
        return f"waits for {', '.join(waits)}" if waits else "waits for its turn"


class Board:
    """The table of an environment's folder, on this process's standard output.

    Without a terminal nothing is drawn, and `say` prints plain lines.
    """

    def __init__(self, folder: Path, stream: IO[str] | None = None) -> None:
        self.file = folder / "board.json"
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty() and bool(os.environ.get("TERM", "dumb") != "dumb")

    def open(self, rows: dict[str, list[str]]) -> None:
        """A new table of these tiers and their needs. Without a terminal there is no file."""
        self.file.unlink(missing_ok=True)
        if self.live and len(rows) > 1:
            self._write(Table({tier: Row(needs) for tier, needs in rows.items()}))

    @property
    def has_table(self) -> bool:
        """Whether a table shows how each tier ended. Without one, each tier prints a line."""
        return self.live and self.file.exists()

    def close(self, *, keep: bool = False) -> None:
        """Removes the table, or leaves its last drawing on the terminal."""
        with self._table() as table:
            if keep:
                self._draw(table)
                table.drawn = 0
            self._erase(table)
            table.rows.clear()
        self.file.unlink(missing_ok=True)

    def update(self, tier: str, state: str, status: str = "") -> None:
        """Updates the activity of a tier."""
        with self._table() as table:
            if row := table.rows.get(tier):
                now = time.time()
                row.state, row.status = state, status or row.status
                row.started = row.started or now
                row.ended = now if state in (DONE, STOPPED) else 0
            self._draw(table)

    def say(self, text: str, stream: IO[str] | None = None) -> None:
        """Prints lines above the table. A closed pipe is not a failure."""
        with self._table() as table:
            self._erase(table)
            put(stream or self.stream, text)
            self._draw(table)

    @contextmanager
    def question(self) -> Iterator[None]:
        """Hides the table while a question is on the terminal; no other process draws meanwhile."""
        with self._table() as table:
            self._erase(table)
            yield
            self._draw(table)

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Draws the table repeatedly."""
        if not self.live:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._tick, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _tick(self, ended: threading.Event) -> None:
        while not ended.wait(SECONDS):
            with self._table(wait=False) as table:
                self._draw(table)

    def _draw(self, table: Table) -> None:
        if not self.live or not table.rows:
            return
        size = shutil.get_terminal_size()
        if size.lines < len(table.rows) + 2:
            return
        lines = table.lines(time.time(), size.columns)
        if lines != table.shown or not table.drawn:
            self._erase(table)
            put(self.stream, "".join(f"{line}\n" for line in lines))
            table.drawn, table.shown = len(lines), lines

    def _erase(self, table: Table) -> None:
        if self.live and table.drawn:
            put(self.stream, f"{UP.format(table.drawn)}{CLEAR}")
        table.drawn = 0

    @contextmanager
    def _table(self, *, wait: bool = True) -> Iterator[Table]:
        """The locked table, which is saved at the end. An empty one if there is no file, or if another
        process has the lock and this one need not wait."""
        try:
            file = self.file.open("r+", encoding="utf-8")
        except OSError:
            yield Table()
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield Table()
                return
            try:
                read: dict[str, Any] = json.loads(file.read())
            except ValueError:
                read = {"rows": {}}
            table = Table({tier: Row(**row) for tier, row in read.pop("rows").items()}, **read)
            yield table
            with suppress(OSError):  # a full disk must not make the run fail because of the table
                file.seek(0)
                file.truncate()
                json.dump(asdict(table), file)
                file.flush()

    def _write(self, table: Table) -> None:
        with suppress(OSError):
            self.file.write_text(json.dumps(asdict(table)), encoding="utf-8")


class Patient:
    """A stream whose reader may close it: `make plan | head` does not end the run."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        put(self._stream, text)
        return len(text)

    def flush(self) -> None:
        put(self._stream, "")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def put(stream: IO[str], text: str) -> None:
    """Writes and flushes; a closed pipe is not an error."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
