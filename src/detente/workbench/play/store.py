"""Rooms in a file that survives the server: how each was opened, and its events in their order."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from detente.errors import refuse

SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (code TEXT PRIMARY KEY, opening TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    room TEXT NOT NULL REFERENCES rooms (code), number INTEGER NOT NULL, event TEXT NOT NULL,
    PRIMARY KEY (room, number)
);
"""


class Store:
    """The file; it is made when the first room is opened. May be used from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def rooms(self) -> dict[str, dict[str, Any]]:
        """How each room was opened, by its code."""
        if not self.path.exists():
            return {}
        with self._begun() as connection:
            rows = connection.execute("SELECT code, opening FROM rooms ORDER BY rowid").fetchall()
        return {code: json.loads(opening) for code, opening in rows}

    def events(self, code: str) -> list[dict[str, Any]]:
        """What has happened in a room."""
        query = "SELECT event FROM events WHERE room = ? ORDER BY number"
        with self._begun() as connection:
            return [json.loads(row[0]) for row in connection.execute(query, (code,))]

    def open(self, code: str, opening: dict[str, Any]) -> None:
        """Keep a new room."""
        with self._begun() as connection:
            connection.execute("INSERT INTO rooms VALUES (?, ?)", (code, json.dumps(opening)))

    def append(self, code: str, number: int, event: dict[str, Any]) -> None:
        """Keep the event with this number, from 0, of a room."""
        with self._begun() as connection:
            row = code, number, json.dumps(event)
            connection.execute("INSERT INTO events VALUES (?, ?, ?)", row)

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _begun(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is kept, or nothing. Raises `ScenarioError`."""
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = self._opened()
                with self._connection:
                    yield self._connection
        except (sqlite3.Error, OSError) as error:
            refuse("rooms", "cannot-write", f"`{self.path.name}` cannot keep rooms: {error}")

    def _opened(self) -> sqlite3.Connection:
        self.path.touch(mode=0o600)  # it has names and secret types
        connection = sqlite3.connect(self.path, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(SCHEMA)
        return connection
