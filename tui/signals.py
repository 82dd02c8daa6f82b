"""Signals as calls on the event loop. Decides nothing: what a signal means is its user's to say."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

SIGNAL_BASE = 128
"""A program ended by signal n exits with 128 + n (POSIX shells)."""


@contextmanager
def handled(numbers: Sequence[signal.Signals], on: Callable[[signal.Signals], object]) -> Iterator[None]:
    """Within, each of these signals calls `on` in the running event loop in place of what the system would do."""
    loop = asyncio.get_running_loop()
    # Under nohup a lost terminal is to be ignored, as it was told.
    numbers = [number for number in numbers if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    for number in numbers:
        loop.add_signal_handler(number, on, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
