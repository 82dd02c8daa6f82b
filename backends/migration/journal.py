"""The durable record of a move, written before each effect: enough to undo it after a crash. Holds no secrets."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from backends.migration.unbroken import unbroken
from backends.model.errors import Denied, Protocol
from backends.model.plan import Check
from backends.private_folder import private_folder

SCHEMA = 2
_READABLE = (1, SCHEMA)  # 1: the same without Entry.was, Entry.at, resumed_at and checks

MARK = "io.tranship.migration"
"""Label on each volume and network that a move makes; its value is the move's id: proof that it is ours to remove."""


class Status(StrEnum):
    """Where a move is.

    RUNNING in the file of a process that is gone means that it crashed. DONE: it can still be undone; CONFIRMED: it
    was accepted, and cannot.
    """

    RUNNING = "running"
    DONE = "done"
    CONFIRMED = "confirmed"
    UNDONE = "undone"
    PARTLY_UNDONE = "partly-undone"


class Effect(StrEnum):
    """What a move does to an engine; COMMIT, HOLD, STOP_SOURCE, RENAME and REMOVE_SOURCE to the source's, the rest to
    the target's.
    """

    COMMIT = "commit"  # an image was made of the source
    IMAGE = "image"
    TAG = "tag"
    NETWORK = "network"
    HOLD = "hold"  # the source's restart policy was switched off
    STOP_SOURCE = "stop-source"
    RENAME = "rename"  # the source got another name; the entry's
    VOLUME = "volume"
    CONTAINER = "container"
    REMOVE_SOURCE = "remove-source"


@dataclass(frozen=True, slots=True)
class Entry:
    """One effect. name: of the object. id: as the engine gave it, "" before. made: False = begun, outcome not known.

    was: how it was before, where that has to be known for the way back. at: when it was begun, seconds since 1970.
    """

    effect: Effect
    name: str
    id: str = ""
    made: bool = False
    was: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Record:
    """A move as it stands on disk.

    source, target: names of engines; one and the same where a container is backed up or changed. started_at: ISO 8601,
    UTC. pid: who runs it. image_id: of the image that the copy is made from. copy_name: of the copy; where a container
    is changed, what the one before is called afterwards. resumed_at: when `pid` took it over, "" where it was begun by
    it. group: the project and, behind a space, an id, where several containers are moved together. checks: volumes
    proved equal.
    """

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
    resumed_at: str = ""
    group: str = ""
    status: Status = Status.RUNNING
    entries: tuple[Entry, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def project(self) -> str:
        """The project or pod that it was moved with, "" where it was moved alone."""
        return self.group.rpartition(" ")[0]

    @property
    def is_change(self) -> bool:
        """A container is made again in its own place (services.recreate)."""
        return self.source == self.target and self.copy_name != self.container_name

    @property
    def is_backup(self) -> bool:
        """A container is stopped to be read into a file."""
        return self.source == self.target and not self.is_change

    def find(self, effect: Effect, name: str | None = None) -> Entry | None:
        """The entry of that effect (on that object); None where there is none."""
        return next((e for e in self.entries if e.effect is effect and name in {None, e.name}), None)


def new_id(now: datetime | None = None) -> str:
    """An id for a move that sorts by time: "20261123-140501-9f2c"."""
    return f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def to_json(record: Record) -> str:
    """The record as text."""
    plain = {name: getattr(record, name) for name in _PLAIN}
    lists = {"entries": [asdict(entry) for entry in record.entries], "checks": [asdict(c) for c in record.checks]}
    return json.dumps({"schema": SCHEMA, **plain, "status": record.status, **lists}, indent=1)


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
    "resumed_at": str,
    "group": str,
}
_CHECK: Mapping[str, type] = {"subject": str, "equal": bool, "source": str, "target": str}


def _typed(data: Mapping[str, Any], name: str, kind: type) -> Any:
    value = data.get(name)
    if type(value) is not kind:
        raise ValueError(f"{name} is not {kind.__name__}")
    return value


