"""A reading of a device that cannot be read: each value is missing for the same reason. Pure."""

from __future__ import annotations

from backends.model.gpu import GpuClocks, GpuDevice, GpuHealth, GpuReading
from backends.model.values import Missing


def unread(device: GpuDevice, now: float, why: str, *, condition: str = "", hint: str = "") -> GpuReading:
    """The reading. now: monotonic seconds. why: the reason of each value; condition, hint: as in GpuReading."""
    no = Missing(why)
    return GpuReading(
        device=device,
        sampled_at=now,
        gpu_percent=no,
        memory_percent=no,
        memory_used_bytes=no,
        temperature_c=no,
        power_w=no,
        power_limit_w=no,
        fan_percent=no,
        processes_refused=why,
        memory_free_bytes=no,
        memory_reserved_bytes=no,
        memory_busy_percent=no,
        encoder_percent=no,
        decoder_percent=no,
        pcie_rx_bytes_s=no,
        pcie_tx_bytes_s=no,
        clocks=GpuClocks(no, no, no, no, no),
        health=GpuHealth(no, no, no, no, no),
        condition=condition,
        hint=hint,
    )
