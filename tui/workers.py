"""What those who start workers on behalf of the screens share. Starts none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from textual.message import Message
from textual.worker import Worker, WorkerCancelled, WorkerFailed

Reply = Callable[[Message], object]
"""Hands a message to whoever asked."""


class Work(Protocol):
    """Starts a worker of the app; exclusive: it takes the place of an earlier one of its group."""

    def __call__(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, name: str, group: str, exclusive: bool = False
    ) -> Worker[None]:
        """The worker, begun."""


async def called_off(workers: Iterable[Worker[None]]) -> None:
    """Cancel those that run, all of them before any is waited for; wait until each has undone what it had made."""
    running = [worker for worker in workers if not worker.is_finished]
    for worker in running:
        worker.cancel()
    await ended(running)


async def ended(workers: Iterable[Worker[None]]) -> None:
    """Wait until all have ended, however they did: a failure is told by the handler of all workers."""
    await asyncio.gather(*(_end_of(worker) for worker in workers))


async def _end_of(worker: Worker[None]) -> None:
    try:
        await worker.wait()
    except (WorkerCancelled, WorkerFailed):
        return


__all__ = ["Reply", "Work", "called_off", "ended"]
