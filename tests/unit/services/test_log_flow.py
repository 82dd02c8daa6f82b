"""Logs followed, merged and read upwards: in order, bounded, and nothing is left out that is not said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from backends.engine import Engine
from backends.model.container import LogLine, LogStream
from backends.model.errors import Unreachable
from backends.model.ids import ContainerKey
from backends.services.log_flow import FRAME_LINES, LogBatch, LogEnd, LogFlow
from backends.services.log_merge import LogWish, merged
from backends.services.log_pages import LogPages
from tests.unit.services.fleet_facts import ONE

START = datetime(2026, 1, 1, tzinfo=UTC)
A, B = ContainerKey(ONE, "a" * 64), ContainerKey(ONE, "b" * 64)


def written(count: int, *, every_s: float = 1.0, first_s: float = 0.0, word: str = "line") -> list[LogLine]:
    """Lines at a steady pace."""
    return [
        LogLine(LogStream.STDOUT, f"{word} {n}", START + timedelta(seconds=first_s + n * every_s)) for n in range(count)
    ]


class Written:
    """An engine that has logs only. more: lines that come while it is followed; breaks: how a followed log ends."""

    def __init__(self, **logs: Sequence[LogLine]) -> None:
        self.lines = {f"{name}" * 64: list(lines) for name, lines in logs.items()}
        self.more: list[LogLine] = []
        self.breaks: Unreachable | None = None
        self.asked: list[int | None] = []

    @asynccontextmanager
    async def logs(
        self,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        **_: Any,
    ) -> AsyncIterator[AsyncIterator[LogLine]]:
        self.asked.append(tail)
        lines = self.lines[container][-tail:] if tail else self.lines[container]

        async def read() -> AsyncIterator[LogLine]:
            for line in [*lines, *(self.more if follow else ())]:
                assert line.at is not None
                if (since is None or line.at >= since) and (until is None or line.at <= until):
                    yield line
            if follow and self.breaks:
                raise self.breaks

        yield read()

    def sources(self, *keys: ContainerKey) -> list[tuple[ContainerKey, Engine]]:
        """For a flow."""
        return [(key, cast(Engine, self)) for key in keys]


async def flowed(flow: LogFlow) -> tuple[list[LogBatch], list[LogEnd]]:
    """All that a flow hands on."""
    batches, ends = list[LogBatch](), list[LogEnd]()
    async with asyncio.timeout(20):
        await flow.run(batches.append, ends.append)
    return batches, ends


async def test_a_burst_is_handed_on_whole_and_a_flood_says_what_it_leaves_out() -> None:
    engine = Written(a=written(3 * FRAME_LINES))
    batches, ends = await flowed(LogFlow(engine.sources(A), tail=5 * FRAME_LINES))
    assert [line.text for batch in batches for _, line in batch.lines] == [f"line {n}" for n in range(3 * FRAME_LINES)]
    assert max(len(batch.lines) for batch in batches) == FRAME_LINES
    assert [(end.container, end.error) for end in ends] == [(A, None)]

    flood = Written(a=written(90_000, every_s=0.001))
    batches, _ = await flowed(LogFlow(flood.sources(A), tail=100_000))
    shown = sum(len(batch.lines) for batch in batches)
    left_out = sum(batch.left_out.get(A, 0) for batch in batches)
    assert shown + left_out == 90_000
    assert left_out > 0
    assert batches[-1].lines[-1][1].text == "line 89999"


async def test_tails_of_several_are_in_order_and_one_goes_on_where_it_ended() -> None:
    engine = Written(a=written(20), b=written(2000, every_s=0.01, first_s=0.005, word="other"))
    batches, ends = await flowed(LogFlow(engine.sources(A, B), tail=500))
    lines = [line for batch in batches for _, line in batch.lines]
    assert [line.at for line in lines] == sorted(line.at for line in lines if line.at)
    early = [line for batch in batches for _, line in batch.early]
    assert [line.text for line in early] == [f"line {n}" for n in range(16)]  # B's tail reaches back 5 of its 20 s
    after = {end.container: end.last for end in ends}[A]
    assert after is not None
    assert (after.at, after.lines) == (START + timedelta(seconds=19), 1)
    engine.lines[A.id].append(LogLine(LogStream.STDOUT, "at once", after.at))  # Podman tells whole seconds
    engine.lines[A.id].append(LogLine(LogStream.STDOUT, "later", after.at + timedelta(seconds=1)))
    batches, _ = await flowed(LogFlow(engine.sources(A), tail=500, after={A: after}))
    assert [line.text for batch in batches for _, line in batch.lines] == ["at once", "later"]


async def test_a_log_that_breaks_says_so_and_the_other_goes_on() -> None:
    engine = Written(a=written(3))
    engine.breaks = Unreachable("gone", engine=ONE)
    batches, ends = await flowed(LogFlow(engine.sources(A), tail=10))
    assert sum(len(batch.lines) for batch in batches) == 3
    assert ends[0].error is engine.breaks


async def test_pages_go_up_to_the_beginning_each_line_once() -> None:
    same = [LogLine(LogStream.STDOUT, f"tie {n}", START + timedelta(seconds=4000)) for n in range(7)]
    engine = Written(a=[*written(4000), *same, *written(5, first_s=5000, word="end")])
    pages = LogPages(engine.sources(A))
    known = [(A, line) for line in engine.lines[A.id][-8:]]  # three of the seven of one moment
    pages.know(known)
    while not pages.ended:
        engine.lines[A.id].append(LogLine(LogStream.STDOUT, "new", START + timedelta(days=1)))  # it grows meanwhile
        known = [*await pages.older(1000), *known]
    texts = [line.text for _, line in known]
    assert texts == [line.text for line in engine.lines[A.id] if line.text != "new"]
    assert max(asked or 0 for asked in engine.asked) < 40_000


async def test_pages_of_several_leave_no_line_to_come_in_between() -> None:
    engine = Written(a=written(30, every_s=10.0), b=written(3000, every_s=0.1, first_s=0.05, word="other"))
    pages = LogPages(engine.sources(A, B))
    shown = [(B, engine.lines[B.id][-1])]
    pages.know(shown)
    pages.hold([(A, engine.lines[A.id][-1])])  # older than what is shown of B
    while not pages.ended:
        shown = [*await pages.older(200), *shown]
    moments = [line.at for _, line in shown]
    assert len(shown) == 3030
    assert moments == sorted(at for at in moments if at)


@pytest.mark.parametrize("follow", [False, True])
async def test_merged_for_a_pipe_is_complete(follow: bool) -> None:
    engine = Written(a=written(300), b=written(50, every_s=6.0, first_s=0.5, word="other"))
    got = [line async for line in merged(engine.sources(A, B), LogWish(follow=follow))]
    assert sorted(line.text for _, line in got) == sorted(one.text for lines in engine.lines.values() for one in lines)
    if not follow:
        assert [line.at for _, line in got] == sorted(line.at for _, line in got if line.at)
    engine.breaks = Unreachable("gone", engine=ONE)
    with pytest.raises(Unreachable):
        [line async for line in merged(engine.sources(A, B), LogWish(follow=True))]


async def test_an_engine_that_is_lost_is_told_though_the_other_log_goes_on() -> None:
    class Quiet(Written):
        @asynccontextmanager
        async def logs(self, container: str, **_: Any) -> AsyncIterator[AsyncIterator[LogLine]]:
            async def read() -> AsyncIterator[LogLine]:
                await asyncio.Event().wait()
                yield self.lines[container][0]

            yield read()

    lost = Written(a=written(3))
    lost.breaks = Unreachable("gone", engine=ONE)
    both = [*lost.sources(A), *Quiet(b=written(1)).sources(B)]
    seen = list[str]()

    async def read() -> None:
        async for _, line in merged(both, LogWish(follow=True)):
            seen.append(line.text)

    async with asyncio.timeout(20):
        with pytest.raises(Unreachable):
            await read()
    assert seen == ["line 0", "line 1", "line 2"]
