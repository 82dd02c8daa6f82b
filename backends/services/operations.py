"""What is done to containers: one operation at a time for each, its progress in the store. Never edits a row itself."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from backends.engine import Engine
from backends.model.errors import BackendError, NotFound, Refused
from backends.model.events import OperationUpdate, Phase
from backends.model.ids import ContainerKey, EngineId
from backends.model.plan import MigrationFailed, StepProgress
from backends.services.audit import AuditLog
from backends.services.audit_facts import deployed, of_container
from backends.services.changes import ContainerGone, ContainerSeen, OperationChanged
from backends.services.store import Store

_log = logging.getLogger(__name__)

_NO_PLAN: Mapping[str, object] = MappingProxyType({})

FinishedWatcher: TypeAlias = Callable[[OperationUpdate], object]


class Tracked:
    """An operation in flight, for those who do it themselves (a migration).

    As a context manager it ends with its block: failed by a BackendError, and cancelled where nothing was said of it.
    """

    def __init__(self, first: OperationUpdate, publish: FinishedWatcher, *, recorded: bool = False) -> None:
        self._now = first
        self._publish = publish
        self._recorded = recorded
        publish(first)

    def __enter__(self) -> Tracked:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BackendError):
            self.failed(error)
        self.cancelled()  # where it ended neither way: the task was cancelled

    def telling(self, on_update: Callable[[StepProgress], object]) -> Callable[[StepProgress], None]:
        """Takes progress to both: to the store, and to somebody who looks on."""

        def follow(progress: StepProgress) -> None:
            self.update(progress)
            on_update(progress)

        return follow

    def update(self, progress: StepProgress) -> None:
        """Say where it is."""
        self._now = replace(
            self._now,
            phase=Phase.PROGRESS,
            step=progress.step.title,
            step_index=progress.index,
            done_bytes=progress.done_bytes,
            total_bytes=progress.total_bytes,
            bytes_per_s=progress.bytes_per_s,
            eta_s=progress.eta_s,
        )
        self._publish(self._now)

    def note(self, **facts: object) -> None:
        """What the audit trail is to say besides: object, plan, outcome (plain values, see audit_facts.py)."""
        self._now = replace(self._now, record={**self._now.record, **facts})

    async def note_deployed(self, engine: Engine, container: str) -> None:
        """What runs now and from which digest; the engine is only asked where a trail is kept."""
        if self._recorded:
            self.note(deployed=await deployed(engine, container))

    def done(self, result: str = "") -> OperationUpdate:
        """It is done. result: one line for people."""
        return self._end(replace(self._now, phase=Phase.DONE, result=result, eta_s=None))

    def failed(self, error: BackendError) -> OperationUpdate:
        """It failed."""
        if isinstance(error, MigrationFailed):
            undone = {"undone": error.undone.done, "left": error.undone.left}
            self.note(report={"step": error.step.title, **undone, "journal": error.journal or None})
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
    ) -> None:
        self._store = store
        self._engine_of = engine_of
        self._refresh = refresh or self._read_again
        self._audit = audit
        self._read_only = read_only
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
        return Tracked(self._first(action, key, subject), self._publish, recorded=self._audit is not None)

    @contextmanager
    def beside(
        self,
        action: str,
        key: ContainerKey,
        subject: str,
        *,
        changes: bool = True,
        plan: Mapping[str, object] = _NO_PLAN,
    ) -> Iterator[None]:
        """Something done in what goes on (a shell, a copy of files): it keeps nobody from acting on it meanwhile.

        It is written down when it begins and at its end, however that comes. plan: what is to be done, for the audit
        trail. Refused where all is read-only, and it changes something.
        """
        if changes:
            self._check_writable(key)
        update = self._first(action, key, subject)
        if plan:
            update = replace(update, record={**update.record, "plan": plan})
        self._note(update)
        try:
            yield
        except BackendError as error:
            self._note(replace(update, phase=Phase.FAILED, error=error))
            raise
        except BaseException:
            self._note(replace(update, phase=Phase.CANCELLED))
            raise
        self._note(replace(update, phase=Phase.DONE))

    async def start(self, key: ContainerKey) -> OperationUpdate:
        """Start it. This and those below return how it ended; engine errors are in `.error`, never raised."""
        return await self._do("start", key, lambda engine: engine.start(key.id), "started")

    async def stop(self, key: ContainerKey, *, timeout_s: int | None = None) -> OperationUpdate:
        """Stop it; None = its own stop timeout."""
        return await self._do(
            "stop", key, lambda engine: engine.stop(key.id, timeout_s=timeout_s), "stopped", timeout_s=timeout_s
        )

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
        return await self._do(
            "kill", key, lambda engine: engine.kill(key.id, signal=signal), f"got {signal}", signal=signal
        )

    async def remove(self, key: ContainerKey, *, force: bool = False, volumes: bool = False) -> OperationUpdate:
        """Remove it; force: also where it runs; volumes: its anonymous volumes too."""
        return await self._do(
            "remove",
            key,
            lambda engine: engine.remove(key.id, force=force, volumes=volumes),
            "removed",
            force=force,
            volumes=volumes,
        )

    async def rename(self, key: ContainerKey, name: str) -> OperationUpdate:
        """Give it another name."""
        return await self._do("rename", key, lambda engine: engine.rename(key.id, name), f"is now {name}", name=name)

    async def _do(
        self, verb: str, key: ContainerKey, call: Callable[[Engine], Awaitable[None]], result: str, **plan: object
    ) -> OperationUpdate:
        action, subject = f"container.{verb}", self._subject(key)
        try:
            tracked = self.track(action, key, subject)
        except Refused as refusal:
            refused = replace(self._first(action, key, subject), phase=Phase.FAILED, error=refusal)
            self._tell(refused)
            return refused
        with tracked:
            if plan:
                tracked.note(plan=plan)
            try:
                await call(self._engine_of(key.engine))
                await self._refresh(key)
            except BackendError as error:
                return tracked.failed(error)
            return tracked.done(f"{subject} {result}")

    async def _read_again(self, key: ContainerKey) -> None:
        """The operation is done: a failure to look at its effect does not undo that, and the next list shows it."""
        try:
            self._store.apply(ContainerSeen(await self._engine_of(key.engine).inspect_container(key.id)))
        except NotFound:
            self._store.apply(ContainerGone(key))
        except BackendError as error:
            _log.info("the row of %s could not be read again: %s", key.short, error)

    def _check(self, key: ContainerKey, subject: str) -> None:
        self._check_writable(key)
        if key in self._busy:
            under_way = self._store.view.operations.get(key)
            raise Refused(
                f"{subject} has an operation under way",
                detail=under_way.action if under_way else "",
                hint="wait until it is done",
                engine=key.engine,
            )

    def _check_writable(self, key: ContainerKey) -> None:
        if self._read_only:
            raise Refused(
                "read-only mode", hint="start tranship without --readonly to change things", engine=key.engine
            )

    def _first(self, action: str, key: ContainerKey, subject: str) -> OperationUpdate:
        row = self._store.view.containers.get(key)
        record = {"object": of_container(row)} if row is not None else {}
        return OperationUpdate(next(self._numbers), action, key, subject, Phase.STARTED, record=record)

    def _subject(self, key: ContainerKey) -> str:
        row = self._store.view.containers.get(key)
        return row.name if row else key.short

    def _publish(self, update: OperationUpdate) -> None:
        self._store.apply(OperationChanged(update))
        if update.phase in {Phase.DONE, Phase.FAILED, Phase.CANCELLED}:
            self._busy.discard(update.key)
            self._tell(update)

    def _note(self, finished: OperationUpdate) -> None:
        if self._audit is not None:
            self._audit.record(finished, self._store.view.engines.get(finished.key.engine))

    def _tell(self, finished: OperationUpdate) -> None:
        self._note(finished)
        for watcher in tuple(self._watchers):
            watcher(finished)
