"""Work that must not be cut in the middle by a cancellation. Never swallows one: it is passed on afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
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
