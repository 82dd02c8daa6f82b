"""Docker's stats messages to readings, and many such streams merged into batches. Opens no connection by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias

from backends.model.container import StatsReading
from backends.model.errors import NotFound
from backends.model.ids import ContainerKey
from backends.model.values import NOT_SAMPLED, Count, Missing, Quantity
from backends.wire.frames import json_lines
from backends.wire.times import parse_time

Json: TypeAlias = Mapping[str, Any]
OpenStream: TypeAlias = Callable[[str], AbstractAsyncContextManager[AsyncIterator[bytes]]]
Understood: TypeAlias = Callable[[], AbstractContextManager[None]]

_NOT_TOLD = Missing("Docker does not tell")


def working_set_bytes(memory: Json) -> Count:
    """Usage less the inactive file cache. Source: docker/cli, calculateMemUsageUnixNoCache (v1 key, else v2 key)."""
    usage = memory.get("usage")
    if not usage:
        return _NOT_TOLD
    stats = memory.get("stats") or {}
    key = "total_inactive_file" if "total_inactive_file" in stats else "inactive_file"
    inactive = stats.get(key) or 0
    return int(usage - inactive) if inactive < usage else int(usage)


class StatsReader:
    """Turns one container's messages into readings; rates need the message before."""

    def __init__(self, key: ContainerKey) -> None:
        self._key = key
        self._before: tuple[datetime, dict[str, int]] | None = None

    def read(self, message: Json, sampled_at: float) -> StatsReading | None:
        """A reading, None for the empty message of a container that does not run."""
        at = parse_time(message.get("read") or "")
        if at is None:
            return None
        memory = message.get("memory_stats") or {}
        totals = _totals(message)
        limit, processes = memory.get("limit"), (message.get("pids_stats") or {}).get("current")
        before, self._before = self._before, (at, totals)
        elapsed_s = (at - before[0]).total_seconds() if before else 0.0

        def rate(name: str) -> Quantity:
            if name not in totals:
                return _NOT_TOLD
            if before is None or elapsed_s <= 0 or name not in before[1]:
                return NOT_SAMPLED
            return max(0.0, (totals[name] - before[1][name]) / elapsed_s)

        busy = rate("cpu_ns")
        return StatsReading(
            key=self._key,
            sampled_at=sampled_at,
            cpu_percent=busy / 1e7 if isinstance(busy, float) else busy,  # ns of CPU per s; 1e9 ns = 100 %
            memory_bytes=working_set_bytes(memory),
            memory_limit_bytes=int(limit) if limit else _NOT_TOLD,
            net_rx_bytes_per_s=rate("rx"),
            net_tx_bytes_per_s=rate("tx"),
            block_read_bytes_per_s=rate("block_read"),
            block_write_bytes_per_s=rate("block_write"),
            processes=int(processes) if processes is not None else _NOT_TOLD,
        )


def _totals(message: Json) -> dict[str, int]:
    """Counters since the container's start; a counter that is not told is absent."""
    totals: dict[str, int] = {}
    cpu = ((message.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
    if cpu is not None:
        totals["cpu_ns"] = int(cpu)
    networks = message.get("networks")
    if networks is not None:
        totals["rx"] = sum(int(one.get("rx_bytes") or 0) for one in networks.values())
        totals["tx"] = sum(int(one.get("tx_bytes") or 0) for one in networks.values())
    blocks = (message.get("blkio_stats") or {}).get("io_service_bytes_recursive")
    for entry in blocks or ():
        word = str(entry.get("op") or "").lower()  # "Read" on cgroup v1, "read" on v2
        if word in {"read", "write"}:
            totals[f"block_{word}"] = totals.get(f"block_{word}", 0) + int(entry.get("value") or 0)
    return totals


@asynccontextmanager
async def merged(
    keys: Sequence[ContainerKey], open_stream: OpenStream, interval_s: float, understood: Understood
) -> AsyncIterator[AsyncIterator[Sequence[StatsReading]]]:
    """Batches of the newest readings, one each interval, of a stream for each container.

    understood: within it, a message of another shape is an error of ours.

    A container that goes away ends its own stream only. The iterator ends when all have, and raises what broke one.
    """
    newest: dict[ContainerKey, StatsReading] = {}

    async def follow(key: ContainerKey) -> None:
        reader = StatsReader(key)
        try:
            async with open_stream(key.id) as chunks:
                async for message in json_lines(chunks, engine=key.engine):
                    with understood():
                        reading = reader.read(message, time.monotonic())
                    if reading is not None:
                        newest[key] = reading
        except NotFound:
            return

    tasks = [asyncio.create_task(follow(key), name=f"docker-stats-{key.short}") for key in keys]
    try:
        yield _batches(tasks, newest, interval_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _batches(
    tasks: Sequence[asyncio.Task[None]], newest: dict[ContainerKey, StatsReading], interval_s: float
) -> AsyncIterator[Sequence[StatsReading]]:
    running = set(tasks)
    while running:
        done, running = await asyncio.wait(running, timeout=interval_s, return_when=asyncio.FIRST_EXCEPTION)
        if newest:
            batch = tuple(newest.values())
            newest.clear()
            yield batch
        for task in done:
            task.result()  # raises what broke it


__all__ = ["StatsReader", "merged", "working_set_bytes"]
