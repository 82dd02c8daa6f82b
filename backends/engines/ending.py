"""Brings to its end what was begun at an engine, also when cancelled meanwhile. Speaks to no engine itself."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
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
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise


__all__ = ["to_its_end"]
