"""GPUs as they are found and read; what the driver refuses is Missing with its reason, never 0.

Sources of the meanings: NVIDIA's NVML API reference (nvml.h) for NVIDIA; the kernel's amdgpu documentation
(Documentation/gpu/amdgpu, Documentation/gpu/drm-usage-stats.rst) for AMD.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from backends.model.values import NOT_SAMPLED, Count, Missing, Quantity

Words: TypeAlias = str | Missing
"""A setting in the driver's own words, or the reason why it is not told."""


@dataclass(frozen=True, slots=True)
class MigInstance:
    """A slice of an NVIDIA device that is a device of its own to a container (compute instance of a GPU instance).

    uuid: "MIG-…". profile: the driver's short name ("1g.10gb"), "" where not told. index: the driver's, within the
    device; its CDI name is "nvidia.com/gpu=DEVICE:INDEX". gpu_instance, compute_instance: NVML's ids, -1 unknown.
    """

    index: int
    uuid: str
    profile: str = ""
    gpu_instance: int = -1
    compute_instance: int = -1
    memory_total_bytes: Count = NOT_SAMPLED
    cdi_name: str = ""


@dataclass(frozen=True, slots=True)
class GpuDevice:
    """What does not change while the driver runs.

    index: the vendor's driver's. uuid: "GPU-…" (NVIDIA), else what the vendor identifies it by; "" where unreadable.
    cdi_name: "nvidia.com/gpu=0" where an engine lists it. slowdown_c, shutdown_c: °C at which the device slows down,
    and turns itself off. mig: its instances, () where it has none or MIG is off.
    """

    index: int
    uuid: str
    name: str
    vendor: str
    pci_bus_id: str = ""
    memory_total_bytes: Count = NOT_SAMPLED
    cdi_name: str = ""
    slowdown_c: Quantity = NOT_SAMPLED
    shutdown_c: Quantity = NOT_SAMPLED
    mig: tuple[MigInstance, ...] = ()


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process on a GPU. pid: in the host's pid namespace. container_id: 64 hex, "" if in none.

    sm_percent: percent of the whole device. mig_uuid: the instance it runs on, "" where on none. name: of the
    program, "" where it cannot be read. user_id: numeric, on the host, of the process; None where it cannot be read.
    """

    pid: int
    device_uuid: str
    memory_bytes: Count
    sm_percent: Quantity
    container_id: str = ""
    mig_uuid: str = ""
    name: str = ""
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class GpuClocks:
    """MHz now and at most. throttled: why the device runs slower than it could, in plain words; () where it does not.

    idle is no reason: a device with nothing to do is not throttled.
    """

    sm_mhz: Count = NOT_SAMPLED
    sm_max_mhz: Count = NOT_SAMPLED
    memory_mhz: Count = NOT_SAMPLED
    memory_max_mhz: Count = NOT_SAMPLED
    throttled: tuple[str, ...] | Missing = NOT_SAMPLED


@dataclass(frozen=True, slots=True)
class GpuHealth:
    """ecc_corrected, ecc_uncorrected: errors since the driver was loaded. retired_pages: pages (or rows) that the
    device no longer uses, for good. persistence: "on", "off". compute_mode: "default", "exclusive process", …
    """

    ecc_corrected: Count = NOT_SAMPLED
    ecc_uncorrected: Count = NOT_SAMPLED
    retired_pages: Count = NOT_SAMPLED
    persistence: Words = NOT_SAMPLED
    compute_mode: Words = NOT_SAMPLED


@dataclass(frozen=True, slots=True)
class MigReading:
    """One sample of one MIG instance. Utilization is not told per instance by NVML: see the processes."""

    uuid: str
    memory_used_bytes: Count = NOT_SAMPLED


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One sample of one device. Percentages are of the whole device, temperature in °C, power in watts.

    sampled_at: monotonic seconds. gpu_percent: of the time that a kernel ran. memory_busy_percent: of the time that
    memory was read or written. memory_percent: memory_used_bytes of the total; reserved is the driver's own and not in
    used. encoder_percent, decoder_percent: of the video engines. pcie_rx_bytes_s: towards the device.
    condition: why the whole device cannot be read now ("the GPU is lost: …"), "" where it can; every value is Missing
    then; hint: the next step. processes_refused: why the driver does not list processes, "" where it does.
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
    memory_free_bytes: Count = NOT_SAMPLED
    memory_reserved_bytes: Count = NOT_SAMPLED
    memory_busy_percent: Quantity = NOT_SAMPLED
    encoder_percent: Quantity = NOT_SAMPLED
    decoder_percent: Quantity = NOT_SAMPLED
    pcie_rx_bytes_s: Quantity = NOT_SAMPLED
    pcie_tx_bytes_s: Quantity = NOT_SAMPLED
    clocks: GpuClocks = field(default_factory=GpuClocks)
    health: GpuHealth = field(default_factory=GpuHealth)
    mig: tuple[MigReading, ...] = ()
    condition: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class GpuLink:
    """How two devices of one vendor reach each other. first, second: their indexes.

    over: what lies between them ("one PCIe switch", "the link between CPUs"), "" where not told. refused: why one
    cannot read the other's memory, "" where it can (peer access). nvlink: they have one between them.
    """

    first: int
    second: int
    over: str = ""
    refused: str = ""
    nvlink: bool = False


@dataclass(frozen=True, slots=True)
class GpuSnapshot:
    """All devices of all vendors at one moment, by vendor and index.

    absent: why there is no reading, "" where there is one ("no NVIDIA driver on this machine").
    hint: the next step, where there is one. driver_version: "" where unknown. cuda_version: the newest that the driver
    runs, "12.4", "" where unknown. notes: what else is to be said beside readings (another vendor's driver that does
    not answer; processes of the host that are not seen from inside a container, with the remedy).
    links: pairs of devices, where the driver tells how they reach each other. demo: none of it is real.
    vendor_absent: there is no reading because no device or driver is there, not because one fails.
    """

    readings: tuple[GpuReading, ...] = ()
    absent: str = ""
    hint: str = ""
    driver_version: str = ""
    demo: bool = False
    cuda_version: str = ""
    notes: tuple[str, ...] = ()
    vendor_absent: bool = False
    links: tuple[GpuLink, ...] = ()


@dataclass(frozen=True, slots=True)
class GpuUse:
    """What one container takes of all GPUs. sm_percent: summed over devices, percent of one device.

    device_uuids, mig_uuids: where its processes are. idle_since: monotonic seconds since when it holds memory and
    computes nothing, None where it computes, holds none, or that is not known.
    """

    memory_bytes: Count
    sm_percent: Quantity
    device_indexes: tuple[int, ...] = ()
    device_uuids: tuple[str, ...] = ()
    mig_uuids: tuple[str, ...] = ()
    idle_since: float | None = None


@dataclass(frozen=True, slots=True)
class GpuTrace:
    """What one device did lately, oldest first. Each value is a percentage (use of the device, memory used of total)
    averaged over its step, None where it was not read.

    recent: a value each RECENT_STEP_S, the last RECENT_S. hour: a value each HOUR_STEP_S, the last hour.
    """

    recent_use: tuple[float | None, ...] = ()
    recent_memory: tuple[float | None, ...] = ()
    hour_use: tuple[float | None, ...] = ()
    hour_memory: tuple[float | None, ...] = ()


RECENT_S, RECENT_STEP_S = 300, 1
HOUR_S, HOUR_STEP_S = 3600, 15


def memory_percent(used: Count, total: Count) -> Quantity:
    """The memory used, in percent of the whole; Missing with the reason of what is missing, or where there is none."""
    if isinstance(used, Missing):
        return used
    if isinstance(total, Missing):
        return total
    return used / total * 100 if total else Missing("no memory of its own")
