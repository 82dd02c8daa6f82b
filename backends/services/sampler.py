"""Readings of every living container once a second: local ones from cgroup files, others over their engine's API.

May not change anything on an engine. One dedicated thread sweeps the cgroup files, so that neither a hung engine nor
a full default executor delays it; each engine that is asked over its API has a task of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from backends.cgroups.sweep import Sweep, missing_reading
from backends.engine import Engine
from backends.model.container import ContainerState, StatsReading
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey, EngineId
from backends.model.values import Missing
from backends.services.changes import StatsSampled
from backends.services.stats_feed import StatsFeed
from backends.services.stats_history import StatsHistory
from backends.services.stats_routes import Route, plan_routes, streamed
from backends.services.store import Store

OFF_SCREEN = Missing("read only while its row is on screen")

# Looked this often while there is nothing to sample, so that a fresh screen does not wait a whole interval.
_IDLE_S = 0.25
# Sweeps in a row without a single cgroup, after which an engine's containers are taken to run elsewhere
# (Docker Desktop's machine, a socket forwarded by SSH).
_ELSEWHERE_AFTER = 3


class StatsSampler:
    """Samples the containers of `store` and applies StatsSampled. `run` is its one task."""

    def __init__(
        self,
        store: Store,
        engine_of: Callable[[EngineId], Engine],
        *,
        sweep: Callable[[], Sweep] = Sweep,
        interval_s: float = 1.0,
        history: StatsHistory | None = None,
    ) -> None:
        """engine_of: the engine of an id (Fleet.engine). sweep: makes the sweep, called in its thread.

        history: where all readings go, also those that tell nothing new.
        """
        self._store = store
        self._history = history
        self._engine_of = engine_of
        self._make_sweep = sweep
        self._interval_s = interval_s
        self._sweep: Sweep | None = None
        self._watched: frozenset[ContainerKey] | None = None
        self._feeds: dict[EngineId, StatsFeed] = {}
        self._misses: dict[EngineId, int] = {}

    def watch(self, keys: Collection[ContainerKey]) -> None:
        """The rows on screen: of Docker engines that are not local only these are streamed from now on.

        Before the first call nobody looks yet: then none is streamed, and no row is said to be off the screen.
        """
        self._watched = frozenset(keys)

    async def run(self) -> None:
        """Sample until cancelled; every stream and file is closed then."""
        loop = asyncio.get_running_loop()
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tranship-sweep")
        due = loop.time()
        try:
            while True:
                busy = await self._sample(executor)
                due = max(due + (self._interval_s if busy else min(_IDLE_S, self._interval_s)), loop.time())
                await asyncio.sleep(due - loop.time())
        finally:
            executor.submit(self._close_sweep)
            executor.shutdown(wait=False)
            feeds, self._feeds = list(self._feeds.values()), {}
            await asyncio.gather(*(feed.close() for feed in feeds))

    async def _sample(self, executor: ThreadPoolExecutor) -> bool:
        """One round; whether there was anything to sample."""
        view = self._store.view
        elsewhere = {id for id, count in self._misses.items() if count >= _ELSEWHERE_AFTER}
        plans = plan_routes(view, elsewhere)
        self._misses = {id: count for id, count in self._misses.items() if id in plans}
        local: set[ContainerKey] = set()
        over_api: dict[EngineId, frozenset[ContainerKey]] = {}
        for id, plan in plans.items():
            if plan.route is Route.CGROUPS:
                local |= plan.alive
            elif plan.route is Route.API:
                over_api[id] = plan.alive
            else:
                self._say_missing(view, plan.alive, plan.reason)
        self._stream(view, over_api)
        if local:
            readings, unfound = await asyncio.get_running_loop().run_in_executor(executor, self._sweep_now, local)
            self._publish(readings)
            self._count_misses(view, local, unfound)
        return any(plan.alive for plan in plans.values())

    def _sweep_now(
        self, keys: Collection[ContainerKey]
    ) -> tuple[Mapping[ContainerKey, StatsReading], frozenset[ContainerKey]]:
        if self._sweep is None:
            self._sweep = self._make_sweep()
        return self._sweep.sweep(keys), self._sweep.unfound

    def _close_sweep(self) -> None:
        if self._sweep is not None:
            self._sweep.close()

    def _count_misses(self, view: FleetView, swept: set[ContainerKey], unfound: frozenset[ContainerKey]) -> None:
        """Only running containers tell: one that waits to be restarted has no cgroup anywhere."""
        running = {key for key in swept if view.containers[key].state is ContainerState.RUNNING}
        found = {key.engine for key in swept - unfound}
        for id in {key.engine for key in running}:
            self._misses[id] = 0 if id in found else self._misses.get(id, 0) + 1

    def _stream(self, view: FleetView, alive: Mapping[EngineId, frozenset[ContainerKey]]) -> None:
        """Open, change and end the streams of engines that are read over their API; publish what came."""
        for id, feed in self._feeds.items():
            if id not in alive:
                feed.cancel()
        for id, keys in alive.items():
            wanted = streamed(view.engines[id], keys, self._watched or ())
            if self._watched is not None:
                self._say_missing(view, keys - wanted, OFF_SCREEN)
            if id not in self._feeds:
                self._feeds[id] = StatsFeed(self._engine_of(id), self._interval_s)
            feed = self._feeds[id]
            feed.want(wanted)
            self._publish(feed.take())

    def _say_missing(self, view: FleetView, keys: Collection[ContainerKey], reason: Missing) -> None:
        """Once for each container, not each second: a view that says the same is not drawn again."""
        now = time.monotonic()
        unsaid = [key for key in keys if (last := view.stats.get(key)) is None or last.cpu_percent != reason]
        self._publish({key: missing_reading(key, now, reason) for key in unsaid})

    def _publish(self, readings: Mapping[ContainerKey, StatsReading]) -> None:
        by_engine: dict[EngineId, dict[ContainerKey, StatsReading]] = {}
        for key, reading in readings.items():
            by_engine.setdefault(key.engine, {})[key] = reading
        for id, of_engine in by_engine.items():
            self._store.apply(StatsSampled(id, of_engine))
        if self._history is not None:
            self._history.take(readings.values(), self._store.view)
