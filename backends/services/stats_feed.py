"""One engine's stats stream, kept open and opened again after a loss. Publishes nothing: readings are taken from it."""

from __future__ import annotations

import asyncio
import logging
import time

from backends.cgroups.sweep import missing_reading
from backends.engine import Engine
from backends.model.container import StatsReading
from backends.model.errors import BackendError, Unsupported
from backends.model.ids import ContainerKey
from backends.model.values import Missing

_log = logging.getLogger(__name__)

# A stream is opened anew for other containers at most this often: a new one needs two samples before it tells a rate.
_SETTLE_INTERVALS = 2
_RETRY_FIRST_S = 1.0
_RETRY_LAST_S = 15.0


class StatsFeed:
    """The latest readings of the wanted containers of one engine. No method waits for the engine, but `close`."""

    def __init__(self, engine: Engine, interval_s: float) -> None:
        self._engine = engine
        self._interval_s = interval_s
        self._wanted: frozenset[ContainerKey] = frozenset()
        self._streamed: frozenset[ContainerKey] = frozenset()
        self._opened_at = float("-inf")
        self._new: dict[ContainerKey, StatsReading] = {}
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    def want(self, keys: frozenset[ContainerKey]) -> None:
        """Readings of these from now on; call it again and again, since opening a stream anew may be put off."""
        self._wanted = keys
        if not keys:
            self.cancel()
        elif not self._fits(keys) and self._settled():
            self.cancel()
            self._wanted = self._streamed = keys
            self._opened_at = time.monotonic()
            self._task = asyncio.create_task(self._follow(keys), name=f"stats of {self._engine.id}")
            self._ending.add(self._task)
            self._task.add_done_callback(self._ended)

    def _fits(self, keys: frozenset[ContainerKey]) -> bool:
        """What is streamed will do: it holds all of them, and not far more (Docker works for each)."""
        return keys <= self._streamed and len(self._streamed) <= 2 * len(keys)

    def _settled(self) -> bool:
        return time.monotonic() - self._opened_at >= _SETTLE_INTERVALS * self._interval_s

    def take(self) -> dict[ContainerKey, StatsReading]:
        """Readings of the wanted that came since the last call."""
        new, self._new = self._new, {}
        return {key: reading for key, reading in new.items() if key in self._wanted}

    def cancel(self) -> None:
        """End the stream; does not wait until it has."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._wanted = self._streamed = frozenset()
        self._new = {}
        self._opened_at = float("-inf")

    async def close(self) -> None:
        """End the stream and wait until it is closed."""
        self.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _follow(self, keys: frozenset[ContainerKey]) -> None:
        delay = _RETRY_FIRST_S
        while True:
            try:
                async with self._engine.stats(sorted(key.id for key in keys), interval_s=self._interval_s) as batches:
                    async for batch in batches:
                        delay = _RETRY_FIRST_S
                        self._new.update({reading.key: reading for reading in batch if reading.key in keys})
            except Unsupported as error:
                self._fail(keys, error)
                return
            except BackendError as error:
                self._fail(keys, error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _RETRY_LAST_S)

    def _fail(self, keys: frozenset[ContainerKey], error: BackendError) -> None:
        now = time.monotonic()
        self._new.update({key: missing_reading(key, now, Missing(error.title)) for key in keys})

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            _log.error("%s ended", task.get_name(), exc_info=bug)
