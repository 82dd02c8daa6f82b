"""GPU usage in a small SQLite file of the user's own (0600 in 0700). Blocks: for one thread that may wait.

One row for each hour, container and user, with the units of `gpu_usage`. Several Tranships of one user may watch one
machine: only the one that holds the lease counts. A lease is taken before anything is counted, renewed with each
write, given back at the end, and free again LEASE_S after its holder was killed. Whoever finds at a write that
somebody else has it throws away what it counted since its last one: a hand-over may lose up to LEASE_S, and never
counts twice. Users have files of their own: what one of them sees of other users' containers is in both.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from backends.model.errors import BackendError
from backends.private_folder import private_folder
from backends.services.gpu_usage import Spender, Spent

SCHEMA = 1
LEASE_S = 90.0
KEEP_DAYS = 90
HOUR_S = 3600
_DAY_S = 86_400
_WAIT_S = 1.0
"""Seconds to wait for another process that is writing."""

_TABLES = """
CREATE TABLE usage (
  hour INTEGER NOT NULL, engine TEXT NOT NULL, container TEXT NOT NULL, user_id INTEGER NOT NULL,
  name TEXT NOT NULL, image TEXT NOT NULL,
  held_s REAL NOT NULL, busy_s REAL NOT NULL, busy_unknown_s REAL NOT NULL,
  memory_byte_s REAL NOT NULL, memory_unknown_s REAL NOT NULL,
  PRIMARY KEY (hour, engine, container, user_id)
) WITHOUT ROWID;
CREATE TABLE lease (one INTEGER PRIMARY KEY CHECK (one = 1), owner TEXT NOT NULL, until REAL NOT NULL);
INSERT INTO lease VALUES (1, '', 0);
"""
_ADD = """
INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
  name = excluded.name, image = excluded.image,
  held_s = held_s + excluded.held_s, busy_s = busy_s + excluded.busy_s,
  busy_unknown_s = busy_unknown_s + excluded.busy_unknown_s,
  memory_byte_s = memory_byte_s + excluded.memory_byte_s,
  memory_unknown_s = memory_unknown_s + excluded.memory_unknown_s
"""


class UsageFileError(BackendError):
    """The file cannot be used: damaged, locked, of a newer Tranship, not writable."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One row. hour: Unix seconds of its begin. name, image: the container's, as last seen."""

    hour: int
    spender: Spender
    name: str
    image: str
    spent: Spent


class UsageFile:
    """The open file. Every method may raise UsageFileError. For one thread."""

    def __init__(self, path: Path, owner: str) -> None:
        """Open the file; it is made where it is not there. owner: a name for the lease that nobody else has."""
        self._path = path
        self._owner = owner
        with _told(path):
            private_folder(path.parent)
            # Only where it is made: closing any descriptor of a file drops all of the process's locks on it (POSIX).
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._file = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
            try:
                _prepare(self._file, path)
            except BaseException:
                self._file.close()
                raise

    def take_lease(self, now: float) -> bool:
        """Become the one that counts, unless somebody else is. now: Unix seconds."""
        with _told(self._path), _writing(self._file):
            owner, until = self._file.execute("SELECT owner, until FROM lease").fetchone()
            # A lease that ends later than any may was written before the clock was set back.
            free = owner in {"", self._owner} or not now < until <= now + LEASE_S
            if free:
                self._file.execute("UPDATE lease SET owner = ?, until = ?", (self._owner, now + LEASE_S))
            return free

    def write(self, rows: Sequence[Usage], now: float) -> bool:
        """Add to what is there, and renew the lease. False: somebody else has it, and nothing was written."""
        with _told(self._path), _writing(self._file):
            (owner,) = self._file.execute("SELECT owner FROM lease").fetchone()
            if owner != self._owner:
                return False
            self._file.executemany(_ADD, [_plain(row) for row in rows])
            self._file.execute("UPDATE lease SET until = ?", (now + LEASE_S,))
            self._file.execute("DELETE FROM usage WHERE hour < ?", (now - KEEP_DAYS * _DAY_S,))
            return True

    def close(self) -> None:
        """Give the lease back, where we have it, and close the file."""
        with _told(self._path), closing(self._file), _writing(self._file):
            self._file.execute("UPDATE lease SET owner = '', until = 0 WHERE owner = ?", (self._owner,))

    def abandon(self) -> None:
        """Close the file as it is: it cannot be written to."""
        self._file.close()


