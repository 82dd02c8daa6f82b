"""Brings to its end what was begun at an engine, also when cancelled meanwhile. Speaks to no engine itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; a cancel is raised after that: what the engine is making must exist before it can be removed.

    An error of the work that ends after a cancel is not raised: the cancel is.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _ended(task)
        if not task.cancelled():
            task.exception()
        raise


async def held(take: Coroutine[Any, Any, T], give_back: Callable[[T], Coroutine[Any, Any, object]]) -> T:
    """What `take` takes; where cancelled meanwhile, what was taken all the same is given back before that is raised."""
    task = asyncio.ensure_future(take)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _ended(task)
        if not task.cancelled() and task.exception() is None:
            await to_its_end(give_back(task.result()))
        raise


async def _ended(task: asyncio.Future[Any]) -> None:
    """Wait for its end, however often cancelled meanwhile: the first of them is raised by the caller."""
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            continue


__all__ = ["held", "to_its_end"]
