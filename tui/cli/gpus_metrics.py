"""GPUs as Prometheus metrics, by the client library of that project. Pure: a view in, its text format out.

Names and units follow prometheus.io/docs/practices/naming: base units, ratios from 0 to 1, one unit per name. A value
that the driver does not tell has no sample; that a whole device cannot be read says tranship_gpu_up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backends.model.fleet import FleetView
from backends.model.gpu import GpuReading
from backends.model.ids import ContainerKey
from backends.model.values import Missing, Quantity
from widgets.text import inert

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of `metrics_text`: prometheus.io/docs/instrumenting/exposition_formats."""

_Gauge: TypeAlias = tuple[str, str, Callable[[GpuReading], Quantity], Callable[[float], float]]
_DEVICE = ("vendor", "gpu", "uuid")
_INFO = ("name", "pci_bus_id", "cdi_name", "driver_version")
_INSTANCE = (*_DEVICE, "mig_uuid", "profile")
_CONTAINER = ("engine", "container", "container_id")


def _ratio(percent: float) -> float:
    return percent / 100


def _hertz(mhz: float) -> float:
    return mhz * 1e6


_GAUGES: tuple[_Gauge, ...] = (
    ("up", "1 where the GPU can be read, 0 where it is lost.", lambda one: float(not one.condition), float),
    ("utilization_ratio", "Time that a kernel ran.", lambda one: one.gpu_percent, _ratio),
    ("memory_total_bytes", "Memory of the GPU.", lambda one: one.device.memory_total_bytes, float),
    ("memory_used_bytes", "Memory in use, without what the driver reserves.", lambda one: one.memory_used_bytes, float),
    ("memory_free_bytes", "Memory that is free.", lambda one: one.memory_free_bytes, float),
    ("memory_reserved_bytes", "Memory that the driver keeps.", lambda one: one.memory_reserved_bytes, float),
    ("memory_busy_ratio", "Time that memory was read or written.", lambda one: one.memory_busy_percent, _ratio),
    ("encoder_utilization_ratio", "Use of the video encoder.", lambda one: one.encoder_percent, _ratio),
    ("decoder_utilization_ratio", "Use of the video decoder.", lambda one: one.decoder_percent, _ratio),
    ("temperature_celsius", "Temperature of the GPU.", lambda one: one.temperature_c, float),
    ("slowdown_temperature_celsius", "Where the GPU slows down.", lambda one: one.device.slowdown_c, float),
    ("power_watts", "Power that the GPU draws.", lambda one: one.power_w, float),
    ("power_limit_watts", "Power that the GPU may draw.", lambda one: one.power_limit_w, float),
    ("fan_ratio", "Speed of the fan, of its greatest.", lambda one: one.fan_percent, _ratio),
    ("sm_clock_hertz", "Clock of the multiprocessors.", lambda one: one.clocks.sm_mhz, _hertz),
    ("memory_clock_hertz", "Clock of the memory.", lambda one: one.clocks.memory_mhz, _hertz),
    ("throttled", "1 where the GPU runs slower than it could.", lambda one: _throttled(one), float),
    ("pcie_receive_bytes_per_second", "Traffic towards the GPU.", lambda one: one.pcie_rx_bytes_s, float),
    ("pcie_transmit_bytes_per_second", "Traffic from the GPU.", lambda one: one.pcie_tx_bytes_s, float),
    ("retired_pages", "Pages or rows of memory given up for good.", lambda one: one.health.retired_pages, float),
)
"""Name, help, value, and what makes the metric's unit of it."""


def metrics_text(view: FleetView, now: float) -> str:
    """All metrics of the view. now: monotonic seconds."""
    return generate_latest(_registry(view, now)).decode()


def write_metrics(view: FleetView, now: float, path: Path) -> None:
    """Write them to a file that is whole at every moment: a new one takes the old one's place. May raise OSError."""
    write_to_textfile(str(path), _registry(view, now))


class _View(Collector):
    """What one view says, as a collector of the library."""

    def __init__(self, view: FleetView, now: float) -> None:
        self._view = view
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """All families, also those without a sample."""
        readings = self._view.gpus.readings
        yield GaugeMetricFamily("tranship_gpu_devices", "GPUs that are seen on this machine.", value=len(readings))
        yield from _devices(readings, self._view.gpus.driver_version)
        yield from _instances(readings)
        yield from _containers(self._view, self._now)


