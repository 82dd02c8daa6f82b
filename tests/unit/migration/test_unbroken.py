"""Work in a thread that a cancellation stops, and waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from backends.migration.unbroken import stoppable


@pytest.mark.parametrize("heeds", [True, False])
async def test_a_cancellation_waits_until_the_work_has_given_up_or_is_done(*, heeds: bool) -> None:
    begun, ends, late = threading.Event(), threading.Event(), list[str]()

    def work(stopped: Callable[[], bool]) -> str:
        begun.set()
        assert ends.wait(10)
        if heeds and stopped():
            raise InterruptedError
        return "done"

    task = asyncio.create_task(stoppable(work, "work", late=late.append))
    assert await asyncio.to_thread(begun.wait, 10)
    for _ in range(2):  # the second does not leave the thread behind
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    ends.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert late == ([] if heeds else ["done"])
