"""Snapshots of several probes into one for each tick. Runs on the event loop; knows no probe and no store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from backends.gpu.merge import merge, silenced
from backends.model.gpu import GpuSnapshot

_FIRST_TOGETHER_S = 2.0
"""How long the first answer waits for the other probes, so that nobody is told of half of the devices as if of all."""
_NOT_YET_HINT = "wait a moment; where it never does, `dmesg` may tell why"
_SILENT_AFTER_S = 10.0
_SILENT_AFTER_TICKS = 5


class Gathering:
    """Takes what each probe said; publishes all of it together.

    A tick ends when every probe that has readings said something new, or, where one is late, an interval later: a
    driver that hangs holds the others up by that much once, and its devices are then shown as not answering.
    """

    def __init__(self, probes: Collection[str], publish: Callable[[GpuSnapshot], None], interval_s: float) -> None:
        """probes: their vendors. publish: called with each merged snapshot. interval_s: between two of a probe."""
        self._probes = tuple(probes)
        self._publish = publish
        self._interval_s = interval_s
        self._silent_after_s = max(_SILENT_AFTER_S, _SILENT_AFTER_TICKS * interval_s)
        self._parts: dict[str, GpuSnapshot] = {}
        self._taken_at: dict[str, float] = {}
        self._fresh: set[str] = set()
        self._late: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._begun = False

    def take(self, probe: str, snapshot: GpuSnapshot) -> None:
        """What a probe says now. probe: its vendor."""
        now = asyncio.get_running_loop().time()
        self._parts[probe] = snapshot
        self._taken_at[probe] = now
        self._fresh.add(probe)
        if self._awaited(now) <= self._fresh:
            self._tell()
        elif self._late is None:
            self._late = _later(self._interval_s if self._begun else _FIRST_TOGETHER_S, self._tell)

    def close(self) -> None:
        """Publish nothing more."""
        for timer in (self._late, self._watch):
            if timer is not None:
                timer.cancel()
        self._late = self._watch = None

    def _awaited(self, now: float) -> set[str]:
        """Those without whose news a tick is not whole: all at first, then those that have readings and still talk."""
        if not self._begun:
            return set(self._probes)
        return {probe for probe, part in self._parts.items() if part.readings and not self._silent(probe, now)}

    def _silent(self, probe: str, now: float) -> bool:
        return now - self._taken_at[probe] > self._silent_after_s

    def _tell(self) -> None:
        self.close()
        self._begun = True
        self._fresh.clear()
        now = asyncio.get_running_loop().time()
        if any(part.readings for part in self._parts.values()):
            # Where all of them fall silent, nobody else would say so.
            self._watch = _later(self._silent_after_s + self._interval_s, self._tell)
        self._publish(merge([self._now(probe, now) for probe in self._probes]))

    def _now(self, probe: str, now: float) -> GpuSnapshot:
        part = self._parts.get(probe)
        if part is None:
            return GpuSnapshot(absent=f"The driver of {probe} GPUs has not answered yet", hint=_NOT_YET_HINT)
        return silenced(part, now) if part.readings and self._silent(probe, now) else part


def _later(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, call)
