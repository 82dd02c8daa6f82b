"""GPUs as they are found and read; what the driver refuses is Missing, never 0."""

from __future__ import annotations

from dataclasses import dataclass

from backends.model.values import NOT_SAMPLED, Count, Quantity


@dataclass(frozen=True, slots=True)
class GpuDevice:
    """What does not change. uuid: "GPU-..."; index: the driver's; cdi_name: "nvidia.com/gpu=0" where listed."""

    index: int
    uuid: str
    name: str
    vendor: str
    pci_bus_id: str = ""
    memory_total_bytes: Count = NOT_SAMPLED
    cdi_name: str = ""


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process on a GPU. pid: in the host's pid namespace. container_id: 64 hex, "" if in none."""

    pid: int
    device_uuid: str
    memory_bytes: Count
    sm_percent: Quantity
    container_id: str = ""


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One sample of one device. Percentages are of the whole device, temperature in °C, power in watts.

    processes_refused: why the driver does not list processes, "" where it does.
    """

    device: GpuDevice
    sampled_at: float
    gpu_percent: Quantity = NOT_SAMPLED
    memory_percent: Quantity = NOT_SAMPLED
    memory_used_bytes: Count = NOT_SAMPLED
    temperature_c: Quantity = NOT_SAMPLED
    power_w: Quantity = NOT_SAMPLED
    power_limit_w: Quantity = NOT_SAMPLED
    fan_percent: Quantity = NOT_SAMPLED
    processes: tuple[GpuProcess, ...] = ()
    processes_refused: str = ""


@dataclass(frozen=True, slots=True)
class GpuSnapshot:
    """All devices at one moment.

    absent: why there is no reading, "" where there is one ("no NVIDIA driver on this machine").
    hint: the next step, where there is one. driver_version: "" where unknown.
    """

    readings: tuple[GpuReading, ...] = ()
    absent: str = ""
    hint: str = ""
    driver_version: str = ""
    demo: bool = False


@dataclass(frozen=True, slots=True)
class GpuUse:
    """What one container takes of all GPUs. sm_percent: summed over devices, percent of one device."""

    memory_bytes: Count
    sm_percent: Quantity
    device_indexes: tuple[int, ...] = ()
