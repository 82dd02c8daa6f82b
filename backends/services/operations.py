"""What is done to containers: one operation at a time for each, its progress in the store. Never edits a row itself."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from backends.engine import Engine
from backends.model.errors import BackendError, NotFound, Refused
from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey, EngineId
from backends.services.audit import AuditLog
from backends.services.changes import ContainerGone, ContainerSeen, OperationChanged
from backends.services.progress import Pace, eta_s
from backends.services.store import Store

_log = logging.getLogger(__name__)

FinishedWatcher: TypeAlias = Callable[[OperationUpdate], None]
_PUBLISH_EVERY_S = 0.1
"""Progress goes to the store at most so often: a screen draws 10 frames a second."""


class Tracked:
    """An operation in flight, for those who do it themselves (a migration). End it by done, failed or cancelled."""

    def __init__(self, first: OperationUpdate, publish: FinishedWatcher, clock: Callable[[], float]) -> None:
        self._now = first
        self._publish = publish
        self._clock = clock
        self._pace = Pace(clock)
        self._published_at = clock()
        publish(first)

    @property
    def present(self) -> OperationUpdate:
        """The last update."""
        return self._now

    def update(
        self,
        *,
        step: str | None = None,
        step_index: int | None = None,
        step_count: int | None = None,
        done_bytes: int | None = None,
        total_bytes: int | None = None,
    ) -> None:
        """Say where it is; what is left out stays as it was, but a new step starts without byte counts."""
        before = self._now
        another = step is not None and step != before.step
        if another:
            self._pace.restart()
            before = replace(before, done_bytes=None, total_bytes=None, bytes_per_s=None, eta_s=None)
        total = total_bytes if total_bytes is not None else before.total_bytes
        after = replace(
            before,
            phase=Phase.PROGRESS,
            step=step if step is not None else before.step,
            step_index=step_index if step_index is not None else before.step_index,
            step_count=step_count if step_count is not None else before.step_count,
            total_bytes=total,
        )
        if done_bytes is not None:
            speed = self._pace.reached(done_bytes)
            after = replace(after, done_bytes=done_bytes, bytes_per_s=speed, eta_s=eta_s(done_bytes, total, speed))
        self._now = after
        complete = done_bytes is not None and done_bytes == total
        if another or complete or self._clock() - self._published_at >= _PUBLISH_EVERY_S:
            self._published_at = self._clock()
            self._publish(after)

    def done(self, result: str = "") -> OperationUpdate:
        """It is done. result: one line for people."""
        return self._end(replace(self._now, phase=Phase.DONE, result=result, eta_s=None))

    def failed(self, error: BackendError) -> OperationUpdate:
        """It failed."""
        return self._end(replace(self._now, phase=Phase.FAILED, error=error, eta_s=None))

    def cancelled(self) -> OperationUpdate:
        """It was called off."""
        return self._end(replace(self._now, phase=Phase.CANCELLED, eta_s=None))

    def _end(self, last: OperationUpdate) -> OperationUpdate:
        if self._now.phase in {Phase.STARTED, Phase.PROGRESS}:
            self._now = last
            self._publish(last)
        return self._now


class Operations:
    """The operations of a fleet.

    engine_of: the engine of an id (raises NotFound). refresh: reads a container again and returns when its row is
    up to date; None = this reads it itself (where no supervisor runs). read_only: refuse everything.
    """

    def __init__(
        self,
        store: Store,
        engine_of: Callable[[EngineId], Engine],
        *,
        refresh: Callable[[ContainerKey], Awaitable[None]] | None = None,
        audit: AuditLog | None = None,
        read_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._engine_of = engine_of
        self._refresh = refresh or self._read_again
        self._audit = audit
        self._read_only = read_only
        self._clock = clock
        self._numbers = itertools.count(1)
        self._busy: set[ContainerKey] = set()
        self._watchers: list[FinishedWatcher] = []

    def subscribe(self, watcher: FinishedWatcher) -> Callable[[], None]:
        """Call watcher with each finished operation (done, failed, cancelled); returns the function that ends it."""
        self._watchers.append(watcher)

        def end() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return end

    def track(self, action: str, key: ContainerKey, subject: str) -> Tracked:
        """Begin an operation that the caller does itself; Refused where one is in flight or all is read-only."""
        self._check(key, subject)
        self._busy.add(key)
        return Tracked(self._first(action, key, subject), self._publish, self._clock)

    async def start(self, key: ContainerKey) -> OperationUpdate:
        """Start it. This and those below return how it ended; engine errors are in `.error`, never raised."""
        return await self._do("start", key, lambda engine: engine.start(key.id), "started")

    async def stop(self, key: ContainerKey, *, timeout_s: int | None = None) -> OperationUpdate:
        """Stop it; None = its own stop timeout."""
        return await self._do("stop", key, lambda engine: engine.stop(key.id, timeout_s=timeout_s), "stopped")

    async def restart(self, key: ContainerKey) -> OperationUpdate:
        """Restart it."""
        return await self._do("restart", key, lambda engine: engine.restart(key.id), "restarted")

    async def pause(self, key: ContainerKey) -> OperationUpdate:
        """Freeze it."""
        return await self._do("pause", key, lambda engine: engine.pause(key.id), "paused")

    async def unpause(self, key: ContainerKey) -> OperationUpdate:
        """Thaw it."""
        return await self._do("unpause", key, lambda engine: engine.unpause(key.id), "unpaused")

    async def kill(self, key: ContainerKey, *, signal: str = "KILL") -> OperationUpdate:
        """Send its first process a signal."""
        return await self._do("kill", key, lambda engine: engine.kill(key.id, signal=signal), f"got {signal}")

    async def remove(self, key: ContainerKey, *, force: bool = False, volumes: bool = False) -> OperationUpdate:
        """Remove it; force: also where it runs; volumes: its anonymous volumes too."""
        return await self._do(
            "remove", key, lambda engine: engine.remove(key.id, force=force, volumes=volumes), "removed"
        )

    async def rename(self, key: ContainerKey, name: str) -> OperationUpdate:
        """Give it another name."""
        return await self._do("rename", key, lambda engine: engine.rename(key.id, name), f"is now {name}")

    async def _do(
        self, verb: str, key: ContainerKey, call: Callable[[Engine], Awaitable[None]], result: str
    ) -> OperationUpdate:
        action, subject = f"container.{verb}", self._subject(key)
        try:
            tracked = self.track(action, key, subject)
        except Refused as refusal:
            refused = replace(self._first(action, key, subject), phase=Phase.FAILED, error=refusal)
            self._tell(refused)
            return refused
        try:
            await call(self._engine_of(key.engine))
            await self._refresh(key)
            return tracked.done(f"{subject} {result}")
        except BackendError as error:
            return tracked.failed(error)
        finally:
            tracked.cancelled()  # where it ended neither way: the task was cancelled

    async def _read_again(self, key: ContainerKey) -> None:
        """The operation is done: a failure to look at its effect does not undo that, and the next list shows it."""
        try:
            self._store.apply(ContainerSeen(await self._engine_of(key.engine).inspect_container(key.id)))
        except NotFound:
            self._store.apply(ContainerGone(key))
        except BackendError as error:
            _log.info("the row of %s could not be read again: %s", key.short, error)

    def _check(self, key: ContainerKey, subject: str) -> None:
        if self._read_only:
            raise Refused(
                "read-only mode", hint="start tranship without --readonly to change things", engine=key.engine
            )
        if key in self._busy:
            under_way = self._store.view.operations.get(key)
            raise Refused(
                f"{subject} has an operation under way",
                detail=under_way.action if under_way else "",
                hint="wait until it is done",
                engine=key.engine,
            )

    def _first(self, action: str, key: ContainerKey, subject: str) -> OperationUpdate:
        return OperationUpdate(next(self._numbers), action, key, subject, Phase.STARTED)

    def _subject(self, key: ContainerKey) -> str:
        row = self._store.view.containers.get(key)
        return row.name if row else key.short

    def _publish(self, update: OperationUpdate) -> None:
        self._store.apply(OperationChanged(update))
        if update.phase in {Phase.DONE, Phase.FAILED, Phase.CANCELLED}:
            if update.key is not None:
                self._busy.discard(update.key)
            self._tell(update)

    def _tell(self, finished: OperationUpdate) -> None:
        if self._audit is not None:
            self._audit.record(finished)
        for watcher in tuple(self._watchers):
            watcher(finished)
