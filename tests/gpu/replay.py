"""A snapshot as a scenario of the fake library: what a real GPU told once can be told again on any machine."""

from __future__ import annotations

from pathlib import Path

from backends.gpu.nvidia_slow import throttle_words
from backends.model.gpu import GpuReading, GpuSnapshot
from backends.model.values import Missing
from tests.gpu.scenario import Gpu, Scenario

_MODES = ("default", "exclusive thread", "prohibited", "exclusive process")


def scenario_of(snapshot: GpuSnapshot, path: Path) -> Scenario:
    """The machine that gave the snapshot; what was Missing is not supported there."""
    return Scenario(path, [_gpu(reading) for reading in snapshot.readings])


def _gpu(reading: GpuReading) -> Gpu:
    device, clocks, health = reading.device, reading.clocks, reading.health
    made = Gpu(device.index, device.name, {"pcie_ms": 0}, given_uuid=device.uuid, pci=device.pci_bus_id)
    given: dict[str, float | Missing] = {
        "memory_total": device.memory_total_bytes,
        "memory_reserved": reading.memory_reserved_bytes,
        "memory_used": reading.memory_used_bytes,
        "gpu_percent": reading.gpu_percent,
        "memory_busy_percent": reading.memory_busy_percent,
        "encoder_percent": reading.encoder_percent,
        "decoder_percent": reading.decoder_percent,
        "temperature": reading.temperature_c,
        "slowdown": device.slowdown_c,
        "shutdown": device.shutdown_c,
        "power_mw": _times(reading.power_w, 1000),
        "power_limit_mw": _times(reading.power_limit_w, 1000),
        "fan_percent": reading.fan_percent,
        "sm_mhz": clocks.sm_mhz,
        "sm_max_mhz": clocks.sm_max_mhz,
        "memory_mhz": clocks.memory_mhz,
        "memory_max_mhz": clocks.memory_max_mhz,
        "ecc_corrected": health.ecc_corrected,
        "ecc_uncorrected": health.ecc_uncorrected,
        "remapped_corrected": health.retired_pages,
        "pcie_rx_kib": _times(reading.pcie_rx_bytes_s, 1 / 1024),
        "pcie_tx_kib": _times(reading.pcie_tx_bytes_s, 1 / 1024),
    }
    made.values |= {key: round(value) for key, value in given.items() if not isinstance(value, Missing)}
    if not isinstance(clocks.throttled, Missing):
        made.values["reasons"] = sum(bit for bit in _BITS if throttle_words(bit)[0] in clocks.throttled)
    if isinstance(health.persistence, str):
        made.values["persistence"] = int(health.persistence == "on")
    if isinstance(health.compute_mode, str):
        made.values["compute_mode"] = _MODES.index(health.compute_mode)
    used = {one.uuid: one.memory_used_bytes for one in reading.mig}
    for one in device.mig:
        memory, total = used.get(one.uuid, 0), one.memory_total_bytes
        if isinstance(memory, int) and isinstance(total, int):
            place = (one.gpu_instance, one.compute_instance)
            made.mig(one.index, place, total, memory, one.profile, uuid=one.uuid)
    instances = {one.uuid: (one.gpu_instance, one.compute_instance) for one in device.mig}
    for process in reading.processes:
        memory, sm = process.memory_bytes, process.sm_percent
        made.process(
            process.pid,
            None if isinstance(memory, Missing) else memory,
            None if isinstance(sm, Missing) else round(sm),
            instance=instances.get(process.mig_uuid),
        )
    return made


_BITS = (0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100)


def _times(value: float | Missing, factor: float) -> float | Missing:
    return value if isinstance(value, Missing) else value * factor
