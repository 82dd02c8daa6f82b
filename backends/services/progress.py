"""From counts of bytes to a speed and a time that is left, smoothed for people. Pure but for the clock it is given."""

from __future__ import annotations

import math
from collections.abc import Callable

_SMOOTHING_S = 3.0
"""Time constant of the running mean: a stall shows within seconds, a single slow read does not."""


class Pace:
    """The speed of one step. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at: float | None = None
        self._bytes = 0
        self._per_s: float | None = None

    def restart(self) -> None:
        """Another step begins, its bytes count from 0."""
        self._at, self._bytes, self._per_s = None, 0, None

    def reached(self, done_bytes: int) -> float | None:
        """Bytes per second now that so many are done; None until two moments are known."""
        now = self._clock()
        if self._at is None:
            self._at, self._bytes = now, done_bytes
            return None
        elapsed_s = now - self._at
        if elapsed_s <= 0:
            return self._per_s
        speed = max(0.0, (done_bytes - self._bytes) / elapsed_s)
        weight = 1.0 - math.exp(-elapsed_s / _SMOOTHING_S)
        self._per_s = speed if self._per_s is None else self._per_s + weight * (speed - self._per_s)
        self._at, self._bytes = now, done_bytes
        return self._per_s


def eta_s(done_bytes: int, total_bytes: int | None, bytes_per_s: float | None) -> float | None:
    """Seconds until all is done; None where the total or the speed is not known."""
    if total_bytes is None or not bytes_per_s:
        return None
    return max(0, total_bytes - done_bytes) / bytes_per_s
