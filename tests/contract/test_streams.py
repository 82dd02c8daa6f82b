"""Events and logs: what they bring, and that leaving them leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backends.model.capabilities import Capability
from backends.model.container import LogLine, LogStream
from backends.model.errors import Unsupported
from backends.model.events import EngineEvent, EventKind
from tests.contract.conftest import CLUSTER, EVERY
from tests.contract.lab import BUSYBOX, Lab, eventually

pytestmark = pytest.mark.one_podman


async def test_each_action_is_followed_by_an_event_that_names_the_container(lab: Lab) -> None:
    engine, heard = lab.engine, list[EngineEvent]()

    async def follows(action: Awaitable[object], id: str) -> None:
        before = len(heard)
        await action

        async def came() -> bool:
            return any(event.id == id for event in heard[before:])

        await eventually(came)

    async with engine.subscribe() as events:
        listening = asyncio.create_task(_listen(heard, events))
        try:
            made = await lab.make()
            await follows(engine.start(made), made)
            await follows(engine.rename(made, lab.name()), made)
            await follows(engine.stop(made, timeout_s=5), made)
            await follows(engine.remove(made), made)
            volume = await lab.volume()
            await eventually(lambda: _named(heard, volume))
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    mine = [event for event in heard if event.id == made]
    assert mine[0].kind is EventKind.CONTAINER
    assert {event.engine for event in heard} == {engine.id}
    assert all(abs(event.at - datetime.now(UTC)) < timedelta(minutes=2) for event in mine)


async def _named(heard: list[EngineEvent], volume: str) -> bool:
    return any(event.kind is EventKind.VOLUME and volume in (event.id, event.name) for event in heard)


async def _listen(heard: list[EngineEvent], events: Any) -> None:
    async for event in events:
        heard.append(event)


async def _lines(lab: Lab, container: str, **how: Any) -> list[LogLine]:
    async with asyncio.timeout(15), lab.engine.logs(container, **how) as lines:
        return [line async for line in lines]


async def test_logs_have_their_streams_and_their_order(lab: Lab) -> None:
    made = await lab.said("echo one; echo wrong >&2; echo two; echo three")
    lines = await _lines(lab, made)
    assert [line.text for line in lines if line.stream is LogStream.STDOUT] == ["one", "two", "three"]
    assert [line.text for line in lines if line.stream is LogStream.STDERR] == ["wrong"]
    assert {line.at for line in lines} == {None}
    stamped = await _lines(lab, made, timestamps=True)
    moments = [line.at for line in stamped if line.stream is LogStream.STDOUT]
    assert [line.text for line in stamped if line.stream is LogStream.STDOUT] == ["one", "two", "three"]
    assert all(at is not None and abs(at - datetime.now(UTC)) < timedelta(minutes=2) for at in moments)


@pytest.mark.parametrize("engine", EVERY, indirect=True)
async def test_a_tail_is_the_last_lines(lab: Lab) -> None:
    made = await lab.said("echo one; echo two; echo three")
    assert [line.text for line in await _lines(lab, made, tail=2)] == ["two", "three"]
    assert await _lines(lab, made, tail=0) == []


@pytest.mark.parametrize("engine", EVERY, indirect=True)
async def test_since_and_until_are_moments_of_the_last_lines(lab: Lab) -> None:
    made = await lab.said("echo one; sleep 1.1; echo two; sleep 1.1; echo three")
    moments = {line.text: line.at for line in await _lines(lab, made, timestamps=True)}
    at = moments["two"]
    assert [line.text for line in await _lines(lab, made, since=at)] == ["two", "three"]
    assert [line.text for line in await _lines(lab, made, until=at)] == ["one", "two"]
    assert [line.text for line in await _lines(lab, made, since=at, until=at)] == ["two"]
    assert await _lines(lab, made, tail=1, until=at) == []


async def test_a_terminal_has_one_stream(lab: Lab) -> None:
    made = await lab.said("echo one; echo two >&2", tty=True)
    assert [(line.stream, line.text) for line in await _lines(lab, made)] == [
        (LogStream.TTY, "one"),
        (LogStream.TTY, "two"),
    ]


@pytest.mark.parametrize("engine", EVERY, indirect=True)
async def test_following_brings_what_is_said_later_and_ends_with_the_container(lab: Lab) -> None:
    made = await lab.run(("sh", "-c", "echo one; sleep 0.7; echo two"))
    seen = list[str]()
    async with asyncio.timeout(15), lab.engine.logs(made, follow=True) as lines:
        async for line in lines:
            seen.append(line.text)
    assert seen == ["one", "two"]


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


_STREAMS: dict[str, Callable[[Lab, str], AbstractAsyncContextManager[Any]]] = {
    "events": lambda lab, _: lab.engine.subscribe(),
    "logs": lambda lab, made: lab.engine.logs(made, follow=True),
    "export": lambda lab, _: lab.engine.export_image(BUSYBOX),
}


@pytest.mark.parametrize("stream", list(_STREAMS))
async def test_cancelled_amid_a_stream_nothing_is_left(lab: Lab, stream: str) -> None:
    await _cancelled_amid(lab, stream)


@pytest.mark.parametrize("stream", ["events", "logs"])
@pytest.mark.parametrize("engine", [CLUSTER], indirect=True)
async def test_nor_of_a_stream_of_a_cluster(lab: Lab, stream: str) -> None:
    await _cancelled_amid(lab, stream)


async def _cancelled_amid(lab: Lab, stream: str) -> None:
    made = await lab.run(("sh", "-c", "echo one; sleep 60"))
    await lab.engine.inspect_container(made)
    tasks, descriptors = asyncio.all_tasks(), _descriptors()
    entered = asyncio.Event()

    async def read() -> None:
        async with _STREAMS[stream](lab, made) as items:
            entered.set()
            async for _ in items:
                if stream == "export":
                    break
            await asyncio.get_running_loop().create_future()

    reading = asyncio.create_task(read())
    await asyncio.wait_for(entered.wait(), 15)
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    async def clean() -> bool:
        return asyncio.all_tasks() <= tasks and _descriptors() <= descriptors

    await eventually(clean)
    assert (await lab.engine.inspect_container(made)).key.id == made


@pytest.mark.parametrize("engine", EVERY, indirect=True)
async def test_stats_are_read_or_refused_with_a_reason(lab: Lab) -> None:
    made = await lab.run()
    if not lab.can(Capability.STATS_API):
        with pytest.raises(Unsupported):
            await _first_numbers(lab, made)
        assert lab.info.capabilities.why_not(Capability.STATS_API)
        return
    cpu, memory = await asyncio.wait_for(_first_numbers(lab, made), 20)
    assert 0 <= cpu < 1000
    assert 0 < memory < 1 << 40


async def _first_numbers(lab: Lab, made: str) -> tuple[float, int]:
    async with lab.engine.stats([made], interval_s=0.5) as batches:
        async for batch in batches:
            for reading in batch:
                assert reading.key.id == made
                if isinstance(reading.cpu_percent, float) and isinstance(reading.memory_bytes, int):
                    return reading.cpu_percent, reading.memory_bytes
    raise AssertionError("the stream ended without a reading")


async def test_a_limit_is_seen_in_the_recipe_where_it_is_enforced(lab: Lab) -> None:
    if not lab.can(Capability.RESOURCE_LIMITS):
        assert lab.info.capabilities.why_not(Capability.RESOURCE_LIMITS)
        return
    made = await lab.run(spec=replace(lab.spec(), memory_bytes=64 << 20, cpus_nano=500_000_000))
    recipe = await lab.engine.workload_spec(made)
    assert (recipe.memory_bytes, recipe.cpus_nano) == (64 << 20, 500_000_000)
