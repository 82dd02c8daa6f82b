"""What a GPU did lately: averages by steps, gaps where nothing was read, no more than five minutes and an hour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.gpu import GpuTrace
from backends.model.values import Missing
from backends.services.gpu_traces import Recording, recorded
from tests.unit.sampler.gpu_facts import device, reading, snapshot

GAP_S = 3.0
UUID = device().uuid


def traced(*values: tuple[float, float | None], gap_s: float = GAP_S) -> GpuTrace:
    """The trace of one device that was read at these seconds with these percentages (None: refused)."""
    recording = Recording()
    for at, value in values:
        quantity = Missing("refused") if value is None else value
        recording = recorded(recording, snapshot(reading(at=at, use=quantity, memory=quantity)), gap_s)
    return recording.traces()[UUID]


def test_a_value_each_second_is_kept_as_it_is() -> None:
    assert traced((0.0, 1.0), (1.0, 2.0), (2.0, 3.0)).recent_use == (1.0, 2.0, 3.0)


def test_values_of_one_step_are_averaged() -> None:
    trace = traced((10.0, 10.0), (10.5, 30.0), (11.0, 50.0))
    assert trace.recent_use == (20.0, 50.0)
    assert trace.hour_use == (30.0,)


def test_the_hour_has_steps_of_fifteen_seconds() -> None:
    trace = traced(*((float(second), float(second)) for second in range(31)))
    assert trace.hour_use == (7.0, 22.0, 30.0)
    assert trace.hour_memory == trace.hour_use


def test_a_refused_value_is_a_gap_and_no_zero() -> None:
    assert traced((0.0, 1.0), (1.0, None), (2.0, 3.0)).recent_use == (1.0, None, 3.0)


def test_seconds_that_nobody_read_are_a_gap() -> None:
    assert traced((0.0, 1.0), (5.0, 2.0)).recent_use == (1.0, None, None, None, None, 2.0)


@pytest.mark.parametrize("interval_s", [2.0, 1.02])
def test_a_slow_or_late_reading_leaves_no_holes(interval_s: float) -> None:
    trace = traced(*((number * interval_s, 7.0) for number in range(60)))
    assert set(trace.recent_use) == {7.0}


def test_a_device_without_a_uuid_has_no_trace_and_one_that_is_gone_is_forgotten_after_an_hour() -> None:
    second = device(1)
    recording = recorded(Recording(), snapshot(reading(at=0.0, use=1.0), reading(of=second, at=0.0, use=1.0)), GAP_S)
    later = recorded(recording, snapshot(reading(at=3600.0, use=1.0)), GAP_S)
    assert set(later.traces()) == {UUID, second.uuid}
    assert set(recorded(later, snapshot(reading(at=3601.0, use=1.0)), GAP_S).traces()) == {UUID}
    nameless = device().__class__(0, "", "unreadable GPU", "NVIDIA")
    assert recorded(Recording(), snapshot(reading(of=nameless, use=1.0)), GAP_S).traces() == {}


def test_a_clock_that_goes_back_changes_nothing_that_is_told() -> None:
    assert traced((10.0, 1.0), (8.0, 9.0)).recent_use == (1.0,)


_samples = st.lists(st.tuples(st.floats(0.01, 900.0), st.none() | st.floats(0.0, 100.0)), min_size=1, max_size=60)


@given(_samples, st.floats(0.5, 120.0), st.floats(-5000.0, 1e6))
def test_any_readings_stay_within_their_bounds(
    steps: list[tuple[float, float | None]], gap_s: float, start: float
) -> None:
    at, values = start, []
    for passed, value in steps:
        at += passed
        values.append((at, value))
    trace = traced(*values, gap_s=gap_s)
    assert 1 <= len(trace.recent_use) == len(trace.recent_memory) <= 300
    assert 1 <= len(trace.hour_use) == len(trace.hour_memory) <= 240
    read = [value for _, value in values if value is not None]
    for told in (*trace.recent_use, *trace.hour_use):
        if told is not None:
            assert min(read) - 1e-9 <= told <= max(read) + 1e-9


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=400))
def test_an_hour_s_average_is_that_of_its_seconds(values: list[float]) -> None:
    trace = traced(*((float(second), value) for second, value in enumerate(values)))
    parts = [values[first : first + 15] for first in range(0, len(values), 15)]
    assert trace.hour_use == pytest.approx([sum(part) / len(part) for part in parts])
