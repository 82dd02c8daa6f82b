"""The demo's devices and their physics: what an A100 says of itself at some load. Pure; knows no container.

Figures are of NVIDIA's A100 80GB SXM4 (its data sheet, and what `nvidia-smi -q` prints for one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from backends.gpu.unread import unread
from backends.model.gpu import (
    GpuClocks,
    GpuDevice,
    GpuHealth,
    GpuLink,
    GpuProcess,
    GpuReading,
    MigInstance,
    MigReading,
)
from backends.model.values import Count, Missing, Quantity

GIB = 1 << 30
TOTAL_BYTES = 80 * GIB
IDLE_BYTES = 600 << 20  # the driver's own
_RESERVED_BYTES = 615 << 20
_IDLE_W, _FULL_W = 62.0, 400.0
_SLOWDOWN_C, _SHUTDOWN_C = 89.0, 92.0
_SM_IDLE_MHZ, _SM_MHZ, _MEMORY_MHZ = 210, 1410, 1593
_PCIE_BYTES_S_PER_PERCENT = 21e6

# What NVML answers for such a card: its fans are the chassis's, and it has no encoder.
_REFUSED = Missing("Not Supported")
_MIG_ON = Missing("MIG is on: the driver does not tell it for the whole device")
MIG_PROCESS = Missing("MIG is on: the driver does not tell it per process")

# Devices of larger machines with something to show: MIG, lost, too hot, with errors of its memory.
MIG_INDEX, LOST_INDEX, HOT_INDEX, WORN_INDEX = 3, 13, 5, 6
_CAPPED_INDEX, _CAPPED_EVERY_S, _CAPPED_FOR_S = 1, 180.0, 20.0
_LOST = "the GPU is lost"
_LOST_CONDITION = "The GPU is lost: the driver cannot reach it any more"
_LOST_HINT = "`dmesg` shows Xid messages; most likely the machine must be restarted"
# (profile, memory in GiB, GPU instance) of the seven slices of one card.
_MIG_LAYOUT = (("3g.40gb", 40, 2), ("2g.20gb", 20, 3), ("1g.10gb", 10, 9), ("1g.10gb", 10, 10))


@dataclass(frozen=True, slots=True)
class _Guest:
    """A program outside of containers. device: index. share: of its time that it computes. instance: of MIG, or -1."""

    device: int
    pid: int
    name: str
    user_id: int
    memory_gib: float
    share: float
    instance: int = -1


_GUESTS = (
    _Guest(MIG_INDEX, 31_007, "python3", 1001, 22.5, 0.0, instance=0),
    _Guest(MIG_INDEX, 31_058, "tritonserver", 1002, 7.2, 0.0, instance=2),
    _Guest(4, 31_422, "python3", 1001, 61.0, 0.88),
    _Guest(HOT_INDEX, 31_423, "python3", 1001, 61.0, 0.97),
    _Guest(WORN_INDEX, 31_900, "gmx", 1003, 4.4, 0.61),
    _Guest(9, 32_114, "python3", 1002, 38.0, 0.93),
    _Guest(10, 32_115, "python3", 1002, 38.0, 0.91),
    _Guest(10, 32_871, "python3", 1004, 11.0, 0.02),
    _Guest(14, 33_501, "ollama", 1004, 17.0, 0.34),
)


def devices(count: int) -> tuple[GpuDevice, ...]:
    """So many devices; the fourth has MIG on."""
    return tuple(_device(index) for index in range(count))


def guests(device: GpuDevice, now: float) -> tuple[GpuProcess, ...]:
    """Processes of the host itself on this device."""
    return tuple(_guest(guest, device, now) for guest in _GUESTS if guest.device == device.index)


def reading(device: GpuDevice, processes: Sequence[GpuProcess], now: float) -> GpuReading:
    """What the device says with these processes on it. now: monotonic seconds."""
    if device.index == LOST_INDEX:
        return unread(device, now, _LOST, condition=_LOST_CONDITION, hint=_LOST_HINT)
    busy = min(100.0, sum(one.sm_percent for one in processes if not isinstance(one.sm_percent, Missing)))
    used = IDLE_BYTES + sum(_bytes(one.memory_bytes) for one in processes)
    capped = _throttled(device, now)
    hot = device.index == HOT_INDEX
    mig = bool(device.mig)
    return GpuReading(
        device=device,
        sampled_at=now,
        gpu_percent=_MIG_ON if mig else round(busy, 1),
        memory_percent=used / TOTAL_BYTES * 100,
        memory_used_bytes=used,
        temperature_c=_SLOWDOWN_C + 1 if hot else float(round(33 + 0.4 * busy)),
        power_w=round(_IDLE_W + (_FULL_W - _IDLE_W) * busy / 100, 1),
        power_limit_w=_FULL_W,
        fan_percent=_REFUSED,
        processes=tuple(processes),
        memory_free_bytes=max(0, TOTAL_BYTES - used - _RESERVED_BYTES),
        memory_reserved_bytes=_RESERVED_BYTES,
        memory_busy_percent=_MIG_ON if mig else round(busy * 0.55, 1),
        encoder_percent=_REFUSED,
        decoder_percent=_MIG_ON if mig else 0.0,
        pcie_rx_bytes_s=round(busy * _PCIE_BYTES_S_PER_PERCENT),
        pcie_tx_bytes_s=round(busy * _PCIE_BYTES_S_PER_PERCENT * 0.3),
        clocks=_clocks(busy, capped),
        health=_health(device),
        mig=tuple(MigReading(one.uuid, _on_instance(one, processes)) for one in device.mig),
    )


def swing(now: float, phase: float, index: int) -> float:
    """How far a load is from its mean now, -0.09 to 0.09: it moves slowly, as training does."""
    return math.sin(now / 17 + phase % 7 + index) * 0.06 + math.sin(now / 3 + phase % 5) * 0.03


def _device(index: int) -> GpuDevice:
    return GpuDevice(
        index=index,
        uuid=f"GPU-de300000-0000-4000-8000-{index:012d}",
        name="NVIDIA A100-SXM4-80GB",
        vendor="NVIDIA",
        pci_bus_id=f"00000000:{7 + index:02X}:00.0",
        memory_total_bytes=TOTAL_BYTES,
        cdi_name=f"nvidia.com/gpu={index}",
        slowdown_c=_SLOWDOWN_C,
        shutdown_c=_SHUTDOWN_C,
        mig=_instances(index) if index == MIG_INDEX else (),
    )


def _instances(device: int) -> tuple[MigInstance, ...]:
    return tuple(
        MigInstance(
            index=number,
            uuid=f"MIG-de300000-0000-5000-8000-{device:06d}{number:06d}",
            profile=profile,
            gpu_instance=gpu_instance,
            compute_instance=0,
            memory_total_bytes=gib * GIB,
            cdi_name=f"nvidia.com/gpu={device}:{number}",
        )
        for number, (profile, gib, gpu_instance) in enumerate(_MIG_LAYOUT)
    )


def _guest(guest: _Guest, device: GpuDevice, now: float) -> GpuProcess:
    on_instance = guest.instance >= 0
    use: Quantity = MIG_PROCESS
    if not on_instance:
        use = round(min(1.0, max(0.0, guest.share + swing(now, guest.pid, guest.device))) * 100, 1)
    return GpuProcess(
        pid=guest.pid,
        device_uuid=device.uuid,
        memory_bytes=int(guest.memory_gib * GIB),
        sm_percent=use,
        mig_uuid=device.mig[guest.instance].uuid if on_instance else "",
        name=guest.name,
        user_id=guest.user_id,
    )


def _on_instance(instance: MigInstance, processes: Sequence[GpuProcess]) -> int:
    return (20 << 20) + sum(_bytes(one.memory_bytes) for one in processes if one.mig_uuid == instance.uuid)


def _throttled(device: GpuDevice, now: float) -> tuple[str, ...]:
    """The second device meets its power limit for a moment every three minutes; a hot one is always slowed down."""
    if device.index == HOT_INDEX:
        return ("too hot",)
    if device.index == _CAPPED_INDEX and now % _CAPPED_EVERY_S < _CAPPED_FOR_S:
        return ("power limit reached",)
    return ()


def _clocks(busy: float, throttled: tuple[str, ...]) -> GpuClocks:
    full = _SM_MHZ - 285 if throttled else _SM_MHZ
    return GpuClocks(full if busy else _SM_IDLE_MHZ, _SM_MHZ, _MEMORY_MHZ, _MEMORY_MHZ, throttled if busy else ())


def _health(device: GpuDevice) -> GpuHealth:
    worn = device.index == WORN_INDEX
    return GpuHealth(
        ecc_corrected=17 if worn else 0,
        ecc_uncorrected=1 if worn else 0,
        retired_pages=2 if worn else 0,
        persistence="on",
        compute_mode="default",
    )


def _bytes(value: Count) -> int:
    return 0 if isinstance(value, Missing) else value


def links_of(devices: Sequence[GpuDevice]) -> tuple[GpuLink, ...]:
    """Neighbours by NVLink, each four on one CPU, the rest across CPUs."""
    return tuple(
        GpuLink(
            one.index,
            other.index,
            "one PCIe switch" if one.index // 4 == other.index // 4 else "the link between CPUs",
            nvlink=one.index // 2 == other.index // 2,
        )
        for one, other in combinations(devices, 2)
    )
