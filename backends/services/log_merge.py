"""The logs of several containers as one stream, complete: the reader sets the pace, nothing is left out."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import datetime

from backends.engine import Engine
from backends.model.container import LogLine
from backends.model.ids import ContainerKey
from backends.services.log_flow import TURN_LINES, Sourced

_WAITING = 1_000  # lines of a followed log that wait for the reader


@dataclass(frozen=True, slots=True)
class LogWish:
    """What of each log is wanted; see Engine.logs."""

    follow: bool = False
    tail: int | None = None
    since: datetime | None = None
    until: datetime | None = None


async def merged(sources: Sequence[tuple[ContainerKey, Engine]], wish: LogWish) -> AsyncGenerator[Sourced, None]:
    """Lines of all logs, with their times. In the order of their times, or, where they are followed, as they come.

    Raises the first error that an engine raises, though the other logs may go on.
    """
    async with AsyncExitStack() as stack:
        opened = []
        for key, engine in sources:
            context = engine.logs(
                key.id, follow=wish.follow, tail=wish.tail, timestamps=True, since=wish.since, until=wish.until
            )
            opened.append((key, await stack.enter_async_context(context)))
        lines = _as_they_come(opened) if wish.follow and len(opened) > 1 else _by_time(opened)
        async with aclosing(lines):
            async for line in lines:
                yield line


async def _by_time(opened: Sequence[tuple[ContainerKey, AsyncIterator[LogLine]]]) -> AsyncGenerator[Sourced, None]:
    heads: list[tuple[float, int, LogLine]] = []
    times = [0.0] * len(opened)  # a line without a time goes where the one before it went

    async def push(number: int) -> None:
        line = await anext(opened[number][1], None)
        if line is not None:
            times[number] = line.at.timestamp() if line.at is not None else times[number]
            heapq.heappush(heads, (times[number], number, line))

    for number in range(len(opened)):
        await push(number)
    count = 0
    while heads:
        _, number, line = heapq.heappop(heads)
        yield opened[number][0], line
        count += 1
        if count % TURN_LINES == 0:
            await asyncio.sleep(0)
        await push(number)


async def _as_they_come(
    opened: Sequence[tuple[ContainerKey, AsyncIterator[LogLine]]],
) -> AsyncGenerator[Sourced, None]:
    queue: asyncio.Queue[Sourced | asyncio.Task[None]] = asyncio.Queue()
    room = asyncio.Semaphore(_WAITING)

    async def read(key: ContainerKey, lines: AsyncIterator[LogLine]) -> None:
        async for line in lines:
            await room.acquire()
            queue.put_nowait((key, line))

    readers = [asyncio.create_task(read(key, lines)) for key, lines in opened]
    for reader in readers:
        reader.add_done_callback(queue.put_nowait)
    try:
        left = len(readers)
        while left:
            item = await queue.get()
            if isinstance(item, asyncio.Task):
                item.result()  # an engine that is lost is told at once: the others' logs may never end
                left -= 1
            else:
                yield item
                room.release()
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
