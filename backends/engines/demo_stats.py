"""What the demo's containers take. Pure: a reading follows from the container and the time alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from backends.model.container import StatsReading
from backends.model.ids import ContainerKey

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a workload is: its middle values, and by how much of them they swing (0 to 1).

    *_per_s: bytes per second. spike_percent: CPU that comes on top now and then.
    """

    cpu_percent: float
    memory_bytes: int
    swing: float
    net_per_s: float
    block_per_s: float
    processes: int
    spike_percent: float = 0.0


LOADS: Mapping[str, Load] = MappingProxyType(
    {
        "training": Load(610.0, 58 * GIB, 0.12, 2.1e6, 180e6, 41, 140.0),
        "serving": Load(128.0, 19 * GIB, 0.35, 3.6e6, 0.4e6, 118, 90.0),
        "batch": Load(220.0, 12 * GIB, 0.25, 0.3e6, 34e6, 14),
        "notebook": Load(6.0, 2_300 * MIB, 0.7, 24e3, 9e3, 23, 95.0),
        "web": Load(2.4, 310 * MIB, 0.5, 61e3, 4e3, 9, 12.0),
        "database": Load(4.8, 720 * MIB, 0.4, 130e3, 1.9e6, 17, 22.0),
        "trouble": Load(38.0, 7 * GIB, 0.6, 12e3, 2e3, 31),
        "idle": Load(0.3, 24 * MIB, 0.4, 600.0, 0.0, 2),
    }
)
"""Kinds of workloads in the demo."""


def reading(
    key: ContainerKey, load: str, at_s: float, sampled_at: float, *, limit_bytes: int, frozen: bool = False
) -> StatsReading:
    """What a container takes at a moment.

    at_s: the time (any origin, seconds) that the waves follow. sampled_at: monotonic seconds for the reading.
    limit_bytes: its memory limit, or the host's memory. frozen: it is paused: memory stays, the rest is 0.
    """
    kind = LOADS[load]
    shift = int(key.id[:6], 16) / 0xFFFFFF * math.tau
    waves = ((7.3, 1, 1.0), (2.1, 3, 0.6), (23.0, 1, 0.4))  # period in s / tau, multiple of the shift, weight
    wave = sum(weight * math.sin(at_s / period + times * shift) for period, times, weight in waves) / 2
    slow = math.sin(at_s / 61 + shift)
    spike = kind.spike_percent * max(0.0, math.sin(at_s / 17 + 2 * shift)) ** 12
    busy = 0.0 if frozen else max(0.0, 1.0 + kind.swing * wave)
    memory = min(limit_bytes * 0.97, kind.memory_bytes * (1.0 + 0.08 * kind.swing * slow))
    return StatsReading(
        key=key,
        sampled_at=sampled_at,
        cpu_percent=0.0 if frozen else round(kind.cpu_percent * busy + spike, 2),
        memory_bytes=int(memory),
        memory_limit_bytes=limit_bytes,
        net_rx_bytes_per_s=round(kind.net_per_s * busy, 1),
        net_tx_bytes_per_s=round(kind.net_per_s * busy * 0.6, 1),
        block_read_bytes_per_s=round(kind.block_per_s * busy, 1),
        block_write_bytes_per_s=round(kind.block_per_s * busy * 0.2, 1),
        processes=kind.processes,
    )
