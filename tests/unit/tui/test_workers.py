"""The end of several workers."""

from __future__ import annotations

import asyncio

from textual.app import App

from tui.workers import called_off


async def test_one_that_undoes_slowly_keeps_no_other_running() -> None:
    begun, other_ended = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await other_ended.wait()

    async def quick() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            other_ended.set()

    app: App[None] = App()
    async with app.run_test():
        workers = [app.run_worker(work(), exit_on_error=False) for work in (slow, quick)]
        await begun.wait()
        async with asyncio.timeout(10):
            await called_off(workers)
        assert all(worker.is_finished for worker in workers)
