"""What a probe of GPUs is, and the pure join of its processes to containers. Imports no vendor's library."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol, TypeVar

from backends.cgroups.processes import ProcessFacts
from backends.model.errors import BackendError
from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot, GpuUse
from backends.model.ids import ContainerKey
from backends.model.values import Count, Missing, Quantity
from backends.model.workload import AMD_CDI_KIND, NVIDIA_CDI_KIND

_Number = TypeVar("_Number", int, float)
_CDI_KINDS = {"NVIDIA": NVIDIA_CDI_KIND, "AMD": AMD_CDI_KIND}
"""By vendor: what nvidia-ctk and AMD's container toolkit call their devices."""


class GpuAbsent(BackendError):
    """There is nothing to read: no driver, no device, no permission. title: why; hint: the next step."""


class VendorAbsent(GpuAbsent):
    """This vendor has neither a driver nor a device here: nothing to mend, and no word of it where others are read."""


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
    return GpuSnapshot(absent=error.title, hint=error.hint, vendor_absent=isinstance(error, VendorAbsent))


def join(snapshot: GpuSnapshot, facts_of: Callable[[int], ProcessFacts]) -> GpuSnapshot:
    """The snapshot with each process's program, user and container filled in, where its container is not told yet.

    facts_of: whose a host pid is; called once for each pid.
    """
    pids = {process.pid for reading in snapshot.readings for process in reading.processes if not process.container_id}
    facts = {pid: facts_of(pid) for pid in sorted(pids)}
    readings = tuple(
        replace(
            reading,
            processes=tuple([one if one.container_id else _whose(one, facts[one.pid]) for one in reading.processes]),
        )
        for reading in snapshot.readings
    )
    return replace(snapshot, readings=readings)


def _whose(process: GpuProcess, facts: ProcessFacts) -> GpuProcess:
    return GpuProcess(  # not `replace`: there may be a thousand, every second
        process.pid,
        process.device_uuid,
        process.memory_bytes,
        process.sm_percent,
        facts.container_id,
        process.mig_uuid,
        process.name or facts.name,
        facts.user_id if process.user_id is None else process.user_id,
    )


def with_cdi_names(snapshot: GpuSnapshot, listed: Collection[str]) -> GpuSnapshot:
    """The snapshot with the CDI names of devices and MIG instances, by index or UUID, where an engine lists them.

    Not of vendors whose names do not tell which device they are.

    listed: names as engines tell them ("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-8d1b…", "nvidia.com/gpu=0:1").
    """

    def name_of(kind: str, *candidates: str) -> str:
        names = (f"{kind}={candidate}" for candidate in candidates)
        return next((name for name in names if name in listed), "")

    def named(device: GpuDevice) -> GpuDevice:
        kind = _CDI_KINDS.get(device.vendor)
        if kind is None:
            return device
        mig = tuple(
            replace(one, cdi_name=found)
            if not one.cdi_name and (found := name_of(kind, f"{device.index}:{one.index}", one.uuid))
            else one
            for one in device.mig
        )
        cdi_name = device.cdi_name or name_of(kind, str(device.index), device.uuid)
        return (
            device if (cdi_name, mig) == (device.cdi_name, device.mig) else replace(device, cdi_name=cdi_name, mig=mig)
        )

    def with_name(reading: GpuReading) -> GpuReading:
        device = named(reading.device)
        return reading if device is reading.device else replace(reading, device=device)

    return replace(snapshot, readings=tuple(map(with_name, snapshot.readings)))


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
        memory, sm = plus(memory, process.memory_bytes), plus(sm, process.sm_percent)
    devices = dict.fromkeys(process.device_uuid for _, process in parts)
    instances = dict.fromkeys(process.mig_uuid for _, process in parts if process.mig_uuid)
    return GpuUse(memory, sm, tuple(sorted({index for index, _ in parts})), tuple(devices), tuple(instances))


def plus(total: _Number | Missing, part: _Number | Missing) -> _Number | Missing:
    """A sum; the first that is missing where one is: a part would be read as the whole."""
    if isinstance(total, Missing):
        return total
    return part if isinstance(part, Missing) else total + part
