"""Who holds GPU memory and computes nothing, and since when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.gpu.probe import use_by_container
from backends.model.gpu import GpuProcess, GpuSnapshot, GpuUse
from backends.model.values import Count, Missing, Quantity
from backends.services.gpu_idle import IdleWatch, watched, with_idle
from tests.unit.sampler.gpu_facts import GIB, key, process, reading, snapshot

REFUSED = Missing("Not Supported")
GAP_S = 3.0


def idle_since(*steps: tuple[float, GpuProcess, Quantity]) -> float | None:
    """Since when container 1 is idle, after readings of (second, its process, use of the device)."""
    watch = IdleWatch()
    for at, one, use in steps:
        watch = watched(watch, snapshot(reading(one, at=at, use=use)), [key(1)], GAP_S)
    return watch.since.get(key(1))


@pytest.mark.parametrize(
    ("memory", "sm", "device", "idle"),
    [
        (GIB, 0.0, 0.0, True),
        (GIB, 0.0, 90.0, True),  # somebody else computes on the device
        (GIB, 0.5, 1.0, False),
        (0, 0.0, 0.0, False),  # holds nothing
        (REFUSED, 0.0, 0.0, False),  # nobody knows whether it holds any
        (GIB, REFUSED, 0.0, True),  # the whole device computes nothing
        (GIB, REFUSED, 5.0, False),  # it may be this one or another
        (GIB, REFUSED, REFUSED, False),
    ],
)
def test_idle_is_what_holds_memory_and_is_known_to_compute_nothing(
    memory: Count, sm: Quantity, device: Quantity, idle: bool
) -> None:
    since = idle_since((7.0, process(1, sm, memory), device))
    assert since == (7.0 if idle else None)


def test_it_is_idle_since_the_first_reading_without_a_break() -> None:
    idle, busy = process(1, 0.0), process(1, 3.0)
    assert idle_since((1.0, idle, 0.0), (2.0, idle, 0.0), (3.0, idle, 0.0)) == 1.0
    assert idle_since((1.0, idle, 0.0), (2.0, busy, 3.0), (3.0, idle, 0.0)) == 3.0
    assert idle_since((1.0, idle, 0.0), (2.0, process(1, REFUSED), REFUSED), (3.0, idle, 0.0)) == 3.0


def test_what_was_computed_while_nobody_looked_is_not_known() -> None:
    idle = process(1, 0.0)
    assert idle_since((1.0, idle, 0.0), (4.0, idle, 0.0)) == 1.0
    assert idle_since((1.0, idle, 0.0), (4.5, idle, 0.0)) == 4.5


def test_one_busy_process_of_several_is_enough() -> None:
    first = reading(process(1, 0.0), at=1.0, use=0.0)
    second = reading(process(1, 9.0, on=1), at=1.0, use=9.0)
    watch = watched(IdleWatch(), snapshot(first, second), [key(1)], GAP_S)
    assert watch.since == {}


def test_a_moment_without_readings_is_no_news() -> None:
    watch = watched(IdleWatch(), snapshot(reading(process(1, 0.0), at=1.0)), [key(1)], GAP_S)
    assert watched(watch, GpuSnapshot(absent="gone"), [key(1)], GAP_S) is watch


def test_uses_are_told_with_their_places_and_their_idleness() -> None:
    on_slice = replace(process(1, 0.0, on=1, pid=2), mig_uuid="MIG-1")
    seen = snapshot(reading(process(1, 0.0), at=1.0), reading(on_slice, process(2, 5.0, on=1), at=1.0))
    keys = [key(1), key(2), key(3)]
    use = with_idle(use_by_container(seen, keys), watched(IdleWatch(), seen, keys, GAP_S))
    assert use == {
        key(1): GpuUse(2 * GIB, 0.0, (0,), ("NVIDIA-0", "NVIDIA-1"), ("MIG-1",), idle_since=1.0),
        key(2): GpuUse(GIB, 5.0, (0,), ("NVIDIA-1",)),
    }
