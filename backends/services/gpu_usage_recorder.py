"""Adds up what containers take of GPUs and writes it down now and then, in a thread of its own. Shows nothing.

Nothing is written, and no file made, before a container uses a GPU.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.gpu import GpuSnapshot
from backends.model.ids import ContainerKey
from backends.services.gpu_usage import Spender, Spent, spent

if TYPE_CHECKING:
    from backends.services.gpu_usage_file import UsageFile

_log = logging.getLogger(__name__)

WRITE_EVERY_S = 30.0
_MOST_WAITING = 60
"""Snapshots that may wait while the file is locked; what comes then is a gap."""


def default_path() -> Path:
    """Where the file lies: "gpu_usage.sqlite3" in the user's state directory (platformdirs)."""
    from platformdirs import user_state_path

    return user_state_path("tranship") / "gpu_usage.sqlite3"


class UsageRecorder:
    """Takes snapshots on the event loop; all else happens in its thread. `note` says why nothing is written down."""

    def __init__(
        self,
        path: Path,
        gap_s: float,
        *,
        wall: Callable[[], float] = time.time,
        write_every_s: float = WRITE_EVERY_S,
    ) -> None:
        """path: of the file, made when first needed. gap_s: readings further apart than this tell nothing of between.

        wall: Unix seconds now, which says the hour and the lease's end; how long something took is told by the
        readings' own monotonic clock, which stands still while the machine sleeps.
        """
        self._path = path
        self._gap_s = gap_s
        self._wall = wall
        self._write_every_s = write_every_s
        self._owner = uuid.uuid4().hex
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tranship-gpu-usage")
        self._waiting = 0
        self._closed = False
        self._note = ""
        # Of the thread alone:
        self._file: UsageFile | None = None
        self._counts = False
        self._read_at: float | None = None
        self._due = float("-inf")
        self._rows: dict[tuple[int, Spender], Spent] = {}
        self._names: dict[Spender, tuple[str, str]] = {}

    @property
    def note(self) -> str:
        """Why usage is not written down now and what to do, "" where it is, or where another Tranship does it."""
        return self._note

    def take(self, snapshot: GpuSnapshot, containers: Mapping[ContainerKey, Container]) -> None:
        """One more snapshot, with the containers of its moment; returns at once."""
        if self._closed or not snapshot.readings or self._waiting >= _MOST_WAITING:
            return
        self._waiting += 1
        self._thread.submit(self._take, snapshot, containers).add_done_callback(self._taken)

    async def close(self) -> None:
        """Write down what is left and give the lease back."""
        if self._closed:
            return
        self._closed = True
        self._thread.submit(self._end).add_done_callback(_report)
        await asyncio.to_thread(self._thread.shutdown)

    def _taken(self, done: Future[None]) -> None:
        self._waiting -= 1
        _report(done)

    def _take(self, snapshot: GpuSnapshot, containers: Mapping[ContainerKey, Container]) -> None:
        read_at = max(reading.sampled_at for reading in snapshot.readings)
        before, self._read_at = self._read_at, read_at
        passed = 0.0 if before is None else read_at - before
        taken = spent(snapshot, containers, passed if 0 < passed <= self._gap_s else 0.0)
        if self._counts:
            self._add(taken, containers)
        if (self._counts or taken) and read_at >= self._due:
            self._due = read_at + self._write_every_s
            self._attempt()

    def _add(self, taken: Mapping[Spender, Spent], containers: Mapping[ContainerKey, Container]) -> None:
        from backends.services.gpu_usage_file import hour_of

        hour = hour_of(self._wall())
        names = {(key.engine.name, key.id): (row.name, row.image) for key, row in containers.items()}
        for who, what in taken.items():
            if what.held_s:
                self._rows[hour, who] = self._rows.get((hour, who), Spent()) + what
                self._names[who] = names[who.engine, who.container]

    def _attempt(self) -> None:
        """Write, or take the lease; where it fails the note says why, and the next time is another attempt."""
        try:
            self._write() if self._counts else self._begin()
        except BackendError as error:
            self._fail(error.title, error.hint)
        except ImportError as error:
            self._fail(f"this Python has no SQLite ({error})", "install Python with its module sqlite3")
        else:
            self._note = ""

    def _begin(self) -> None:
        self._counts = self._open().take_lease(self._wall())

    def _write(self) -> None:
        from backends.services.gpu_usage_file import merged

        file = self._open()
        self._counts = file.write(merged(self._rows, self._names), self._wall())
        # Where somebody else counts by now, ours would count the same time twice.
        self._rows.clear()
        self._names.clear()

    def _open(self) -> UsageFile:
        if self._file is None:
            from backends.services.gpu_usage_file import UsageFile

            self._file = UsageFile(self._path, self._owner)
        return self._file

    def _fail(self, title: str, hint: str) -> None:
        note = f"GPU usage is not written down: {title}. Next: {hint}"
        if note != self._note:
            _log.warning("%s", note)
        self._note = note
        if self._file is not None:
            self._file.abandon()  # it may be another file by the next attempt
            self._file = None

    def _end(self) -> None:
        if self._counts and self._rows:
            self._attempt()
        if self._file is not None:
            try:
                self._file.close()
            except BackendError as error:
                _log.warning("closing the GPU usage failed: %s", error)


def _report(done: Future[None]) -> None:
    if (bug := done.exception()) is not None:
        _log.error("recording GPU usage failed", exc_info=bug)
