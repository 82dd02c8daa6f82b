"""Says an operation's end once: the bridge tells of those that are tracked, workers of the rest. Draws nothing."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from backends.model.errors import BackendError

if TYPE_CHECKING:
    from backends.services.operations import Operations


async def told(operations: Operations, call: Awaitable[object]) -> None:
    """Wait for it. How a tracked operation ended is told by the bridge; other errors come out at the app."""
    ended: list[BackendError | None] = []
    end = operations.subscribe(lambda update: ended.append(update.error))
    try:
        await call
    except BackendError as error:
        if not any(error is one for one in ended):
            raise
    finally:
        end()


__all__ = ["told"]
