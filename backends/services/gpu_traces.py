"""What each GPU did lately, kept as averages of fixed steps. Pure: a recording in, the next one out; reads no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from backends.model.gpu import HOUR_S, HOUR_STEP_S, RECENT_S, RECENT_STEP_S, GpuReading, GpuSnapshot, GpuTrace
from backends.model.values import Missing, Quantity

_NO_RECORDS: Mapping[str, Record] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Series:
    """Averages by steps, oldest first; the last one is of the step that is still going on.

    step: that one's number, counted from the clock's zero. total, count: of the values read in it.
    """

    values: tuple[float | None, ...] = ()
    step: int = 0
    total: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One device's series, and when it was last read (monotonic seconds)."""

    read_at: float
    recent_use: Series = Series()
    recent_memory: Series = Series()
    hour_use: Series = Series()
    hour_memory: Series = Series()


@dataclass(frozen=True, slots=True)
class Recording:
    """All devices' records, by uuid."""

    records: Mapping[str, Record] = field(default_factory=lambda: _NO_RECORDS)

    def traces(self) -> Mapping[str, GpuTrace]:
        """What screens draw, by uuid."""
        return MappingProxyType({uuid: _trace(record) for uuid, record in self.records.items()})


def recorded(before: Recording, snapshot: GpuSnapshot, gap_s: float) -> Recording:
    """The recording with one more snapshot.

    gap_s: a value stands for the time since the one before, where that is no longer than this; what lies further apart
    was not read. A device that is gone keeps its record until an hour has passed; one without a uuid has none.
    """
    records = dict(before.records)
    newest = max((reading.sampled_at for reading in snapshot.readings), default=None)
    for reading in snapshot.readings:
        if reading.device.uuid:
            records[reading.device.uuid] = _with_reading(records.get(reading.device.uuid), reading, gap_s)
    if newest is not None:
        records = {uuid: record for uuid, record in records.items() if newest - record.read_at <= HOUR_S}
    return Recording(MappingProxyType(records))


def added(series: Series, at: float, value: float | None, *, step_s: float, length: int, held: bool) -> Series:
    """The series with one more value.

    at: its moment in seconds; one that lies before the last step changes nothing. value: None = not read.
    held: whether it also stands for the steps that were passed over since the last one.
    """
    step = int(at // step_s)
    if not series.values:
        return _begun((), step, value, length)
    passed = step - series.step
    if passed < 0 or (passed == 0 and value is None):
        return series
    if passed == 0 and value is not None:
        total, count = series.total + value, series.count + 1
        return Series((*series.values[:-1], total / count), step, total, count)
    between = (value if held else None,) * min(passed - 1, length)
    return _begun((*series.values, *between), step, value, length)


def _begun(before: tuple[float | None, ...], step: int, value: float | None, length: int) -> Series:
    values = (*before, value)[-length:]
    return Series(values, step) if value is None else Series(values, step, value, 1)


def _with_reading(before: Record | None, reading: GpuReading, gap_s: float) -> Record:
    at = reading.sampled_at
    record = before or Record(at)
    held = at - record.read_at <= gap_s
    use, memory = _number(reading.gpu_percent), _number(reading.memory_percent)

    def recent(series: Series, value: float | None) -> Series:
        return added(series, at, value, step_s=RECENT_STEP_S, length=RECENT_S // RECENT_STEP_S, held=held)

    def hour(series: Series, value: float | None) -> Series:
        return added(series, at, value, step_s=HOUR_STEP_S, length=HOUR_S // HOUR_STEP_S, held=held)

    return Record(
        read_at=at,
        recent_use=recent(record.recent_use, use),
        recent_memory=recent(record.recent_memory, memory),
        hour_use=hour(record.hour_use, use),
        hour_memory=hour(record.hour_memory, memory),
    )


def _trace(record: Record) -> GpuTrace:
    return GpuTrace(
        recent_use=record.recent_use.values,
        recent_memory=record.recent_memory.values,
        hour_use=record.hour_use.values,
        hour_memory=record.hour_memory.values,
    )


def _number(value: Quantity) -> float | None:
    return None if isinstance(value, Missing) else float(value)
