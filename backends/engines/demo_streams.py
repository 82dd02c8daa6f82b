"""The demo engine's streams: events, logs, readings, bytes. They move the world on; none outlives its reader."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from backends.engines.demo_container import DemoContainer, Run
from backends.engines.demo_faults import DemoFaults
from backends.engines.demo_stats import LOADS, reading
from backends.engines.demo_world import DemoWorld
from backends.model.container import ContainerState, LogLine, LogStream, StatsReading
from backends.model.errors import BackendError
from backends.model.events import EngineEvent
from backends.model.ids import ContainerKey
from backends.model.process import ContainerProcess

_LOOK_EVERY_S = 0.5
"""The longest sleep: a clock that a test moves by hand is noticed after that."""
CHUNK_BYTES = 64 * 1024


async def events(
    world: DemoWorld, queue: asyncio.Queue[EngineEvent | BackendError]
) -> AsyncGenerator[EngineEvent, None]:
    """Events of the queue, and the world kept moving while someone listens."""
    while True:
        world.advance()
        due_s = world.next_change_s()
        try:
            async with asyncio.timeout(min(_LOOK_EVERY_S, due_s if due_s is not None else _LOOK_EVERY_S)):
                item = await queue.get()
        except TimeoutError:
            continue
        if isinstance(item, BackendError):
            raise item
        yield item


@dataclass(frozen=True, slots=True)
class LogWish:
    """What of a log is wanted; see Engine.logs."""

    follow: bool
    tail: int | None
    timestamps: bool
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, at: datetime) -> bool:
        """Whether a line of this moment is wanted."""
        return (self.since is None or at >= self.since) and (self.until is None or at <= self.until)


async def log_lines(
    world: DemoWorld, faults: DemoFaults, container: DemoContainer, wish: LogWish
) -> AsyncGenerator[LogLine, None]:
    """A container's log."""
    world.advance()
    place, lines = _since(container, (0, 0.0), world.clock(), wish)
    for line in lines:
        yield line
    while wish.follow and container.id in world.containers and container.state.alive:
        await asyncio.sleep(0.05)
        if faults.down is not None:
            raise faults.down
        world.advance()
        place, lines = _since(container, place, world.clock(), replace(wish, tail=None))
        for line in lines:
            yield line


def _since(
    container: DemoContainer, place: tuple[int, float], now: datetime, wish: LogWish
) -> tuple[tuple[int, float], Sequence[LogLine]]:
    """Lines after a place (number of the run, seconds of it), and the place now."""
    first, since_s = place
    lines: deque[tuple[datetime, LogLine]] = deque(maxlen=wish.tail)
    for number, run in enumerate(container.runs[first:], first):
        until_s = run.elapsed_s(now)
        for said in container.program.lines(since_s, until_s):
            stream = LogStream.TTY if container.spec.tty else said.stream
            at = _moment(run, said.after_s)
            lines.append((at, LogLine(stream, said.text, at if wish.timestamps else None)))
        place, since_s = (number, until_s), 0.0
    return place, [line for at, line in lines if wish.takes(at)]


def _moment(run: Run, after_s: float) -> datetime:
    return run.started_at + timedelta(seconds=after_s)


async def readings(
    world: DemoWorld, faults: DemoFaults, wanted: Sequence[str], interval_s: float, memory_bytes: int
) -> AsyncGenerator[Sequence[StatsReading], None]:
    """A batch of readings of those that have processes, now and every interval_s."""
    ids = frozenset(wanted)
    while True:
        if faults.down is not None:
            raise faults.down
        world.advance()
        at_s = world.clock().timestamp()
        yield [
            reading(
                ContainerKey(world.engine, one.id),
                one.load,
                at_s,
                time.monotonic(),
                limit_bytes=one.spec.memory_bytes or memory_bytes,
                frozen=one.state is ContainerState.PAUSED,
            )
            for one in world.containers.values()
            if one.id in ids and one.state in {ContainerState.RUNNING, ContainerState.PAUSED}
        ]
        await asyncio.sleep(interval_s)


def processes(container: DemoContainer, now: datetime) -> tuple[ContainerProcess, ...]:
    """Its processes: the first one, and workers that share its load."""
    load = LOADS[container.load]
    days, rest = divmod(int(container.elapsed_s(now)), 86_400)
    elapsed = f"{days}-{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"  # as `ps` writes it
    first = int(container.id[:6], 16) % 400_000 + 1000
    workers = max(1, min(load.processes - 1, 8))
    words = " ".join(container.argv)
    return tuple(
        ContainerProcess(
            first + number,
            container.spec.user or "root",
            round(load.cpu_percent / (workers + 1) / (1 + number % 3), 1),
            load.memory_bytes // (workers + 1),
            elapsed,
            words if number == 0 else f"{words} (worker {number})",
        )
        for number in range(workers + 1)
    )


async def chunks(content: bytes) -> AsyncGenerator[bytes, None]:
    """Bytes in pieces, giving way to others between them."""
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]
        await asyncio.sleep(0)
