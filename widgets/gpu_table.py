"""The table of GPUs: one row for each device, one for each MIG instance below it. Acts on nothing."""

from __future__ import annotations

from collections.abc import Mapping

from backends.model.fleet import FleetView
from backends.model.gpu import GpuReading
from widgets.gpu_given import device_key, instance_key
from widgets.gpu_rows import device_columns, device_rows, gauges_for, longest_name
from widgets.live_table import HEADER_LINES, LiveTable
from widgets.text import inert

_NOBODY: Mapping[str, int] = {}


class GpuTable(LiveTable):
    """GPUs of this machine, as high as its rows. Keys of its rows are device and instance keys."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(device_columns(gauges_for(0), 0), empty="", name=name, id=id, classes=classes)
        self._view = FleetView()
        self._lit: frozenset[str] = frozenset()
        self._idle = _NOBODY

    def show(self, view: FleetView, *, lit: frozenset[str] = frozenset(), idle: Mapping[str, int] = _NOBODY) -> None:
        """Show the newest view. lit: rows to mark; idle: by device, how many containers hold memory on it idly."""
        pointed_elsewhere = lit != self._lit
        self._view, self._lit, self._idle = view, lit, idle
        gauges = gauges_for(self.size.width)
        self.set_columns(device_columns(gauges, longest_name(view)))
        rows = device_rows(view, gauges, lit, idle)
        self.styles.height = len(rows) + HEADER_LINES
        self.show_rows(rows)
        if pointed_elsewhere:
            self._bring_in_sight(lit)

    def _bring_in_sight(self, keys: frozenset[str]) -> None:
        """Scroll to the first of the marked rows where none of them is in sight; the cursor stays."""
        places = sorted(self._index[key] for key in keys if key in self._index)
        if places and not any(map(self._in_sight, places)):
            self.scroll_to(y=places[0], animate=False, immediate=True)

    def on_resize(self) -> None:
        """Another width has longer or shorter bars."""
        self.show(self._view, lit=self._lit, idle=self._idle)

    @property
    def chosen(self) -> str:
        """The key of the device or instance under the cursor, "" where there is none."""
        return self.cursor_key if isinstance(self.cursor_key, str) else ""

    @property
    def instance(self) -> str:
        """The MIG instance under the cursor, as people say it: "MIG 0 1g.10gb"; "" where that is a device."""
        device = self.reading.device if self.reading is not None else None
        for one in device.mig if device is not None else ():
            if device is not None and instance_key(device, one) == self.chosen:
                return f"MIG {one.index} {inert(one.profile)}".rstrip()
        return ""

    @property
    def reading(self) -> GpuReading | None:
        """Of the device under the cursor, or of the one that the instance under it belongs to."""
        for reading in self._view.gpus.readings:
            device = reading.device
            if self.chosen in {device_key(device), *(instance_key(device, one) for one in device.mig)}:
                return reading
        return None
