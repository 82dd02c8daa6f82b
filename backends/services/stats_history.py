"""What containers took lately, kept from view to view for the plots of one of them. Asks nobody, bounded."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan

from backends.model.container import StatsReading
from backends.model.fleet import FleetView
from backends.model.gpu import GpuUse
from backends.model.ids import ContainerKey
from backends.model.values import Missing, Quantity

KEPT = 300  # readings of each container: five minutes at the usual pace
_FIELDS = (
    "cpu_percent",
    "memory_bytes",
    "net_rx_bytes_per_s",
    "net_tx_bytes_per_s",
    "block_read_bytes_per_s",
    "block_write_bytes_per_s",
)
GPU_FIELDS = ("gpu_percent", "gpu_memory_bytes")
SERIES = (*_FIELDS, *GPU_FIELDS)


@dataclass(slots=True)
class _Record:
    sampled_at: float = -1.0
    series: dict[str, array[float]] = field(default_factory=lambda: {name: array("d") for name in SERIES})


class StatsHistory:
    """Give it each view; it takes the readings that are new."""

    def __init__(self) -> None:
        self._records: dict[ContainerKey, _Record] = {}
        self._seen: Mapping[ContainerKey, StatsReading] | None = None

    def take(self, view: FleetView) -> None:
        """Take in what is new of a view; forget containers that are gone or have ended."""
        if view.stats is self._seen:
            return
        self._seen = view.stats
        for key, reading in view.stats.items():
            record = self._records.get(key)
            if record is None:
                record = self._records[key] = _Record()
            if reading.sampled_at != record.sampled_at:
                record.sampled_at = reading.sampled_at
                _add(record, reading, view.gpu_use.get(key))
        for key in self._records.keys() - view.stats.keys():
            del self._records[key]

    def series(self, key: ContainerKey) -> Mapping[str, list[float | None]]:
        """The last readings by field, oldest first; None where a value was missing. Empty where nothing was read."""
        record = self._records.get(key)
        if record is None:
            return {}
        return {name: [None if isnan(one) else one for one in values] for name, values in record.series.items()}


def _add(record: _Record, reading: StatsReading, use: GpuUse | None) -> None:
    values = {name: _float(getattr(reading, name)) for name in _FIELDS}
    values["gpu_percent"] = _float(use.sm_percent) if use is not None else nan
    values["gpu_memory_bytes"] = _float(use.memory_bytes) if use is not None else nan
    for name, series in record.series.items():
        series.append(values[name])
        if len(series) > KEPT:
            del series[: len(series) - KEPT]


def _float(value: Quantity) -> float:
    return nan if isinstance(value, Missing) else float(value)
