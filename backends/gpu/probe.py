"""What a probe of GPUs is, and the pure join of its processes to containers. Imports no vendor's library."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol, TypeVar

from backends.model.errors import BackendError
from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot, GpuUse
from backends.model.ids import ContainerKey
from backends.model.values import Count, Missing, Quantity

_Number = TypeVar("_Number", int, float)


class GpuAbsent(BackendError):
    """There is nothing to read: no driver, no device, no permission. title: why; hint: the next step."""


class GpuProbe(Protocol):
    """Measures the GPUs of this machine. Synchronous, and may block in the driver: belongs in one thread of its own."""

    def open(self) -> None:
        """Reach the driver. GpuAbsent where there is none; may be called again then."""

    def sample(self) -> GpuSnapshot:
        """All devices now. GpuAbsent where the driver went away: close, and open again later."""

    def close(self) -> None:
        """Let the driver go; safe to call twice and when never opened."""


def absent_snapshot(error: BackendError) -> GpuSnapshot:
    """A snapshot that says why there is no reading."""
    return GpuSnapshot(absent=error.title, hint=error.hint)


def join(snapshot: GpuSnapshot, container_of: Callable[[int], str]) -> GpuSnapshot:
    """The snapshot with each process's container filled in where it is not yet.

    container_of: host pid → container id, "" where it is in none; called once for each pid.
    """
    pids = {process.pid for reading in snapshot.readings for process in reading.processes if not process.container_id}
    ids = {pid: container_of(pid) for pid in sorted(pids)}

    def named(process: GpuProcess) -> GpuProcess:
        return process if process.container_id else replace(process, container_id=ids[process.pid])

    readings = tuple(_with_processes(reading, tuple(map(named, reading.processes))) for reading in snapshot.readings)
    return replace(snapshot, readings=readings)


def with_cdi_names(snapshot: GpuSnapshot, listed: Collection[str]) -> GpuSnapshot:
    """The snapshot with the CDI name of each device by index or UUID, where an engine lists it.

    listed: names as engines tell them ("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-8d1b…").
    """

    def named(device: GpuDevice) -> GpuDevice:
        names = (f"nvidia.com/gpu={device.index}", f"nvidia.com/gpu={device.uuid}")
        found = next((name for name in names if name in listed), "")
        return replace(device, cdi_name=found) if found and not device.cdi_name else device

    readings = tuple(replace(reading, device=named(reading.device)) for reading in snapshot.readings)
    return replace(snapshot, readings=readings)


def use_by_container(snapshot: GpuSnapshot, keys: Iterable[ContainerKey]) -> Mapping[ContainerKey, GpuUse]:
    """What each of these containers takes; those without a process on a GPU are left out.

    Sums are over all its processes and devices; where one part is refused by the driver the sum is Missing too,
    since a part of it would be read as the whole.
    """
    parts: dict[str, list[tuple[int, GpuProcess]]] = {}
    for reading in snapshot.readings:
        for process in reading.processes:
            if process.container_id:
                parts.setdefault(process.container_id, []).append((reading.device.index, process))
    return MappingProxyType({key: _use(parts[key.id]) for key in keys if key.id in parts})


def _use(parts: list[tuple[int, GpuProcess]]) -> GpuUse:
    memory: Count = 0
    sm: Quantity = 0.0
    for _, process in parts:
        if not isinstance(memory, Missing):
            memory = _plus(memory, process.memory_bytes)
        if not isinstance(sm, Missing):
            sm = _plus(sm, process.sm_percent)
    return GpuUse(memory, sm, tuple(sorted({index for index, _ in parts})))


def _plus(total: _Number, part: _Number | Missing) -> _Number | Missing:
    return part if isinstance(part, Missing) else total + part


def _with_processes(reading: GpuReading, processes: tuple[GpuProcess, ...]) -> GpuReading:
    return reading if processes == reading.processes else replace(reading, processes=processes)
