"""Counts bytes that pass and says at most ten times a second how far it is. May not touch what passes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

INTERVAL_S = 0.1
"""Between two reports: a person sees no more, and the screen draws no more than ten frames a second."""

WINDOW_S = 5.0
"""The rate is that of the last seconds: short enough to follow, long enough not to jump."""


@dataclass(frozen=True, slots=True)
class Flow:
    """How much has passed. bytes_per_s, eta_s: None where not known yet; total_bytes: None where unknown."""

    done_bytes: int
    total_bytes: int | None
    bytes_per_s: float | None
    eta_s: float | None


class Meter:
    """Counts bytes against an estimated total.

    total_bytes: an estimate, None = unknown; where more passes than estimated, the total becomes unknown.
    clock: seconds, monotonic.
    """

    def __init__(self, total_bytes: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total_bytes
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque([(clock(), 0)])
        self._reported_at = float("-inf")
        self.done_bytes = 0

    def count(self, size: int) -> bool:
        """Count more bytes; returns whether it is time for a report."""
        self.done_bytes += size
        now = self._clock()
        if now - self._reported_at < INTERVAL_S:
            return False
        self._reported_at = now
        self._samples.append((now, self.done_bytes))
        while len(self._samples) > 2 and now - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()
        return True

    def flow(self) -> Flow:
        """Where it stands now."""
        since, before = self._samples[0]
        elapsed = self._clock() - since
        rate = (self.done_bytes - before) / elapsed if elapsed > 0 and self.done_bytes > before else None
        total = self._total if self._total is not None and self.done_bytes <= self._total else None
        eta_s = (total - self.done_bytes) / rate if rate and total is not None else None
        return Flow(self.done_bytes, total, rate, eta_s)


async def metered(
    chunks: AsyncIterator[bytes],
    meter: Meter,
    report: Callable[[Flow], None],
    tap: Callable[[bytes], Awaitable[None]] | None = None,
) -> AsyncGenerator[bytes, None]:
    """The same chunks, counted on their way; tap: sees each before it goes on."""
    async for chunk in chunks:
        if tap is not None:
            await tap(chunk)
        yield chunk
        if meter.count(len(chunk)):
            report(meter.flow())
