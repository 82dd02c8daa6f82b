"""Looking at Docker's containers: lists, inspects, events, logs, stats. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from backends.engine import ByteStream, EventStream, LogLines, StatsStream
from backends.engines import docker_stats, docker_translate
from backends.engines.docker_base import LIST_TIMEOUT_S, DockerBase
from backends.engines.docker_rows import listed_containers
from backends.engines.docker_sdk import CALL_TIMEOUT_S
from backends.engines.row_by_row import row_of
from backends.model.container import Container, LogLine, StatsReading
from backends.model.errors import Protocol
from backends.model.events import EngineEvent
from backends.model.ids import ContainerKey
from backends.model.process import ContainerProcess, process_of
from backends.wire.frames import LOG_CHUNK_BYTES, json_lines, log_lines
from backends.wire.times import log_times

_EVENTS = json.dumps({"type": ["container", "image", "volume", "network"], "event": docker_translate.EVENT_ACTIONS})


class DockerLooking(DockerBase):
    """The containers of one Docker daemon as they are."""

    async def list_containers(self) -> list[Container]:
        """One GET /containers/json?all=1; gpus_given and start times are filled by inspect_container only."""
        items = await self._get("/containers/json", {"all": True}, timeout_s=LIST_TIMEOUT_S)
        with self._understood():
            containers = listed_containers(self._id, items)
            self._names = {container.key.id: container.name for container in containers}
        return containers

    async def inspect_container(self, container: str) -> Container:
        """One container."""
        item = await self.inspect_raw(container)
        with self._understood():
            found = docker_translate.container_from_inspect(self._id, item)
            self._names[found.key.id] = found.name
        return found

    async def inspect_raw(self, container: str) -> dict[str, object]:
        """GET /containers/{id}/json."""
        item = await self._get(f"/containers/{quote(container, safe='')}/json")
        if not isinstance(item, dict) or "Id" not in item:
            raise Protocol("Docker described no container", engine=self._id)
        return item

    def subscribe(self) -> EventStream:
        """GET /events, without the noise of exec and mounts."""
        return self._events()

    @asynccontextmanager
    async def _events(self) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        path = await self._path("/events")
        async with self._wire.stream("GET", path, params={"filters": _EVENTS}) as chunks:
            yield (self._event(item) async for item in json_lines(chunks, engine=self._id))

    def _event(self, item: Any) -> EngineEvent:
        return row_of(item, 1, partial(docker_translate.event, self._id))

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
        """GET /containers/{id}/logs; raw where the container has a TTY, else framed."""
        return self._logs(container, follow, tail, timestamps, log_times(since, until))

    @asynccontextmanager
    async def _logs(
        self, container: str, follow: bool, tail: int | None, timestamps: bool, times: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[LogLine]]:
        config = (await self.inspect_raw(container)).get("Config")
        tty = isinstance(config, dict) and bool(config.get("Tty"))
        last = "all" if tail is None else str(max(0, tail))
        params: dict[str, str | bool] = {"stdout": True, "stderr": True, "tail": last, **times}
        params |= {"follow": follow, "timestamps": timestamps}
        path = await self._path(f"/containers/{quote(container, safe='')}/logs")
        async with self._wire.stream("GET", path, params=params, chunk_bytes=LOG_CHUNK_BYTES) as chunks:
            yield log_lines(chunks, tty=tty, timestamps=timestamps, engine=self._id)

    async def _exec_ended(self, place: str) -> int | None:
        """GET /exec/{id}/json: the exit code of a program, None while it runs. place: "/exec/{id}"."""
        told = await self._get(f"{place}/json")
        with self._understood():
            return None if told["Running"] or told["ExitCode"] is None else int(told["ExitCode"])

    async def processes(self, container: str) -> tuple[ContainerProcess, ...]:
        """GET /containers/{id}/top, with columns of our own: Docker runs the host's `ps`."""
        path = f"/containers/{quote(container, safe='')}/top"
        answer = await self._get(path, {"ps_args": "-eo pid,user,pcpu,rss,etime,args"})
        with self._understood():
            return tuple(process_of(row) for row in answer["Processes"] or ())

    def stats(self, containers: Sequence[str], *, interval_s: float = 1.0) -> StatsStream:
        """A stream of GET /containers/{id}/stats for each, merged."""
        return self._stats(containers, interval_s)

    @asynccontextmanager
    async def _stats(
        self, containers: Sequence[str], interval_s: float
    ) -> AsyncIterator[AsyncIterator[Sequence[StatsReading]]]:
        prefix = await self._path("/containers")
        keys = [ContainerKey(self._id, container) for container in containers]

        def open_stream(container: str) -> ByteStream:
            path = f"{prefix}/{quote(container, safe='')}/stats"
            return self._streams.stream("GET", path, params={"stream": True}, open_timeout_s=CALL_TIMEOUT_S)

        async with docker_stats.merged(keys, open_stream, interval_s, self._understood) as batches:
            yield batches


__all__ = ["DockerLooking"]
