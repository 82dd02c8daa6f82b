"""Devices, processes, readings and containers for the tests of the GPU services. Holds no test."""

from __future__ import annotations

from datetime import UTC, datetime

from backends.model.container import Container, ContainerState
from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import NOT_SAMPLED, Count, Quantity

DOCKER = EngineId(EngineKind.DOCKER, "docker")
GIB = 1 << 30


def key(number: int) -> ContainerKey:
    """The key of container number so-and-so."""
    return ContainerKey(DOCKER, f"{number:064x}")


def container(number: int, image: str = "train:1") -> Container:
    """A running container."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Container(key(number), f"c{number}", image, "0" * 64, ContainerState.RUNNING, at)


def device(index: int = 0, vendor: str = "NVIDIA") -> GpuDevice:
    """A device of 80 GiB."""
    return GpuDevice(index, f"{vendor}-{index}", "A100", vendor, memory_total_bytes=80 * GIB)


def process(
    number: int, sm: Quantity = 50.0, memory: Count = GIB, *, on: int = 0, pid: int = 1, user: int | None = 1000
) -> GpuProcess:
    """A process of container number so-and-so; -1: of none."""
    owner = key(number).id if number >= 0 else ""
    return GpuProcess(pid, f"NVIDIA-{on}", memory, sm, owner, user_id=user)


def reading(
    *processes: GpuProcess,
    at: float = 0.0,
    use: Quantity = NOT_SAMPLED,
    memory: Quantity = NOT_SAMPLED,
    of: GpuDevice | None = None,
) -> GpuReading:
    """A reading of a device with these processes."""
    return GpuReading(of or device(), at, gpu_percent=use, memory_percent=memory, processes=processes)


def snapshot(*readings: GpuReading) -> GpuSnapshot:
    """These readings together."""
    return GpuSnapshot(readings)