def _registry(view: FleetView, now: float) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_View(view, now))
    return registry


def _devices(readings: Sequence[GpuReading], driver: str) -> Iterator[Metric]:
    info = GaugeMetricFamily("tranship_gpu_info", "1, with what the GPU is.", labels=[*_DEVICE, *_INFO])
    errors = CounterMetricFamily(
        "tranship_gpu_ecc_errors", "Errors of the memory since the driver was loaded.", labels=[*_DEVICE, "kind"]
    )
    for one in readings:
        device = one.device
        _add(info, (*_labels(one), device.name, device.pci_bus_id, device.cdi_name, driver), 1.0)
        _add(errors, (*_labels(one), "corrected"), one.health.ecc_corrected)
        _add(errors, (*_labels(one), "uncorrected"), one.health.ecc_uncorrected)
    yield info
    yield errors
    for name, text, value, unit in _GAUGES:
        family = GaugeMetricFamily(f"tranship_gpu_{name}", text, labels=_DEVICE)
        for one in readings:
            _add(family, _labels(one), value(one), unit)
        yield family


def _instances(readings: Sequence[GpuReading]) -> Iterator[Metric]:
    total = GaugeMetricFamily("tranship_gpu_mig_memory_total_bytes", "Memory of a MIG instance.", labels=_INSTANCE)
    used = GaugeMetricFamily("tranship_gpu_mig_memory_used_bytes", "Its memory in use.", labels=_INSTANCE)
    for one in readings:
        labels = {mig.uuid: (*_labels(one), mig.uuid, mig.profile) for mig in one.device.mig}
        for mig in one.device.mig:
            _add(total, labels[mig.uuid], mig.memory_total_bytes)
        for read in one.mig:
            if read.uuid in labels:
                _add(used, labels[read.uuid], read.memory_used_bytes)
    yield total
    yield used


def _containers(view: FleetView, now: float) -> Iterator[Metric]:
    """Of each container on each device that it has processes on; of idleness, on all together."""
    labels = [*_CONTAINER, *_DEVICE]
    memory = GaugeMetricFamily("tranship_container_gpu_memory_used_bytes", "GPU memory it holds.", labels=labels)
    use = GaugeMetricFamily(
        "tranship_container_gpu_utilization_ratio", "Share of the GPU's multiprocessors it keeps busy.", labels=labels
    )
    idle = GaugeMetricFamily(
        "tranship_container_gpu_idle_seconds",
        "How long it holds GPU memory and computes nothing; no sample where it computes.",
        labels=_CONTAINER,
    )
    names = {key: _container_labels(view, key) for key in view.gpu_use}
    for one in view.gpus.readings:
        for key, who in names.items():
            own = [process for process in one.processes if process.container_id == key.id]
            if own:
                _add(memory, (*who, *_labels(one)), _sum([process.memory_bytes for process in own]))
                _add(use, (*who, *_labels(one)), _sum([process.sm_percent for process in own]), _ratio)
    for key, taken in view.gpu_use.items():
        if taken.idle_since is not None:
            _add(idle, names[key], max(0.0, now - taken.idle_since))
    yield memory
    yield use
    yield idle


def _container_labels(view: FleetView, key: ContainerKey) -> tuple[str, ...]:
    return key.engine.name, view.containers[key].name, key.id


def _labels(reading: GpuReading) -> tuple[str, ...]:
    return reading.device.vendor, str(reading.device.index), reading.device.uuid


def _throttled(reading: GpuReading) -> Quantity:
    reasons = reading.clocks.throttled
    return reasons if isinstance(reasons, Missing) else float(bool(reasons))


def _sum(values: Sequence[float | Missing]) -> Quantity:
    """Missing where a part of it is: a part would be read as the whole."""
    total = 0.0
    for value in values:
        if isinstance(value, Missing):
            return value
        total += value
    return total


def _add(
    family: GaugeMetricFamily | CounterMetricFamily,
    labels: Sequence[str],
    value: Quantity,
    unit: Callable[[float], float] = float,
) -> None:
    """A sample, where there is a value; labels are made inert, since people look at this text in terminals."""
    if not isinstance(value, Missing):
        family.add_metric([inert(label) for label in labels], unit(value))
