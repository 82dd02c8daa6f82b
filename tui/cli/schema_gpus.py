"""What is said of GPUs as plain JSON values, by the rules of `schema`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backends.model.values import Missing
from tui.cli.schema import readings, time_text

if TYPE_CHECKING:
    from backends.model.container import Container
    from backends.model.fleet import FleetView
    from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot, GpuUse
    from backends.services.gpu_usage_report import Line


def gpus(snapshot: GpuSnapshot) -> dict[str, Any]:
    """All GPUs; "absent" says why there are none, null where there are."""
    return {
        "absent": snapshot.absent or None,
        "hint": snapshot.hint or None,
        "driver_version": snapshot.driver_version or None,
        "cuda_version": snapshot.cuda_version or None,
        "demo": snapshot.demo,
        "notes": list(snapshot.notes),
        "gpus": [gpu(reading) for reading in snapshot.readings],
    }


def gpu(reading: GpuReading) -> dict[str, Any]:
    """One device. "condition" says why the whole device cannot be read, null where it can."""
    device, clocks, health = reading.device, reading.clocks, reading.health
    slowed = clocks.throttled
    plain: dict[str, Any] = {
        "index": device.index,
        "uuid": device.uuid,
        "name": device.name,
        "vendor": device.vendor,
        "pci_bus_id": device.pci_bus_id or None,
        "cdi_name": device.cdi_name or None,
        "condition": reading.condition or None,
        "hint": reading.hint or None,
        **readings(
            {
                "memory_total_bytes": device.memory_total_bytes,
                "memory_used_bytes": reading.memory_used_bytes,
                "memory_free_bytes": reading.memory_free_bytes,
                "memory_reserved_bytes": reading.memory_reserved_bytes,
                "gpu_percent": reading.gpu_percent,
                "memory_percent": reading.memory_percent,
                "memory_busy_percent": reading.memory_busy_percent,
                "encoder_percent": reading.encoder_percent,
                "decoder_percent": reading.decoder_percent,
                "temperature_c": reading.temperature_c,
                "slowdown_c": device.slowdown_c,
                "shutdown_c": device.shutdown_c,
                "power_w": reading.power_w,
                "power_limit_w": reading.power_limit_w,
                "fan_percent": reading.fan_percent,
                "pcie_rx_bytes_per_s": reading.pcie_rx_bytes_s,
                "pcie_tx_bytes_per_s": reading.pcie_tx_bytes_s,
                "sm_mhz": clocks.sm_mhz,
                "sm_max_mhz": clocks.sm_max_mhz,
                "memory_mhz": clocks.memory_mhz,
                "memory_max_mhz": clocks.memory_max_mhz,
                "ecc_corrected": health.ecc_corrected,
                "ecc_uncorrected": health.ecc_uncorrected,
                "retired_pages": health.retired_pages,
                "persistence": health.persistence,
                "compute_mode": health.compute_mode,
            }
        ),
        "throttled": None if isinstance(slowed, Missing) else list(slowed),
        "mig": _mig(device, reading),
        "processes": [_process(process) for process in reading.processes],
        "processes_refused": reading.processes_refused or None,
    }
    if isinstance(slowed, Missing):
        plain["missing"]["throttled"] = slowed.reason
    return plain


def containers(rows: Iterable[tuple[Container, GpuUse | None]], now: float) -> list[dict[str, Any]]:
    """What each container was given of GPUs, and what it uses, null where nothing. now: monotonic seconds."""
    return [
        {
            "engine": row.key.engine.name,
            "id": row.key.id,
            "name": row.name,
            "gpus": list(row.gpus_given),
            "use": None if use is None else _use(use, now),
        }
        for row, use in rows
    ]


def watched(view: FleetView, rows: Iterable[tuple[Container, GpuUse | None]], now: float) -> dict[str, Any]:
    """GPUs and containers together; the moment, where there is none besides."""
    return {
        "at": time_text(datetime.now(UTC)),
        **gpus(view.gpus),
        "containers": containers(rows, now),
    }


def usage(lines: Iterable[Line], users: dict[int, str]) -> list[dict[str, Any]]:
    """Sums of GPU usage. users: names by id. What a sum is not about is null."""
    return [
        {
            "engine": line.engine or None,
            "container_id": line.container or None,
            "container": line.name or None,
            "image": line.image or None,
            "user_id": line.user_id if line.user_id is not None and line.user_id >= 0 else None,
            "user": None if line.user_id is None else users.get(line.user_id),
            "begun_at": time_text(datetime.fromtimestamp(line.begun_at, UTC)),
            "ended_at": time_text(datetime.fromtimestamp(line.ended_at, UTC)),
            "held_hours": line.held_hours,
            "busy_hours": line.busy_hours,
            "busy_unknown_hours": line.busy_unknown_hours,
            "memory_gib_hours": line.memory_gib_hours,
            "memory_unknown_hours": line.memory_unknown_hours,
        }
        for line in lines
    ]


def _use(use: GpuUse, now: float) -> dict[str, Any]:
    return {
        "devices": list(use.device_indexes),
        "device_uuids": list(use.device_uuids),
        "mig_uuids": list(use.mig_uuids),
        "idle_seconds": None if use.idle_since is None else round(max(0.0, now - use.idle_since), 1),
        **readings({"memory_bytes": use.memory_bytes, "sm_percent": use.sm_percent}),
    }


def _mig(device: GpuDevice, reading: GpuReading) -> list[dict[str, Any]]:
    used = {one.uuid: one.memory_used_bytes for one in reading.mig}
    return [
        {
            "index": instance.index,
            "uuid": instance.uuid,
            "profile": instance.profile or None,
            "cdi_name": instance.cdi_name or None,
            **readings(
                {
                    "memory_total_bytes": instance.memory_total_bytes,
                    "memory_used_bytes": used.get(instance.uuid, Missing("the driver does not tell it")),
                }
            ),
        }
        for instance in device.mig
    ]


def _process(process: GpuProcess) -> dict[str, Any]:
    return {
        "pid": process.pid,
        "container_id": process.container_id or None,
        "mig_uuid": process.mig_uuid or None,
        "name": process.name or None,
        "user_id": process.user_id,
        **readings({"memory_bytes": process.memory_bytes, "sm_percent": process.sm_percent}),
    }