def read_usage(path: Path, since: float = 0.0) -> list[Usage]:
    """The rows of hours that end after `since` (Unix seconds), oldest first; none where there is no file yet."""
    if not path.exists():
        return []
    with (
        _told(path),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)) as file,
    ):
        if _is_new(file):  # it is being made at this moment
            return []
        _check(file, path)
        return [
            _row(row) for row in file.execute("SELECT * FROM usage WHERE hour > ? ORDER BY hour", (since - HOUR_S,))
        ]


def hour_of(moment: float) -> int:
    """The begin of its hour. moment: Unix seconds."""
    return int(moment // HOUR_S) * HOUR_S


def _prepare(file: sqlite3.Connection, path: Path) -> None:
    if _is_new(file):
        # On a network file system there is no WAL, and SQLite keeps its older way.
        file.execute("PRAGMA journal_mode = WAL")
        with _writing(file):
            if _is_new(file):  # somebody else may have made them meanwhile
                for statement in _TABLES.split(";\n"):
                    file.execute(statement)
                file.execute(f"PRAGMA user_version = {SCHEMA}")
    _check(file, path)
    file.execute("PRAGMA synchronous = NORMAL")


def _is_new(file: sqlite3.Connection) -> bool:
    """Whether it is nobody's yet: a foreign file has tables and no version."""
    tables = file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return not tables and _version(file) == 0  # in this order: both come at once


def _check(file: sqlite3.Connection, path: Path) -> None:
    version = _version(file)
    if version > SCHEMA:
        raise UsageFileError(
            f"{path} was written by a newer Tranship (format {version}, this one knows {SCHEMA})",
            hint="update Tranship, or move the file away to begin anew",
        )
    if version != SCHEMA:
        raise UsageFileError(f"{path} is no usage file of Tranship", hint="move the file away to begin anew")


def _version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _writing(file: sqlite3.Connection) -> Iterator[None]:
    """A transaction that no other writer is in; taken back where it fails."""
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if file.in_transaction:
            file.execute("ROLLBACK")
        raise
    file.execute("COMMIT")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's and the system's failures in words of ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        busy = "locked" in str(error) or "busy" in str(error)
        hint = "another program holds it: wait, or close that one" if busy else "check its owner, its mode and the disk"
        raise UsageFileError(f"{path} cannot be used: {error}", detail=str(error), hint=hint) from error
    except sqlite3.DatabaseError as error:
        hint = "move the file away to begin anew"
        raise UsageFileError(f"{path} is damaged: {error}", detail=str(error), hint=hint) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageFileError(
            f"{path} cannot be opened: {why}", detail=why, hint="check its owner and its mode"
        ) from error


def _plain(row: Usage) -> tuple[int | float | str, ...]:
    who, what = row.spender, row.spent
    return (
        row.hour,
        who.engine,
        who.container,
        who.user_id,
        row.name,
        row.image,
        what.held_s,
        what.busy_s,
        what.busy_unknown_s,
        what.memory_byte_s,
        what.memory_unknown_s,
    )


def _row(plain: tuple[int, str, str, int, str, str, float, float, float, float, float]) -> Usage:
    hour, engine, container, user_id, name, image, *numbers = plain
    return Usage(hour, Spender(engine, container, user_id), name, image, Spent(*numbers))


def merged(rows: Mapping[tuple[int, Spender], Spent], names: Mapping[Spender, tuple[str, str]]) -> list[Usage]:
    """Rows to write. names: each spender's container's name and image."""
    return [Usage(hour, who, *names[who], what) for (hour, who), what in rows.items()]
