"""Keeps one engine's rows true: connect, subscribe, list, apply, and again after a loss. Changes no container."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

from backends.engine import Engine
from backends.model.errors import BackendError, Conflict, NotFound, Protocol, TimedOut, Unreachable
from backends.model.events import ConnectionState, EngineEvent, EventKind, Link
from backends.model.ids import ContainerKey, EngineId
from backends.services.changes import ContainerGone, ContainerSeen, ContainersListed, LinkChanged
from backends.services.store import Store

T = TypeVar("T")
_DETAIL_AT_ONCE = 8
"""Running containers of a list that are inspected together: lists do not tell GPUs and start times."""


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds, but storm: more ids than that at once are read by one list instead.

    coalesce_s: how long the first of several events waits for the others. ping_s: silence after which the engine
    is asked whether it is there. detail_s: pause between the first looks at running containers, None where a list tells
    all that an inspect does. backoff_first_s, backoff_last_s: the wait after the first failure, and the longest one.
    """

    answer_s: float = 10.0
    ping_s: float = 5.0
    ping_answer_s: float = 3.0
    coalesce_s: float = 0.02
    storm: int = 50
    detail_s: float | None = 0.05
    backoff_first_s: float = 0.5
    backoff_last_s: float = 15.0


CLUSTER_TIMING = Timing(answer_s=20.0, ping_s=20.0, ping_answer_s=10.0, coalesce_s=0.2, detail_s=None)
"""For a cluster, which is farther away, has more rows, and tells all of them in its list."""


