"""All engines together: who they are, their tasks, the store. Names no concrete engine and no GPU library."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias

from backends.engine import Engine
from backends.model.container import Container
from backends.model.errors import BackendError, NotFound, Refused, Unreachable
from backends.model.errors import Protocol as ProtocolError
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.services.audit import AuditLog
from backends.services.changes import ContainersListed, EngineAdded, LinkChanged
from backends.services.event_feed import EventFeed
from backends.services.operations import Operations
from backends.services.stats_history import StatsHistory
from backends.services.store import Store
from backends.services.supervisor import CLUSTER_TIMING, Supervisor, Timing

_log = logging.getLogger(__name__)


class AbsentEngine(Protocol):
    """An engine that was looked for and is not here."""

    @property
    def id(self) -> EngineId:
        """What it would be called."""

    @property
    def absent(self) -> str:
        """Why it is not here."""

    @property
    def hint(self) -> str:
        """The next step for the user, "" if none."""

    @property
    def source(self) -> str:
        """What a person wrote down wrongly ("DOCKER_HOST"), "" where nobody did."""


Background: TypeAlias = Callable[["Fleet"], Coroutine[Any, Any, None]]
"""Something that runs as long as the fleet does: a sampler of stats or of GPUs."""


class Fleet:
    """The engines of one session.

    engines: those to be supervised, wrapped already where changes are to be refused. absent: those to be shown with
    their reason. read_only: operations are refused here too. background: named tasks besides the supervisors.
    audit: where finished operations are written down, None = nowhere; closed with the fleet. seen: containers that
    are shown already, of engines not yet connected.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        *,
        absent: Sequence[AbsentEngine] = (),
        read_only: bool = False,
        background: Mapping[str, Background] | None = None,
        audit: AuditLog | None = None,
        timing: Timing | None = None,
        seen: Collection[Container] = (),
    ) -> None:
        self.store = Store()
        self.read_only = read_only
        self._engines = {engine.id: engine for engine in engines}
        self._absent = {found.id: found for found in absent}
        self._background = dict(background or {})
        self._audit = audit
        self.events = EventFeed()
        self.history = StatsHistory()
        self._supervisors = {
            engine.id: Supervisor(engine, self.store, timing=timing or _timing(engine.id), heard=self.events.hear)
            for engine in engines
        }
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False
        self._watched: frozenset[ContainerKey] | None = None
        self._watchers: list[Callable[[frozenset[ContainerKey]], None]] = []
        self.operations = Operations(self.store, self.engine, refresh=self.refresh, audit=audit, read_only=read_only)
        for engine in engines:
            connecting = ConnectionState(Link.CONNECTING)
            self.store.apply(EngineAdded(EngineView(engine.id, connecting, endpoint=engine.endpoint)))
            rows = tuple(container for container in seen if container.key.engine == engine.id)
            self.store.apply(ContainersListed(engine.id, rows))
        for found in absent:
            error = (Refused if found.source else Unreachable)(found.absent, hint=found.hint, engine=found.id)
            self.store.apply(EngineAdded(EngineView(found.id, ConnectionState(Link.ABSENT, error))))

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The engines that are supervised, in the order given."""
        return tuple(self._engines.values())

    def engine(self, id: EngineId) -> Engine:
        """The engine of an id; Unreachable where it is absent, NotFound where nobody knows it."""
        engine = self._engines.get(id)
        if engine is not None:
            return engine
        found = self._absent.get(id)
        if found is not None:
            raise Unreachable(found.absent, hint=found.hint, engine=id)
        known = ", ".join(sorted(known.name for known in self._engines)) or "none"
        raise NotFound(f"no engine is called {id.name}", hint=f"engines of this fleet: {known}")

    async def start(self) -> None:
        """Begin to supervise and to sample; returns at once. Call it once."""
        for id, supervisor in self._supervisors.items():
            task = asyncio.create_task(supervisor.run(), name=f"supervisor of {id}")
            task.add_done_callback(partial(self._supervisor_ended, supervisor))
            self._tasks.append(task)
        for name, run in self._background.items():
            task = asyncio.create_task(run(self), name=name)
            task.add_done_callback(_background_ended)
            self._tasks.append(task)

    async def ready(self, timeout_s: float) -> bool:
        """Wait until each engine was listed or failed; False where one did neither in time."""
        waits = [asyncio.create_task(one.settled.wait()) for one in self._supervisors.values()]
        if not waits:
            return True
        try:
            _, late = await asyncio.wait(waits, timeout=timeout_s)
            return not late
        finally:
            await _cancel(waits)

    def retry_now(self, id: EngineId | None = None) -> None:
        """Try lost engines again at once: one, or all."""
        for supervisor in self._supervisors.values():
            if id is None or supervisor.id == id:
                supervisor.retry_now()

    def watch(self, keys: Collection[ContainerKey]) -> None:
        """Somebody looks at these rows, and at no others: what costs an engine work for each row is done for them."""
        watched = frozenset(keys)
        if watched != self._watched:
            self._watched = watched
            for watcher in self._watchers:
                watcher(watched)

    def on_watch(self, watcher: Callable[[frozenset[ContainerKey]], None]) -> None:
        """Call watcher with the rows looked at, each time that they change, and now where somebody looks already."""
        self._watchers.append(watcher)
        if self._watched is not None:
            watcher(self._watched)

    @property
    def audit_problem(self) -> BackendError | None:
        """What is amiss with the audit trail, or why something is not in it; None = nothing."""
        return self._audit.problem if self._audit is not None else None

    def on_audit_problem(self, listener: Callable[[BackendError], object]) -> Callable[[], None]:
        """Tell it of each such problem; returns how to stop that."""
        return self._audit.listen(listener) if self._audit is not None else lambda: None

    async def close(self) -> None:
        """End all tasks, close all engines, write the audit out. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        await _cancel(self._tasks)
        for engine in self._engines.values():
            try:
                await engine.close()
            except BackendError as error:
                _log.warning("closing failed: %s", error)
        if self._audit is not None:
            await self._audit.close()

    async def refresh(self, key: ContainerKey) -> None:
        """Read a container again now; returns when its row is up to date, or its engine's link is lost."""
        supervisor = self._supervisors.get(key.engine)
        if supervisor is not None:
            await supervisor.refresh(key.id)

    def _supervisor_ended(self, supervisor: Supervisor, task: asyncio.Task[None]) -> None:
        """A supervisor ends only when cancelled, or by a bug: the other engines go on."""
        if task.cancelled():
            return
        bug = task.exception()
        _log.error("%s ended", task.get_name(), exc_info=bug)
        error = ProtocolError(
            "the supervision of this engine failed inside tranship",
            detail=repr(bug),
            hint="this is a bug: please report it with the log",
            engine=supervisor.id,
        )
        self.store.apply(LinkChanged(supervisor.id, ConnectionState(Link.LOST, error)))
        supervisor.settled.set()


def _timing(engine: EngineId) -> Timing:
    return CLUSTER_TIMING if engine.kind is EngineKind.KUBERNETES else Timing()


def _background_ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (bug := task.exception()) is not None:
        _log.error("%s ended", task.get_name(), exc_info=bug)


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
