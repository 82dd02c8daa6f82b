"""The two clocks that screens are drawn by, replaceable so that pictures and tests are the same every time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """now: the wall clock (aware), for ages. monotonic: seconds, for countdowns."""

    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
