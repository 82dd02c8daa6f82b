"""The coalescer: the first view at once, never more than one in a frame, the newest always last."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from backends.model.fleet import FleetView
from tui.bridge import Coalescer

FRAME_S = 0.01


async def _emitted(pauses: list[float]) -> tuple[list[int], list[float]]:
    """Versions that come out, and when, if version n is put in after the n-th pause."""
    loop = asyncio.get_running_loop()
    versions: list[int] = []
    times: list[float] = []
    last = asyncio.Event()

    def emit(view: FleetView) -> None:
        versions.append(view.version)
        times.append(loop.time())
        if view.version == len(pauses):
            last.set()

    coalescer = Coalescer(emit, frame_s=FRAME_S)
    for number, pause in enumerate(pauses, start=1):
        coalescer.take(FleetView(version=number))
        await asyncio.sleep(pause)
    async with asyncio.timeout(10):
        await last.wait()
    coalescer.close()
    return versions, times


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.002, 0.015]), min_size=1, max_size=30))
def test_newest_last_in_order_and_one_per_frame(pauses: list[float]) -> None:
    versions, times = asyncio.run(_emitted(pauses))
    assert versions[0] == 1
    assert versions[-1] == len(pauses)
    assert versions == sorted(set(versions))
    # The loop's timers are exact to its clock's resolution.
    assert all(later - earlier >= FRAME_S - 0.002 for earlier, later in pairwise(times))


async def test_nothing_comes_after_close() -> None:
    seen: list[int] = []
    coalescer = Coalescer(lambda view: seen.append(view.version), frame_s=FRAME_S)
    coalescer.take(FleetView(version=1))
    await asyncio.sleep(0)
    coalescer.take(FleetView(version=2))
    coalescer.close()
    await asyncio.sleep(2 * FRAME_S)
    assert seen == [1]


async def test_what_comes_in_one_turn_of_the_loop_is_one_frame() -> None:
    seen: list[int] = []
    coalescer = Coalescer(lambda view: seen.append(view.version), frame_s=FRAME_S)
    coalescer.take(FleetView(version=1))
    coalescer.take(FleetView(version=2))
    await asyncio.sleep(0)
    coalescer.close()
    assert seen == [2]
