"""Threads for what blocks, that are never waited for at the end of the program. Know no client.

The pools of the standard library are joined when Python ends: a server that hangs would keep a person who has left for
as long as its sockets wait. And a pool is filled by slow calls, which then hold up all others.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar, cast

T = TypeVar("T")
_Task = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Worker:
    """One daemon thread. `run` may be cancelled: the act goes on, and nobody hears how it ends. Call `end` at last."""

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, act: Callable[[], T]) -> T:
        """Do it after what was asked for before; raises what it raises."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._tasks.put((act, loop, future))
        return cast(T, await future)

    def end(self, last: Callable[[], object] | None = None) -> None:
        """No more will come. last: what is done at the end, whose outcome nobody hears."""
        if last is not None:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Any] = loop.create_future()
            future.cancel()
            self._tasks.put((last, loop, future))
        self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            act, loop, future = task
            try:
                result, error = act(), None
            except BaseException as raised:  # noqa: BLE001 - it is raised where it is waited for
                result, error = None, raised
            _tell(loop, future, result, error)
            del task, act, future, result, error


async def in_thread(name: str, act: Callable[[], T]) -> T:
    """Do it in a thread of its own; a caller who is cancelled does not wait for its end."""
    worker = Worker(name)
    try:
        return await worker.run(act)
    finally:
        worker.end()


def _tell(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], result: object, error: BaseException | None
) -> None:
    def settle() -> None:
        if future.done():
            return  # who waited for it was cancelled
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    if not loop.is_closed():
        try:
            loop.call_soon_threadsafe(settle)
        except RuntimeError:
            return  # it was closed just now: nobody is left to hear


__all__ = ["Worker", "in_thread"]
