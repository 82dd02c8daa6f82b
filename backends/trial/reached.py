"""What the copies of a trial were seen to take of GPUs, from the samples of the fleet. Samples nothing itself."""

from __future__ import annotations

import asyncio

from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from backends.model.values import Missing, Quantity

WAIT_S = 4.0
"""For a sample that is taken after a copy's work: the sampler looks each second, and a sleeping driver wakes first."""
_NO_SAMPLE = Missing(f"no sample of the GPUs came within {WAIT_S:g} s")
_NOT_THERE = Missing("no process of it was on a GPU when they were sampled")


class GpuReached:
    """The most memory (bytes) and utilization (percent) of each container, of the views that it is shown."""

    def __init__(self) -> None:
        self._most: dict[ContainerKey, tuple[float, float]] = {}
        self._view = FleetView()
        self._looked = asyncio.Event()

    def look(self, view: FleetView) -> None:
        """One more view."""
        if view.gpus is self._view.gpus:
            return
        self._view = view
        for key, use in view.gpu_use.items():
            memory, percent = self._most.get(key, (0.0, 0.0))
            if not isinstance(use.memory_bytes, Missing):
                memory = max(memory, float(use.memory_bytes))
            if not isinstance(use.sm_percent, Missing):
                percent = max(percent, use.sm_percent)
            self._most[key] = (memory, percent)
        self._looked.set()

    async def of(self, key: ContainerKey, since_s: float) -> tuple[Quantity, Quantity]:
        """What a container reached, once a sample was taken after since_s (monotonic); Missing with the reason."""
        if not self._view.gpus.readings:
            absent = Missing(self._view.gpus.absent or "no GPU was seen on this machine")
            return absent, absent
        try:
            async with asyncio.timeout(WAIT_S):
                while not self._seen(key, since_s):
                    self._looked.clear()
                    await self._looked.wait()
        except TimeoutError:
            return self._most.get(key, (_NO_SAMPLE, _NO_SAMPLE))
        return self._most.get(key, (_NOT_THERE, _NOT_THERE))

    def _seen(self, key: ContainerKey, since_s: float) -> bool:
        """A sample was taken since then, joined to containers among which it was already."""
        known = self._view.containers.get(key)
        sampled = all(one.sampled_at >= since_s for one in self._view.gpus.readings)
        return sampled and known is not None and known.state.alive


__all__ = ["GpuReached"]
