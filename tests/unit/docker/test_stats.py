"""Docker's stats messages as readings; nothing that Docker does not tell becomes 0."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.docker_stats import StatsReader, merged, working_set_bytes
from backends.model.errors import NotFound, Unreachable
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Missing
from tests.unit.docker.recorded import recorded

KEY = ContainerKey(EngineId(EngineKind.DOCKER, "docker"), "a" * 64)


def message(second: int = 0, **changes: Any) -> dict[str, Any]:
    item = copy.deepcopy(recorded("stats.26.1"))
    item["read"] = f"2026-11-23T14:00:{second:02}.000000000Z"
    return {**item, **changes}


def test_the_first_message_has_no_rates() -> None:
    reading = StatsReader(KEY).read(message(), 1.0)
    assert reading is not None
    assert isinstance(reading.cpu_percent, Missing)
    assert isinstance(reading.memory_bytes, int)
    assert reading.processes == 1


@given(st.integers(0, 64 * 10**9), st.integers(1, 50))
def test_cpu_is_percent_of_one_core(busy_ns: int, seconds: int) -> None:
    reader = StatsReader(KEY)
    reader.read(message(0, cpu_stats={"cpu_usage": {"total_usage": 7}}), 0.0)
    reading = reader.read(message(seconds, cpu_stats={"cpu_usage": {"total_usage": 7 + busy_ns}}), 1.0)
    assert reading is not None
    assert reading.cpu_percent == pytest.approx(busy_ns / seconds / 1e9 * 100)


def test_rates() -> None:
    reader = StatsReader(KEY)
    blocks = {"io_service_bytes_recursive": [{"op": "Read", "value": 100}, {"op": "write", "value": 0}]}
    reader.read(message(0, networks={"eth0": {"rx_bytes": 10, "tx_bytes": 0}}, blkio_stats=blocks), 0.0)
    blocks = {"io_service_bytes_recursive": [{"op": "Read", "value": 300}, {"op": "write", "value": 50}]}
    networks = {"eth0": {"rx_bytes": 30, "tx_bytes": 2}, "eth1": {"rx_bytes": 0, "tx_bytes": 0}}
    reading = reader.read(message(2, networks=networks, blkio_stats=blocks), 1.0)
    assert reading is not None
    assert (reading.net_rx_bytes_per_s, reading.net_tx_bytes_per_s) == (10.0, 1.0)
    assert (reading.block_read_bytes_per_s, reading.block_write_bytes_per_s) == (100.0, 25.0)


def test_what_is_not_told_is_missing() -> None:
    reader = StatsReader(KEY)
    for second in (0, 1):
        bare = message(second, networks=None, blkio_stats={}, memory_stats={}, pids_stats={}, cpu_stats={})
        reading = reader.read(bare, 0.0)
    assert reading is not None
    for field in ("cpu_percent", "memory_bytes", "memory_limit_bytes", "net_rx_bytes_per_s", "processes"):
        assert isinstance(getattr(reading, field), Missing), field


def test_a_container_that_does_not_run_gives_no_reading() -> None:
    assert StatsReader(KEY).read(message(read="0001-01-01T00:00:00Z"), 0.0) is None


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ({"usage": 100, "stats": {"total_inactive_file": 30, "inactive_file": 1}}, 70),
        ({"usage": 100, "stats": {"inactive_file": 40}}, 60),
        ({"usage": 100, "stats": {"inactive_file": 100}}, 100),
        ({"usage": 100}, 100),
    ],
)
def test_working_set(memory: dict[str, Any], expected: int) -> None:
    assert working_set_bytes(memory) == expected


def opener(texts: dict[str, Any]) -> Any:
    @asynccontextmanager
    async def open_stream(container: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async def chunks() -> AsyncIterator[bytes]:
            for item in texts[container]:
                if isinstance(item, Exception):
                    raise item
                yield json.dumps(item).encode() + b"\n"

        if isinstance(texts[container], Exception):
            raise texts[container]
        yield chunks()

    return open_stream


async def test_streams_are_merged() -> None:
    keys = [ContainerKey(KEY.engine, letter * 64) for letter in "ab"]
    texts = {key.id: [message(0), message(1)] for key in keys}
    async with merged(keys, opener(texts), 0.01, nullcontext) as batches:
        readings = [reading async for batch in batches for reading in batch]
    assert {reading.key for reading in readings} == set(keys)


async def test_one_that_goes_away_ends_alone() -> None:
    keys = [ContainerKey(KEY.engine, letter * 64) for letter in "ab"]
    texts = {keys[0].id: NotFound("gone"), keys[1].id: [message(0)]}
    async with merged(keys, opener(texts), 0.01, nullcontext) as batches:
        assert [reading.key async for batch in batches for reading in batch] == [keys[1]]


async def test_a_broken_stream_raises() -> None:
    texts = {KEY.id: [message(0), Unreachable("broke off")]}
    async with merged([KEY], opener(texts), 0.01, nullcontext) as batches:
        with pytest.raises(Unreachable):
            [batch async for batch in batches]


async def test_leaving_ends_all_streams() -> None:
    before = asyncio.all_tasks()
    held = asyncio.Event()

    @asynccontextmanager
    async def open_stream(_container: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async def chunks() -> AsyncIterator[bytes]:
            yield json.dumps(message(0)).encode() + b"\n"
            await held.wait()

        yield chunks()

    async with merged([KEY], open_stream, 0.01, nullcontext) as batches:
        async for _ in batches:
            break
        await batches.aclose()  # type: ignore[attr-defined]  # it is a generator; the type says iterator only
    assert asyncio.all_tasks() == before
