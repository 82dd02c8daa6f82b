"""Made-up GPUs for tests of panes: with MIG, lost, hot, refused values, and a fleet that uses them. Knows no engine."""

from __future__ import annotations

from dataclasses import replace

from backends.model.fleet import FleetView
from backends.model.gpu import (
    GpuClocks,
    GpuDevice,
    GpuHealth,
    GpuProcess,
    GpuReading,
    GpuSnapshot,
    GpuTrace,
    GpuUse,
    MigInstance,
    MigReading,
)
from backends.model.ids import ContainerKey
from backends.model.values import Missing
from tests.snapshots.samples import CONTAINERS, DOCKER, GIB, PODMAN, fleet, key_of

REFUSED = Missing("Not Supported")
NOW = 1000.0  # monotonic seconds
TRAINER, TRITON, NOTEBOOK = key_of(DOCKER, 1), key_of(DOCKER, 2), key_of(PODMAN, 6)


def mig(device: int, number: int, profile: str = "1g.18gb") -> MigInstance:
    """An instance of a device."""
    return MigInstance(number, f"MIG-{device}-{number}", profile, memory_total_bytes=18 * GIB)


def device(index: int, *, instances: int = 0, name: str = "NVIDIA H200", vendor: str = "NVIDIA") -> GpuDevice:
    """A device of 141 GiB that slows down at 89 °C."""
    return GpuDevice(
        index,
        f"GPU-{index}",
        name,
        vendor,
        pci_bus_id=f"00000000:{index:02X}:00.0",
        memory_total_bytes=141 * GIB,
        cdi_name=f"nvidia.com/gpu={index}",
        slowdown_c=89.0,
        shutdown_c=92.0,
        mig=tuple(mig(index, number) for number in range(instances)),
    )


def reading(index: int, *processes: GpuProcess, instances: int = 0) -> GpuReading:
    """A device that tells everything but its fan."""
    return GpuReading(
        device=device(index, instances=instances),
        sampled_at=NOW,
        gpu_percent=97.0 - 10 * index,
        memory_percent=50.0,
        memory_used_bytes=(70 - index) * GIB,
        temperature_c=71.0,
        power_w=612.0,
        power_limit_w=700.0,
        fan_percent=REFUSED,
        processes=processes,
        memory_free_bytes=71 * GIB,
        memory_reserved_bytes=GIB // 2,
        memory_busy_percent=44.0,
        encoder_percent=REFUSED,
        decoder_percent=0.0,
        pcie_rx_bytes_s=3.0 * GIB,
        pcie_tx_bytes_s=1.0 * GIB,
        clocks=GpuClocks(1830, 1980, 3201, 3201, ()),
        health=GpuHealth(0, 0, 0, "on", "default"),
        mig=tuple(MigReading(f"MIG-{index}-{number}", 9 * GIB) for number in range(instances)),
    )


def process(pid: int, index: int, key: ContainerKey | None = None, *, instance: int | None = None) -> GpuProcess:
    """A process of a container, or of the host."""
    return GpuProcess(
        pid,
        f"GPU-{index}",
        pid % 50 * GIB,
        40.0 if pid % 2 else 0.0,
        container_id=key.id if key is not None else "",
        mig_uuid="" if instance is None else f"MIG-{index}-{instance}",
        name="python3",
        user_id=1000,
    )


def lost(index: int) -> GpuReading:
    """A device that fell off the bus."""
    gone = Missing("the GPU is lost")
    return GpuReading(
        device(index),
        NOW,
        gpu_percent=gone,
        memory_used_bytes=gone,
        condition="the GPU is lost: it fell off the bus",
        hint="reboot the machine",
    )


def busy_fleet() -> FleetView:
    """Two GPUs: a trainer on both, triton on the second, a notebook that has held memory idly for an hour."""
    readings = (
        reading(0, process(4041, 0, TRAINER), process(4010, 0, NOTEBOOK), process(4999, 0)),
        reading(1, process(4041, 1, TRAINER), process(4013, 1, TRITON, instance=0), instances=2),
    )
    containers = {one.key: one for one in CONTAINERS}
    containers[NOTEBOOK] = replace(containers[NOTEBOOK], gpus_given=("nvidia.com/gpu=all",))
    recent = tuple(float(number % 100) for number in range(300))
    traces = {f"GPU-{index}": GpuTrace(recent, recent, recent[:240], recent[:240]) for index in range(2)}
    return replace(
        fleet(),
        containers=containers,
        gpus=GpuSnapshot(readings, driver_version="580.82.07", cuda_version="13.0"),
        gpu_use={
            TRAINER: GpuUse(82 * GIB, 80.0, (0, 1), ("GPU-0", "GPU-1")),
            TRITON: GpuUse(13 * GIB, 40.0, (1,), ("GPU-1",), ("MIG-1-0",)),
            NOTEBOOK: GpuUse(10 * GIB, 0.0, (0,), ("GPU-0",), idle_since=NOW - 3700),
        },
        gpu_traces=traces,
    )
