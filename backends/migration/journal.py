"""The durable record of a move, written before each effect: enough to undo it after a crash. Holds no secrets."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from backends.migration.unbroken import unbroken
from backends.model.errors import Denied, Protocol

SCHEMA = 1
MARK = "io.tranship.migration"
"""Label on each volume that a move makes; its value is the move's id. It proves that the volume is ours to remove."""


class Status(StrEnum):
    """Where a move is. RUNNING in the file of a process that is gone means that it crashed."""

    RUNNING = "running"
    DONE = "done"
    UNDONE = "undone"
    PARTLY_UNDONE = "partly-undone"


class Effect(StrEnum):
    """What a move does to an engine."""

    IMAGE = "image"
    TAG = "tag"
    STOP_SOURCE = "stop-source"
    VOLUME = "volume"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Entry:
    """One effect. name: of the object. id: as the engine gave it, "" before. made: False = begun, outcome not known."""

    effect: Effect
    name: str
    id: str = ""
    made: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A move as it stands on disk. source, target: names of engines. started_at: ISO 8601, UTC. pid: who runs it."""

    id: str
    started_at: str
    pid: int
    source: str
    target: str
    container_id: str
    container_name: str
    was_running: bool
    was_paused: bool
    copy_name: str
    image_id: str
    status: Status = Status.RUNNING
    entries: tuple[Entry, ...] = ()


def new_id(now: datetime | None = None) -> str:
    """An id for a move that sorts by time: "20261123-140501-9f2c"."""
    return f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def to_json(record: Record) -> str:
    """The record as text."""
    entries = [{"effect": e.effect, "name": e.name, "id": e.id, "made": e.made} for e in record.entries]
    plain = {name: getattr(record, name) for name in _PLAIN}
    return json.dumps({"schema": SCHEMA, **plain, "status": record.status, "entries": entries}, indent=1)


_PLAIN: Mapping[str, type] = {
    "id": str,
    "started_at": str,
    "pid": int,
    "source": str,
    "target": str,
    "container_id": str,
    "container_name": str,
    "was_running": bool,
    "was_paused": bool,
    "copy_name": str,
    "image_id": str,
}


def _typed(data: Mapping[str, Any], name: str, kind: type) -> Any:
    value = data.get(name)
    if type(value) is not kind:
        raise ValueError(f"{name} is not {kind.__name__}")
    return value


def from_json(text: str) -> Record:
    """Read a record. Raises Protocol where it is none, or of another version."""
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("schema") != SCHEMA or not isinstance(data.get("entries"), list):
            raise ValueError(f"not a record of schema {SCHEMA}")
        entries = tuple(
            Entry(
                Effect(_typed(entry, "effect", str)),
                _typed(entry, "name", str),
                _typed(entry, "id", str),
                _typed(entry, "made", bool),
            )
            for entry in data["entries"]
        )
        plain = {name: _typed(data, name, kind) for name, kind in _PLAIN.items()}
        return Record(**plain, status=Status(_typed(data, "status", str)), entries=entries)
    except (ValueError, AttributeError) as error:  # json.JSONDecodeError is a ValueError; a list has no .get
        raise Protocol("the journal of a move cannot be read", detail=str(error)) from error


def _write(path: Path, text: str) -> None:
    """Replace the file at once and for good: 0600, in a folder of 0700, both synced to disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(path.parent, 0o700)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def folder_of(state_dir: Path) -> Path:
    """Where the journals lie."""
    return state_dir / "migrations"


async def load(state_dir: Path, journal: str) -> Journal:
    """The journal of that id. Raises Protocol where it cannot be read, FileNotFoundError where there is none."""
    path = folder_of(state_dir) / f"{journal}.json"
    return Journal(path, from_json(await asyncio.to_thread(path.read_text, encoding="utf-8")))


async def list_journals(state_dir: Path) -> list[Record]:
    """All moves on record, oldest first; files that cannot be read raise Protocol."""

    def read() -> list[str]:
        folder = folder_of(state_dir)
        return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []

    return [from_json(text) for text in await asyncio.to_thread(read)]


class Journal:
    """One move's record and its file. A change is on disk when its call returns; raises Denied where it cannot be."""

    def __init__(self, path: Path, record: Record) -> None:
        self._path = path
        self.record = record

    @staticmethod
    async def begin(state_dir: Path, record: Record) -> Journal:
        """Write the first record; where this is cancelled, the record says that there is nothing to undo."""
        journal = Journal(folder_of(state_dir) / f"{record.id}.json", record)
        try:
            await journal._save(record)
        except asyncio.CancelledError:
            await journal.close(Status.UNDONE)
            raise
        return journal

    async def _save(self, record: Record) -> None:
        self.record = record
        try:
            await unbroken(asyncio.to_thread(_write, self._path, to_json(record)))
        except OSError as error:
            raise Denied(
                "the journal of the move cannot be written", detail=str(error), hint=f"make room in {self._path.parent}"
            ) from error

    async def intend(self, effect: Effect, name: str) -> int:
        """Note an effect before it is begun; returns its number."""
        await self._save(replace(self.record, entries=(*self.record.entries, Entry(effect, name))))
        return len(self.record.entries) - 1

    async def confirm(self, number: int, made_id: str = "") -> None:
        """The effect has happened; made_id: what the engine calls the object."""
        entry = replace(self.record.entries[number], id=made_id, made=True)
        await self._replace(number, (entry,))

    async def withdraw(self, number: int) -> None:
        """The effect has not happened, and an object of that name is not ours. Only for the last entry."""
        await self._replace(number, ())

    async def _replace(self, number: int, by: tuple[Entry, ...]) -> None:
        entries = self.record.entries
        await self._save(replace(self.record, entries=(*entries[:number], *by, *entries[number + 1 :])))

    async def close(self, status: Status) -> None:
        """The move is over."""
        await self._save(replace(self.record, status=status))
