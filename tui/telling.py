"""Says an operation's end once: the bridge tells of those that are tracked, workers of the rest. Draws nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from backends.model.errors import BackendError

if TYPE_CHECKING:
    from backends.model.image_files import ReadProgress
    from backends.services.operations import Operations


TELL_EVERY_S = 0.1


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


def seldom(tell: Callable[[ReadProgress], object]) -> Callable[[ReadProgress], None]:
    """Tells of a reading at most so often as is worth drawing; what comes between is left out."""
    next_s = 0.0

    def hear(progress: ReadProgress) -> None:
        nonlocal next_s
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + TELL_EVERY_S
            tell(progress)

    return hear


__all__ = ["TELL_EVERY_S", "seldom", "told"]
