"""What the plots are drawn from: every reading counts, also those that told nothing new."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backends.model.container import StatsReading
from backends.model.fleet import FleetView
from backends.model.gpu import GpuUse
from backends.model.ids import ContainerKey
from backends.services.stats_history import KEPT, StatsHistory
from tests.unit.services.fleet_facts import key


def _view(*readings: StatsReading, use: Mapping[ContainerKey, GpuUse] | None = None) -> FleetView:
    stats = MappingProxyType({one.key: one for one in readings})
    return FleetView(stats=stats, gpu_use=MappingProxyType(dict(use or {})))


def test_a_reading_that_came_again_is_drawn_again() -> None:
    history, quiet, busy = StatsHistory(), StatsReading(key(1), 1.0, 0.0), StatsReading(key(1), 4.0, 50.0)
    for reading in (quiet, quiet, quiet, busy):
        history.take([reading], _view(reading))
    assert history.series(key(1))["cpu_percent"] == [0.0, 0.0, 0.0, 50.0]
    history.take([busy], _view(busy))
    series = history.series(key(1))
    assert series["cpu_percent"] == [0.0, 0.0, 0.0, 50.0, 50.0]
    assert series["memory_bytes"] == [None] * 5, "what was not read is no 0"


def test_another_use_of_gpus_is_told_apart_where_the_reading_is_the_same() -> None:
    history, one = StatsHistory(), StatsReading(key(1), 1.0, 0.0)
    for percent in (10.0, 10.0, 90.0):
        history.take([one], _view(one, use={key(1): GpuUse(1, percent)}))
    assert history.series(key(1))["gpu_percent"] == [10.0, 10.0, 90.0]


def test_it_is_bounded_and_forgets_what_is_gone() -> None:
    history, quiet, busy = StatsHistory(), StatsReading(key(1), 1.0, 0.0), StatsReading(key(1), 4.0, 50.0)
    for _ in range(KEPT + 50):
        history.take([quiet], _view(quiet))
    history.take([busy], _view(busy))
    kept = history.series(key(1))["cpu_percent"]
    assert (len(kept), kept[-2:]) == (KEPT, [0.0, 50.0])
    other = StatsReading(key(2), 1.0, 0.0)
    history.take([other, busy], _view(other))
    assert history.series(key(1)) == {}
    assert history.series(key(2))["cpu_percent"] == [0.0]
