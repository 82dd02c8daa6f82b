"""Work on large trees in slices, so that a screen is drawn between two of them, and ends when nobody waits any more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

SLICE = 500
"""Paths at a time: one to two milliseconds."""
_REST_S = 0.0002  # enough for the interpreter to change to a thread that waits for it


class Stopped(Exception):
    """Nobody wants to know any more."""


class Pace:
    """How a loop over many paths goes on.

    between: called before each slice; it may rest, or raise Stopped. None: all at once.
    """

    def __init__(self, between: Callable[[], None] | None = None) -> None:
        self._between = between

    def over(self, items: Iterable[T]) -> Iterable[T]:
        """The same items, in slices."""
        return items if self._between is None else _sliced(items, self._between)


def _sliced(items: Iterable[T], between: Callable[[], None]) -> Iterator[T]:
    for count, item in enumerate(items):
        if not count % SLICE:
            between()
        yield item


AT_ONCE = Pace()


async def in_slices(work: Callable[[Pace], T]) -> T:
    """What this gives, made in a thread that rests between slices and ends within one where the caller is cancelled."""
    ended = threading.Event()

    def between() -> None:
        if ended.is_set():
            raise Stopped
        time.sleep(_REST_S)

    try:
        return await asyncio.to_thread(work, Pace(between))
    finally:
        ended.set()


__all__ = ["AT_ONCE", "SLICE", "Pace", "Stopped", "in_slices"]