def _entry(data: Mapping[str, Any]) -> Entry:
    return Entry(
        Effect(_typed(data, "effect", str)),
        _typed(data, "name", str),
        _typed(data, "id", str),
        _typed(data, "made", bool),
        _typed({"was": "", **data}, "was", str),
        _typed({"at": 0.0, **data}, "at", float),
    )


def from_json(text: str) -> Record:
    """Read a record. Raises Protocol where it is none, or of another version."""
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("schema") not in _READABLE:
            raise ValueError(f"not a record of schema {SCHEMA}")
        if data["schema"] == 1:
            data = {**data, "resumed_at": "", "checks": []}
        data = {"group": "", **data}
        plain = {name: _typed(data, name, kind) for name, kind in _PLAIN.items()}
        checks = tuple(
            Check(**{name: _typed(check, name, kind) for name, kind in _CHECK.items()})
            for check in _typed(data, "checks", list)
        )
        return Record(
            **plain,
            status=Status(_typed(data, "status", str)),
            entries=tuple(_entry(entry) for entry in _typed(data, "entries", list)),
            checks=checks,
        )
    except (ValueError, AttributeError, RecursionError) as error:  # a list has no .get; brackets may nest too deep
        raise Protocol("the journal of a move cannot be read", detail=str(error)) from error


def write(path: Path, text: str) -> None:
    """Replace the file at once and for good: 0600, in a folder of 0700, both synced to disk. Blocks."""
    os.chmod(private_folder(path.parent), 0o700)
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

    def read() -> list[Record]:
        folder = folder_of(state_dir)
        paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
        texts = (path.read_text(encoding="utf-8") for path in paths if "." not in path.stem)  # not ID.plan.json
        return [from_json(text) for text in texts]

    return await asyncio.to_thread(read)


class Journal:
    """One move's record and its file. A change is on disk when its call returns; raises Denied where it cannot be."""

    def __init__(self, path: Path, record: Record) -> None:
        self._path = path
        self.record = record

    @property
    def state_dir(self) -> Path:
        """Where it was begun."""
        return self._path.parent.parent

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
            await unbroken(asyncio.to_thread(write, self._path, to_json(record)))
        except OSError as error:
            raise Denied(
                "the journal of the move cannot be written", detail=str(error), hint=f"make room in {self._path.parent}"
            ) from error

    async def intend(self, effect: Effect, name: str, was: str = "") -> int:
        """Note an effect before it is begun; returns its number. One that is noted already keeps its place."""
        for number, entry in enumerate(self.record.entries):
            if (entry.effect, entry.name) == (effect, name):
                return number
        entry = Entry(effect, name, was=was, at=time.time())
        await self._save(replace(self.record, entries=(*self.record.entries, entry)))
        return len(self.record.entries) - 1

    async def confirm(self, number: int, made_id: str = "") -> None:
        """The effect has happened; made_id: what the engine calls the object."""
        entry = replace(self.record.entries[number], id=made_id, made=True)
        await self._replace(number, (entry,))

    async def withdraw(self, number: int) -> None:
        """The effect has not happened (or is taken back); an object of that name is not ours. Later numbers shift."""
        await self._replace(number, ())

    async def forget(self, entry: Entry) -> None:
        """As withdraw, for an entry that is at hand."""
        await self.withdraw(self.record.entries.index(entry))

    async def _replace(self, number: int, by: tuple[Entry, ...]) -> None:
        entries = self.record.entries
        await self._save(replace(self.record, entries=(*entries[:number], *by, *entries[number + 1 :])))

    async def prove(self, *checks: Check) -> None:
        """Comparisons that need not be made again where the move is resumed; the last of a subject counts."""
        new = {check.subject for check in checks}
        kept = tuple(check for check in self.record.checks if check.subject not in new)
        await self._save(replace(self.record, checks=(*kept, *checks)))

    async def disprove(self, subject: str) -> None:
        """That comparison does not hold any more."""
        await self._save(
            replace(self.record, checks=tuple(check for check in self.record.checks if check.subject != subject))
        )

    async def take_over(self, pid: int, at: str) -> None:
        """Another process goes on with it."""
        await self._save(replace(self.record, pid=pid, resumed_at=at))

    async def close(self, status: Status) -> None:
        """The move is over."""
        await self._save(replace(self.record, status=status))
