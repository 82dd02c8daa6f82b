"""Work that must not be cut in the middle by a cancellation. Never swallows one: it is passed on afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


async def unbroken(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run work to its end even where the caller is cancelled meanwhile; then raises the cancellation.

    Where the work failed as well, its error is the cancellation's __cause__.
    """
    task = asyncio.create_task(work, name="unbroken")
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        failure = None if task.cancelled() else task.exception()
        raise cancelled from failure
    return task.result()


async def ended(task: asyncio.Task[Any]) -> None:
    """Wait for it, whatever happens meanwhile; how it ended is its waiter's to ask."""

    async def wait() -> None:
        await asyncio.wait([task])

    await unbroken(wait())
    task.exception()


async def stoppable(
    work: Callable[[Callable[[], bool]], _Result], name: str, *, late: Callable[[_Result], object] | None = None
) -> _Result:
    """Do work in a thread that gives it up where the caller is cancelled; the cancellation waits for that.

    work: gets a function that says whether to give up; it then raises InterruptedError. late: gets what the work
    returned all the same.
    """
    given_up = False
    task = asyncio.create_task(asyncio.to_thread(work, lambda: given_up), name=name)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        given_up = True
        try:
            await ended(task)
        finally:
            if task.exception() is None and late is not None:
                late(task.result())
        raise
