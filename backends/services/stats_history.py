"""What containers took lately, kept for the plots of one of them. Asks nobody, bounded."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
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
    """reading, use: the last that was taken in. again: how often it came once more since it was written down."""

    reading: StatsReading | None = None
    use: GpuUse | None = None
    again: int = 0
    series: dict[str, array[float]] = field(default_factory=lambda: {name: array("d") for name in SERIES})

    def write(self) -> None:
        """Write down what came again."""
        if self.again and self.reading is not None:
            _add(self.series, self.reading, self.use, min(self.again, KEPT))
            self.again = 0


class StatsHistory:
    """Give it each round of readings, with the view that they led to. One that tells nothing new is counted only."""

    def __init__(self) -> None:
        self._records: dict[ContainerKey, _Record] = {}

    def take(self, readings: Iterable[StatsReading], view: FleetView) -> None:
        """Take readings in; forget containers that are gone or have ended."""
        for reading in readings:
            key = reading.key
            if key not in view.stats:
                continue
            record = self._records.get(key)
            if record is None:
                record = self._records[key] = _Record()
            use = view.gpu_use.get(key)
            if reading is not record.reading or use is not record.use:
                record.write()
                record.reading, record.use = reading, use
            record.again += 1
        for key in self._records.keys() - view.stats.keys():
            del self._records[key]

    def series(self, key: ContainerKey) -> Mapping[str, list[float | None]]:
        """The last readings by field, oldest first; None where a value was missing. Empty where nothing was read."""
        record = self._records.get(key)
        if record is None:
            return {}
        record.write()
        return {name: [None if isnan(one) else one for one in values] for name, values in record.series.items()}


def _add(into: Mapping[str, array[float]], reading: StatsReading, use: GpuUse | None, times: int) -> None:
    values = {name: _float(getattr(reading, name)) for name in _FIELDS}
    values["gpu_percent"] = _float(use.sm_percent) if use is not None else nan
    values["gpu_memory_bytes"] = _float(use.memory_bytes) if use is not None else nan
    for name, series in into.items():
        series.extend([values[name]] * times)
        if len(series) > KEPT:
            del series[: len(series) - KEPT]


def _float(value: Quantity) -> float:
    return nan if isinstance(value, Missing) else float(value)
