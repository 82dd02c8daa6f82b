"""Which containers hold GPU memory and compute nothing, and since when. Pure; reads no clock and no settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from backends.model.gpu import GpuProcess, GpuReading, GpuSnapshot, GpuUse
from backends.model.ids import ContainerKey
from backends.model.values import Missing, Quantity

_NOBODY: Mapping[ContainerKey, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class IdleWatch:
    """since: monotonic seconds, by container. read_at: of the last snapshot, None before the first."""

    since: Mapping[ContainerKey, float] = field(default_factory=lambda: _NOBODY)
    read_at: float | None = None


def watched(before: IdleWatch, snapshot: GpuSnapshot, keys: Iterable[ContainerKey], gap_s: float) -> IdleWatch:
    """The watch after one more snapshot.

    keys: the containers to look at. gap_s: where the last snapshot is longer ago than this, nobody knows what was
    computed meanwhile, and all idleness begins anew.
    """
    if not snapshot.readings:
        return before
    now = max(reading.sampled_at for reading in snapshot.readings)
    unbroken = before.read_at is not None and now - before.read_at <= gap_s
    parts = _parts(snapshot)
    idle = [key for key in keys if key.id in parts and computes_nothing(parts[key.id])]
    since = {key: before.since.get(key, now) if unbroken else now for key in idle}
    return IdleWatch(MappingProxyType(since), now)


def with_idle(use: Mapping[ContainerKey, GpuUse], watch: IdleWatch) -> Mapping[ContainerKey, GpuUse]:
    """The uses with `idle_since` filled in."""
    return MappingProxyType({key: replace(one, idle_since=watch.since.get(key)) for key, one in use.items()})


def computes_nothing(parts: Iterable[tuple[GpuReading, GpuProcess]]) -> bool:
    """Whether these processes hold memory and each is known to compute nothing.

    Where the driver does not tell a process's use, its whole device's counts: that one is idle, so is the process.
    """
    holds = False
    for reading, process in parts:
        if not isinstance(process.memory_bytes, Missing) and process.memory_bytes > 0:
            holds = True
        own = process.sm_percent
        use: Quantity = reading.gpu_percent if isinstance(own, Missing) else own
        if isinstance(use, Missing) or use > 0:
            return False
    return holds


def _parts(snapshot: GpuSnapshot) -> dict[str, list[tuple[GpuReading, GpuProcess]]]:
    """Processes by container id, each with its device's reading."""
    parts: dict[str, list[tuple[GpuReading, GpuProcess]]] = {}
    for reading in snapshot.readings:
        for process in reading.processes:
            if process.container_id:
                parts.setdefault(process.container_id, []).append((reading, process))
    return parts
