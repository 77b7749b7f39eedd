"""The simulated AWS account: everything created in it, in one SQLite file shared by all tiers.

Without a file nothing is remembered, and terraform's state is the only record.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from rehearsal.protocol import pack, unpack

BUSY_SECONDS = 30
TABLES = """
CREATE TABLE IF NOT EXISTS objects (type TEXT, id TEXT, state BLOB, PRIMARY KEY (type, id));
CREATE TABLE IF NOT EXISTS attempts (what TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notes (kind TEXT, id TEXT, value BLOB, PRIMARY KEY (kind, id));
"""


class Cloud:
    """Objects by type and id. Safe for the threads of one provider and for several providers at once."""

    def __init__(self, path: Path | None) -> None:
        self.remembers = path is not None
        self._lock = threading.Lock()
        if path is not None and not path.exists():
            _make(path)
        self._database = _opened(path or ":memory:")
        self._database.execute("PRAGMA synchronous = OFF")

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """A transaction: other providers neither read nor write meanwhile, and everything is written, or
        nothing."""
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def note(self, kind: str, identity: str) -> dict[str, Any] | None:
        """A note beside the objects, such as the day or a reserved name."""
        rows = self._run("SELECT value FROM notes WHERE kind = ? AND id = ?", kind, identity)
        return unpack(rows[0][0]) if rows else None

    def write_note(self, kind: str, identity: str, value: dict[str, Any]) -> None:
        self._run("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", kind, identity, pack(value))

    def notes(self, kind: str) -> list[dict[str, Any]]:
        """Every note of a kind, in the order of their ids."""
        return [
            unpack(row[0]) for row in self._run("SELECT value FROM notes WHERE kind = ? ORDER BY id", kind)
        ]

    def forget_note(self, kind: str, identity: str) -> None:
        self._run("DELETE FROM notes WHERE kind = ? AND id = ?", kind, identity)

    def put(self, type_name: str, identity: str, state: dict[str, Any]) -> None:
        self._run("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", type_name, identity, pack(state))

    def add(self, type_name: str, identity: str, state: dict[str, Any]) -> bool:
        """Put a new object; False, and nothing is done, if this identity exists."""
        statement = "INSERT OR IGNORE INTO objects VALUES (?, ?, ?) RETURNING 1"
        return bool(self._run(statement, type_name, identity, pack(state)))

    def get(self, type_name: str, identity: str) -> dict[str, Any] | None:
        rows = self._run("SELECT state FROM objects WHERE type = ? AND id = ?", type_name, identity)
        return unpack(rows[0][0]) if rows else None

    def all(self, type_name: str) -> list[dict[str, Any]]:
        """Every object of a type, in the order of their ids."""
        return [state for _, state in self.items(type_name)]

    def items(self, type_name: str) -> list[tuple[str, dict[str, Any]]]:
        """Every object of a type with its id, in the order of ids."""
        rows = self._run("SELECT id, state FROM objects WHERE type = ? ORDER BY id", type_name)
        return [(identity, unpack(state)) for identity, state in rows]

    def having(self, text: str) -> list[dict[str, Any]]:
        """Every object that contains a text."""
        rows = self._run("SELECT state FROM objects WHERE instr(state, ?)", text.encode())
        return [unpack(state) for (state,) in rows]

    def delete(self, type_name: str, identity: str) -> None:
        self._run("DELETE FROM objects WHERE type = ? AND id = ?", type_name, identity)

    def attempt(self, what: str) -> int:
        """How often `what` has been tried, including this time."""
        rows = self._run(
            "INSERT INTO attempts VALUES (?, 1) ON CONFLICT (what) DO UPDATE SET number = number + 1"
            " RETURNING number",
            what,
        )
        return int(rows[0][0])

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()


def _opened(path: Path | str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    database.executescript(TABLES)
    return database


def _make(path: Path) -> None:
    """Creates the file complete, because SQLite does not wait for a process that changes the journal mode at
    the same time. If another provider was first, its file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".account-", dir=path.parent) as scratch:
        new = Path(scratch, path.name)
        with closing(_opened(new)) as database:
            database.execute("PRAGMA journal_mode = WAL")
        with suppress(FileExistsError):
            os.link(new, path)
