"""GPU readings into the store, joined to the containers that it knows. Names no vendor's probe."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from functools import partial
from typing import Protocol

from backends.gpu.probe import GpuProbe, use_by_container, with_cdi_names
from backends.gpu.sampler import GpuSampler, GpuTiming
from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.gpu import GpuSnapshot
from backends.model.ids import ContainerKey
from backends.services.changes import GpusSampled
from backends.services.gpu_gathering import Gathering
from backends.services.gpu_idle import IdleWatch, watched, with_idle
from backends.services.gpu_traces import Recording, recorded
from backends.services.store import Store

_log = logging.getLogger(__name__)

_GAP_S = 3.0
_GAP_TICKS = 3
_BUG = "Reading these GPUs failed inside Tranship"
_BUG_HINT = "this is a bug: please report it with the log"


def gap_s(interval_s: float) -> float:
    """Seconds between two readings above which nobody knows what was in between."""
    return max(_GAP_S, _GAP_TICKS * interval_s)


class Recorder(Protocol):
    """Who adds up what containers take of GPUs."""

    @property
    def note(self) -> str:
        """Why nothing is written down, "" where it is."""

    def take(self, snapshot: GpuSnapshot, containers: Mapping[ContainerKey, Container]) -> None:
        """One more snapshot; returns at once."""

    async def close(self) -> None:
        """Write down what is left."""


async def sample_gpus(
    store: Store,
    probes: Mapping[str, GpuProbe],
    *,
    timing: GpuTiming | None = None,
    earlier: Callable[[], Iterable[GpuSnapshot]] = tuple,
    recorder: Recorder | None = None,
) -> None:
    """Sample all probes (by vendor) until cancelled, each in a thread of its own, applying one GpusSampled a tick.

    An absent driver is a snapshot that says why; a bug in one probe is such a reason too, and the others go on.
    earlier: snapshots of before, oldest first (of the demo); called in a thread. recorder: told of each snapshot.
    """
    timing = timing or GpuTiming()
    past = _Past(gap_s(timing.interval_s))
    await asyncio.to_thread(past.fill, earlier, store.view)

    def publish(snapshot: GpuSnapshot) -> None:
        view = store.view
        if recorder is not None:
            recorder.take(snapshot, view.containers)
            if recorder.note:
                snapshot = replace(snapshot, notes=(*snapshot.notes, recorder.note))
        store.apply(past.change(with_cdi_names(snapshot, cdi_names(view)), view))

    gathering = Gathering(probes, publish, timing.interval_s)
    try:
        async with asyncio.TaskGroup() as group:
            for vendor, probe in probes.items():
                group.create_task(_sample(store, probe, partial(gathering.take, vendor), timing))
    finally:
        gathering.close()
        if recorder is not None:
            await recorder.close()


class _Past:
    """What is remembered from one snapshot to the next."""

    def __init__(self, gap_s: float) -> None:
        self._gap_s = gap_s
        self._recording = Recording()
        self._idle = IdleWatch()

    def fill(self, earlier: Callable[[], Iterable[GpuSnapshot]], view: FleetView) -> None:
        """Remember these; they may lie as far apart as they like."""
        for snapshot in earlier():
            self._recording = recorded(self._recording, snapshot, float("inf"))
            self._idle = watched(self._idle, snapshot, view.containers, float("inf"))

    def change(self, snapshot: GpuSnapshot, view: FleetView) -> GpusSampled:
        """The change that this snapshot makes."""
        self._recording = recorded(self._recording, snapshot, self._gap_s)
        self._idle = watched(self._idle, snapshot, view.containers, self._gap_s)
        use = use_by_container(snapshot, view.containers)
        return GpusSampled(snapshot, with_idle(use, self._idle), self._recording.traces())


async def _sample(store: Store, probe: GpuProbe, take: Callable[[GpuSnapshot], None], timing: GpuTiming) -> None:
    def known() -> Set[str]:  # called in the sampler's thread: a view never changes
        return {key.id for key in store.view.containers}

    try:
        await GpuSampler(probe, take, known=known, timing=timing).run()
    except Exception as bug:  # noqa: BLE001 - it is logged and shown; the other vendors' GPUs are read on
        _log.exception("sampling of %s ended", type(probe).__name__)
        take(GpuSnapshot(absent=f"{_BUG} ({bug!r})", hint=_BUG_HINT))


def cdi_names(view: FleetView) -> set[str]:
    """CDI names that engines of this machine tell."""
    infos = (engine.info for engine in view.engines.values())
    return {name for info in infos if info is not None and info.local for name in info.cdi_devices}
