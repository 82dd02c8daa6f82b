"""The thread of a worker: in order, heard or not, and never waited for at the end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from backends.engines.kubernetes_threads import Worker


async def test_acts_are_done_in_order_off_the_loop_and_raise_where_they_are_waited_for() -> None:
    worker, done = Worker("test"), list[object]()
    assert await worker.run(threading.get_ident) != threading.get_ident()

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await worker.run(fail)
    worker.end(lambda: done.append("last"))
    async with asyncio.timeout(10):
        while not done:  # noqa: ASYNC110 - the thread has no event of the loop's
            await asyncio.sleep(0.005)


async def test_who_is_cancelled_does_not_hear_and_what_follows_is_done() -> None:
    worker, begun, go_on = Worker("test"), threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        go_on.wait(10)

    waiting = asyncio.create_task(worker.run(block))
    await asyncio.to_thread(begun.wait, 10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    assert await worker.run(lambda: 7) == 7
    worker.end()


def test_a_program_ends_while_an_act_hangs() -> None:
    code = (
        "import asyncio, threading\n"
        "from backends.engines.kubernetes_threads import Worker\n"
        "async def main():\n"
        "    task = asyncio.create_task(Worker('hangs').run(threading.Event().wait))\n"
        "    await asyncio.sleep(0)\n"
        "    task.cancel()\n"
        "asyncio.run(main())\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