class Supervisor:
    """One engine's supervisor. `run` is its one task; all else may be called from the same event loop.

    jitter: gives numbers in [0, 1), so that engines that died together are not all called at one moment. heard: told
    of each event.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        timing: Timing | None = None,
        jitter: Callable[[], float] = random.random,
        heard: Callable[[EngineEvent], object] | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._timing = timing or Timing()
        self._jitter = jitter
        self._heard = heard
        self._retry = asyncio.Event()
        self._dirty: set[str] = set()
        self._doubtful = False  # something was told, and not what of
        self._woken = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._seen: set[str] = set()
        self._unseen: list[str] = []
        self.settled = asyncio.Event()
        """Set once the engine was listed, or once reaching it failed."""

    @property
    def id(self) -> EngineId:
        """Whose supervisor it is."""
        return self._engine.id

    def retry_now(self) -> None:
        """Try again at once where it waits for the next try; nothing where it is connected."""
        self._retry.set()

    async def refresh(self, container: str) -> None:
        """Read a container (full id) again now; returns when its row is up to date, or the link was lost."""
        link = self._store.view.engines.get(self.id)
        if link is None or link.stale:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._dirty.add(container)
        self._woken.set()
        await done

    async def run(self) -> None:
        """Never returns; engine errors become the link's state."""
        failures = 0
        self._say(ConnectionState(Link.CONNECTING))
        while True:
            self._retry.clear()
            began = time.monotonic()
            try:
                await self._session()
            except BackendError as error:
                lost = error
            except OSError as error:  # the adapter's duty to translate; a slip of it must not end the supervision
                lost = Unreachable("the connection failed", detail=str(error), engine=self.id)
            finally:
                _release(self._waiting)
                self._waiting = []
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from lost  # the connection broke off while it was closed
            if time.monotonic() - began > self._timing.backoff_last_s:
                failures = 0  # it stood for a while: this is a new trouble
            await self._wait(lost, failures)
            failures += 1

    async def _wait(self, error: BackendError, failures: int) -> None:
        longest = min(self._timing.backoff_last_s, self._timing.backoff_first_s * 2 ** min(failures, 16))
        wait_s = longest * (0.75 + 0.25 * self._jitter())
        self._say(ConnectionState(Link.LOST, error, retry_at=time.monotonic() + wait_s))
        self.settled.set()
        try:
            async with asyncio.timeout(wait_s):
                await self._retry.wait()
        except TimeoutError:
            pass  # the wait is over: that is what it was for
        self._say(ConnectionState(Link.LOST, error))

    async def _session(self) -> None:
        """One connected life; ends only by raising."""
        async with AsyncExitStack() as stack:
            info = await self._answer(self._engine.connect())
            events = await self._answer(stack.enter_async_context(self._engine.subscribe()))
            self._seen.clear()
            await self._list(self._timing.answer_s)
            self._store.apply(LinkChanged(self.id, ConnectionState(Link.CONNECTED), info))
            self.settled.set()
            await self._until_one_fails(
                asyncio.create_task(self._read(events), name=f"events of {self.id}"),
                asyncio.create_task(self._keep_fresh(), name=f"inspects of {self.id}"),
            )

    async def _until_one_fails(self, *tasks: asyncio.Task[None]) -> None:
        """All run for ever. Not a TaskGroup: before Python 3.13 it loses a cancellation that comes amid a failure."""
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in sorted(done, key=lambda one: isinstance(one.exception(), BackendError)):
            task.result()  # a bug is to be seen before what the engine did

    async def _read(self, events: AsyncIterator[EngineEvent]) -> None:
        async for event in events:
            if self._heard is not None:
                self._heard(event)
            if event.kind is EventKind.CONTAINER and event.id:
                self._dirty.add(event.id)
                self._woken.set()
            if event.why:
                self._doubtful = True
                self._woken.set()
        raise Unreachable("the engine ended its event stream", hint="it is tried again by itself", engine=self.id)

    async def _keep_fresh(self) -> None:
        """Read again what events name. In silence, list: a stopped or stuck daemon keeps its sockets open.

        This is the only reader while connected, so that an older answer never overwrites a newer one.
        """
        while True:
            try:
                async with asyncio.timeout(self._timing.detail_s if self._unseen else self._timing.ping_s):
                    await self._woken.wait()
            except TimeoutError:
                await self._in_silence()
                continue
            await asyncio.sleep(self._timing.coalesce_s)
            self._woken.clear()
            ids, self._dirty = self._dirty, set()
            waiting, self._waiting = self._waiting, []
            doubtful, self._doubtful = self._doubtful or len(ids) > self._timing.storm, False
            try:
                if doubtful or not await self._inspect_all(ids):
                    await self._list(self._timing.answer_s)
            finally:
                _release(waiting)

    async def _in_silence(self) -> None:
        """Look at what was only listed, a few at a time; then ask whether the engine is there."""
        if not self._unseen:
            await self._list(self._timing.ping_answer_s)
            return
        few, self._unseen = self._unseen[:_DETAIL_AT_ONCE], self._unseen[_DETAIL_AT_ONCE:]
        await self._inspect_all({container for container in few if container not in self._seen})

    async def _inspect_all(self, ids: set[str]) -> bool:
        """Read each again; False where the engine stumbled over one (it is amid a change): list instead."""
        outcomes = await asyncio.gather(*(self._inspect(container) for container in ids))
        return all(outcomes)

    async def _inspect(self, container: str) -> bool:
        self._seen.add(container)
        try:
            seen = await self._answer(self._engine.inspect_container(container))
        except NotFound:
            self._store.apply(ContainerGone(ContainerKey(self.id, container)))
        except (Conflict, Protocol):
            return False
        else:
            self._store.apply(ContainerSeen(seen))
        return True

    async def _list(self, within_s: float) -> None:
        containers = await self._answer(self._engine.list_containers(), within_s)
        self._store.apply(ContainersListed(self.id, tuple(containers)))
        self._seen &= {container.key.id for container in containers}  # those that are gone are forgotten
        if self._timing.detail_s is not None:
            alive = (container.key.id for container in containers if container.state.alive)
            self._unseen = [container for container in alive if container not in self._seen]

    async def _answer(self, call: Awaitable[T], within_s: float | None = None) -> T:
        limit_s = within_s if within_s is not None else self._timing.answer_s
        try:
            async with asyncio.timeout(limit_s):
                return await call
        except TimeoutError as late:
            raise TimedOut(
                "does not answer",
                detail=f"nothing within {limit_s:g} s",
                hint="the daemon hangs or is stopped; it is tried again by itself",
                engine=self.id,
            ) from late

    def _say(self, state: ConnectionState) -> None:
        self._store.apply(LinkChanged(self.id, state))


def _release(waiting: list[asyncio.Future[None]]) -> None:
    """Let those go on who wait for a row."""
    for done in waiting:
        if not done.done():
            done.set_result(None)
