"""GPUs and their MIG instances as rows of a table: pure, tested without a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from backends.model.fleet import FleetView
from backends.model.gpu import GpuReading, GpuTrace, MigInstance
from backends.model.values import Missing
from widgets.format import MISSING, number_text, percent_text, value_cell
from widgets.gpu_gauges import (
    LIT,
    LOST,
    WARNING,
    gauge,
    heat,
    pair_text,
    power_text,
    share_of,
    short_name,
    throttle_text,
    use_share,
    use_spark,
)
from widgets.gpu_given import device_key, instance_key
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.table_layout import Column
from widgets.table_rows import LazyCells, Row
from widgets.text import inert, pad, width_of

NARROW = 100  # below so many cells there is no curve, and the power stands without its limit
_PERCENT = 5  # cells of " 100%"
_PAIR = 17  # cells of " 600 MiB / 80 GiB"
_SIGNS = 5  # cells before a device's name: mark, number, space, sign


class Gauges(NamedTuple):
    """Cells of the bars and of the curve, as the table's width allows."""

    bar: int
    spark: int


def gauges_for(width: int) -> Gauges:
    """How long bars and curves are in a table of this width."""
    if width < NARROW:
        return Gauges(5, 0)
    return Gauges(10, 20) if width < 160 else Gauges(16, 40)


class DeviceFacts(NamedTuple):
    """One device as its row is drawn. idle: how many containers hold memory on it and compute nothing."""

    reading: GpuReading
    trace: GpuTrace | None
    gauges: Gauges
    lit: bool
    idle: int


class InstanceFacts(NamedTuple):
    """One MIG instance as its row is drawn. processes: how many run on it."""

    instance: MigInstance
    reading: GpuReading
    gauges: Gauges
    lit: bool
    last: bool


def device_columns(gauges: Gauges, names: int) -> tuple[Column, ...]:
    """The columns. names: cells of the longest device name."""
    narrow = not gauges.spark
    curve = (Column("trace", "LAST 5 MIN", gauges.spark, priority=6, sortable=False),) if not narrow else ()
    name = max(14, min(_SIGNS + names, 40))
    return (
        Column("device", "  #  GPU", min(20, name), flex=4, most=name, cut="end", fixed=True, sortable=False),
        Column("use", "USE", gauges.bar + _PERCENT, priority=1, sortable=False),
        *curve,
        Column("memory", "MEMORY", gauges.bar + _PAIR, priority=2, sortable=False),
        Column("heat", "TEMP", 7, align="right", priority=3, sortable=False),
        Column("power", "POWER", 6 if narrow else 11, align="right", priority=4, sortable=False),
        Column("processes", "PROC", 4, align="right", priority=7, sortable=False),
        Column("note", "", 8, flex=3, most=60, priority=8, sortable=False),
    )


def device_rows(
    view: FleetView, gauges: Gauges, lit: frozenset[str] = frozenset(), idle: Mapping[str, int] | None = None
) -> list[Row]:
    """A row for each device, below it one for each of its MIG instances; keys: `device_key`, `instance_key`.

    lit: devices or instances that are meant. idle: by device, how many containers hold memory on it idly.
    """
    rows: list[Row] = []
    for reading in view.gpus.readings:
        device, key = reading.device, device_key(reading.device)
        facts = DeviceFacts(
            reading, view.gpu_traces.get(device.uuid), gauges, lit=key in lit, idle=(idle or {}).get(key, 0)
        )
        rows.append(Row(key, LazyCells(_device_cells, facts)))
        for place, instance in enumerate(device.mig):
            name = instance_key(device, instance)
            mine = InstanceFacts(instance, reading, gauges, lit=name in lit, last=place == len(device.mig) - 1)
            rows.append(Row(name, LazyCells(_instance_cells, mine)))
    return rows


def longest_name(view: FleetView) -> int:
    """Cells of the longest name of a device."""
    return max((width_of(short_name(reading.device)) for reading in view.gpus.readings), default=0)


def _cells(facts: DeviceFacts | InstanceFacts, *cells: Line) -> tuple[Line, ...]:
    """The cells without the curve's where there is no such column."""
    return cells if facts.gauges.spark else (*cells[:2], *cells[3:])


def _device_cells(facts: DeviceFacts) -> tuple[Line, ...]:
    reading, gauges = facts.reading, facts.gauges
    device, lost = reading.device, bool(reading.condition)
    mark = (LIT if facts.lit else " ", Tone.INFO)
    sign = (LOST, Tone.BAD) if lost else (WARNING, Tone.WARN) if throttle_text(reading) else (" ", Tone.PLAIN)
    tone = Tone.STRONG if facts.lit else Tone.PLAIN
    share = share_of(reading.memory_used_bytes, device.memory_total_bytes)
    pair = MISSING if lost else pair_text(reading.memory_used_bytes, device.memory_total_bytes)
    count = MISSING if lost or reading.processes_refused else str(len(reading.processes))
    return _cells(
        facts,
        line(mark, (f"{device.index:>2} ", Tone.INFO), sign, (short_name(device), tone)),
        line(*gauge(use_share(reading), gauges.bar, tone=Tone.OK), _right(percent_text(reading.gpu_percent), _PERCENT)),
        (use_spark(facts.trace, gauges.spark),),
        line(*gauge(share, gauges.bar), _right(pair, _PAIR)),
        (heat(reading),),
        value_cell(power_text(reading) if gauges.spark else number_text(reading.power_w, "W"), tone=Tone.DIM),
        value_cell(count),
        _note(facts),
    )


def _right(text: str, cells: int) -> Span:
    return Span(pad(text, cells, "right"), Tone.FAINT if text == MISSING else Tone.PLAIN)


def _note(facts: DeviceFacts) -> Line:
    """What is to be known of a device besides numbers: that it is lost, slowed down, or held idly."""
    reading = facts.reading
    if reading.condition:
        return line((f"{LOST} {inert(reading.condition)}", Tone.BAD))
    throttled = throttle_text(reading)
    parts = [f"{WARNING} {throttled}"] if throttled else []
    if facts.idle:
        parts.append(f"{facts.idle} idle")
    return line((" · ".join(parts), Tone.WARN))


def _instance_cells(facts: InstanceFacts) -> tuple[Line, ...]:
    instance, reading, gauges = facts.instance, facts.reading, facts.gauges
    used = next((one.memory_used_bytes for one in reading.mig if one.uuid == instance.uuid), Missing("not sampled yet"))
    running = sum(process.mig_uuid == instance.uuid for process in reading.processes)
    sign = (LIT if facts.lit else " ", Tone.INFO)
    branch = ("   └ " if facts.last else "   ├ ", Tone.FAINT)
    name = inert(instance.profile) or "MIG instance"
    return _cells(
        facts,
        line(sign, branch, (f"{instance.index} ", Tone.INFO), (name, Tone.STRONG if facts.lit else Tone.PLAIN)),
        BLANK,
        BLANK,
        line(
            *gauge(share_of(used, instance.memory_total_bytes), gauges.bar),
            _right(pair_text(used, instance.memory_total_bytes), _PAIR),
        ),
        BLANK,
        BLANK,
        value_cell(str(running)),
        BLANK,
    )
