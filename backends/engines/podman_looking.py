"""Looking at Podman's containers: lists, inspects, events, logs, stats, changed paths. Changes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial

from backends.engine import EventStream, LogLines, StatsStream
from backends.engines.podman_api import Params, segment
from backends.engines.podman_base import PodmanBase
from backends.engines.podman_logs import podman_log_lines
from backends.engines.podman_stats import StatsMeter
from backends.engines.podman_translate import Json, changes_of, event_of, inspected_container, listed_container
from backends.engines.row_by_row import entries_of, row_of
from backends.model.capabilities import Capability
from backends.model.container import ChangedPath, Container, LogLine, StatsReading
from backends.model.errors import NotFound, Protocol
from backends.model.events import EngineEvent
from backends.model.process import ContainerProcess, process_of
from backends.wire.frames import LOG_CHUNK_BYTES, json_lines
from backends.wire.times import log_times

_ROWS_AT_ONCE = 50  # 200 rows take 7 ms, and nothing may hold the event loop for 5
_CLOCK_TOLERANCE_S = 2.0  # HTTP dates have whole seconds
_LOG_TIMES = timedelta(seconds=1)  # its API writes the times of log lines in whole seconds
_CHANGES_TIMEOUT_S = 120.0  # it compares file by file


class PodmanLooking(PodmanBase):
    """The containers of one Podman service as they are."""

    async def list_containers(self) -> list[Container]:
        """All containers, whatever their state, in one call."""
        entries = await self._api.get("/containers/json", {"all": True})
        rows: list[Container] = []
        with self._understood():
            entries = entries_of(entries)
        for at, entry in enumerate(entries, start=1):
            rows.append(row_of(entry, at, self._row, "Id"))
            if len(rows) % _ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return rows

    def _row(self, entry: Json) -> Container:
        return listed_container(entry, self._id)

    async def inspect_container(self, container: str) -> Container:
        """One container by id or name, freshly read."""
        raw = await self.inspect_raw(container)
        pod = await self._pod_name(str(raw.get("Pod") or ""))
        with self._understood():
            return replace(inspected_container(raw, self._id), pod=pod)

    async def _pod_name(self, pod: str) -> str:
        """The name of the pod with this id, which never gets another; "" for none, and for one that has just gone."""
        if not pod:
            return ""
        if pod not in self._pod_names:
            try:
                told = await self._api.get(f"/pods/{segment(pod)}/json")
            except NotFound:
                return ""
            with self._understood():
                self._pod_names[pod] = str(told["Name"])
        return self._pod_names[pod]

    def subscribe(self) -> EventStream:
        """Events from now on."""
        return self._events()

    @asynccontextmanager
    async def _events(self) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        """Podman sends its headers with the first event only, so waiting for them would wait for an event. Instead the
        engine is pinged, and the events are asked for from that moment on: it keeps them in a log or the journal."""
        stream = self._events_since(self._moment(await self._api.ping()))
        try:
            yield stream
        finally:
            await stream.aclose()

    async def _events_since(self, since: float) -> AsyncGenerator[EngineEvent, None]:
        params: Params = {"stream": True, "since": f"{since:.6f}"}
        async with self._api.stream("GET", "/events", params, open_timeout_s=None) as chunks:
            async for entry in json_lines(chunks, engine=self._id):
                yield row_of(entry, 1, partial(event_of, engine=self._id))

    def _moment(self, headers: Mapping[str, str]) -> float:
        """Now, by the engine's clock: our own where the two agree, else the answer's date less its rounding."""
        now = time.time()
        try:
            there = parsedate_to_datetime(headers.get("Date", "")).timestamp()
        except ValueError:
            return now - 1.0
        return now if abs(now - there) <= _CLOCK_TOLERANCE_S else there - 1.0

    def logs(
        self,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        timestamps: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> LogLines:
        """Log lines, oldest first."""
        return self._logs(container, follow, tail, timestamps, log_times(since, until, exact=_LOG_TIMES))

    @asynccontextmanager
    async def _logs(
        self, container: str, follow: bool, tail: int | None, timestamps: bool, times: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[LogLine]]:
        raw = await self.inspect_raw(container)
        config = raw.get("Config")
        tty = bool(isinstance(config, dict) and config.get("Tty"))
        params: dict[str, str | int | bool] = {
            "stdout": True,
            "stderr": True,
            "follow": follow,
            "timestamps": timestamps,
            **times,
        }
        if tail is not None:
            params["tail"] = tail
        path = f"/containers/{segment(container)}/logs"
        async with self._api.stream("GET", path, params, chunk_bytes=LOG_CHUNK_BYTES) as chunks:
            yield podman_log_lines(chunks, tty=tty, timestamps=timestamps, engine=self._id)

    async def _exec_ended(self, place: str) -> int | None:
        """The exit code of a program, None while it runs. place: "/exec/{id}"."""
        told = await self._api.get(f"{place}/json")
        with self._understood():
            return None if told["Running"] else int(told["ExitCode"])

    async def processes(self, container: str) -> tuple[ContainerProcess, ...]:
        """`podman top`, with columns of our own."""
        params: Params = {"stream": False, "ps_args": "hpid,huser,pcpu,rss,etime,args"}
        answer = await self._api.get(f"/containers/{segment(container)}/top", params)
        with self._understood():
            return tuple(process_of(row) for row in answer["Processes"] or ())

    def stats(self, containers: Sequence[str], *, interval_s: float = 1.0) -> StatsStream:
        """One stream of all containers, reduced to those wanted."""
        return self._stats(containers, interval_s)

    @asynccontextmanager
    async def _stats(
        self, containers: Sequence[str], interval_s: float
    ) -> AsyncIterator[AsyncIterator[Sequence[StatsReading]]]:
        await self._expect(Capability.STATS_API)
        params = {"stream": True, "interval": max(1, round(interval_s))}
        async with self._api.stream("GET", "/containers/stats", params) as chunks:
            yield self._readings(chunks, StatsMeter(self._id, containers, self._clock))

    async def _readings(self, chunks: AsyncIterator[bytes], meter: StatsMeter) -> AsyncIterator[Sequence[StatsReading]]:
        async for batch in json_lines(chunks, engine=self._id):
            with self._understood():
                if batch.get("Error"):
                    raise Protocol("Podman's statistics broke off", detail=str(batch["Error"]), engine=self._id)
                readings = meter.readings(batch)
            yield readings

    async def changed_paths(self, container: str) -> tuple[ChangedPath, ...]:
        """What the container's own layer says; places of mounts, which Podman makes there, are left out."""
        raw = await self.inspect_raw(container)
        path = f"/containers/{segment(container)}/changes"
        entries = await self._api.get(path, timeout_s=_CHANGES_TIMEOUT_S)
        with self._understood():
            return changes_of(entries, raw)


__all__ = ["PodmanLooking"]
