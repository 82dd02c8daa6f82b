"""Rows that are told to look alike are drawn alike: what is compared in haste leaves out nothing that is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from backends.model.container import Container, ContainerState, Health, StatsReading
from backends.model.gpu import GpuUse
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Missing
from widgets.container_rows import cells_of, looks_of
from widgets.container_sort import Facts

KEY = ContainerKey(EngineId(EngineKind.DOCKER, "docker"), "a" * 64)
ROW = Container(KEY, "web", "i:1", "", ContainerState.RUNNING, datetime(2026, 1, 1, tzinfo=UTC))
_NOT = Missing("no cgroup")
_shares = st.one_of(
    st.floats(0, 300, allow_nan=False), st.sampled_from([0.0, 0.049, 0.05, 0.051, 99.95]), st.just(_NOT)
)
_sizes = st.one_of(st.integers(0, 1 << 40), st.sampled_from([0, 1023, 1024, 1 << 20]), st.just(_NOT))


def _stats(cpu: float | Missing, used: int | Missing, limit: int | Missing) -> StatsReading:
    return StatsReading(KEY, 1.0, cpu, used, limit, 0.0, 0.0, 0.0, 0.0, 1)


facts = st.builds(
    Facts,
    container=st.builds(
        lambda state, health: replace(ROW, state=state, health=health),
        st.sampled_from([ContainerState.RUNNING, ContainerState.EXITED, ContainerState.PAUSED]),
        st.sampled_from(list(Health)),
    ),
    stats=st.one_of(st.none(), st.builds(_stats, _shares, _sizes, _sizes)),
    gpu=st.one_of(st.none(), st.builds(lambda sm, used: GpuUse(used, sm), _shares, _sizes)),
    age=st.sampled_from(["1s", "2s"]),
    host_bytes=st.sampled_from([0, 1 << 34]),
    gpus=st.sampled_from(["", "0", "0→1"]),
    lit=st.booleans(),
    idle=st.sampled_from(["", "1h"]),
)


@given(facts, facts)
def test_what_looks_alike_has_the_same_cells(one: Facts, other: Facts) -> None:
    assert (looks_of(one) == looks_of(other)) <= (cells_of(one) == cells_of(other))


@given(facts)
def test_a_later_reading_of_the_same_looks_alike(one: Facts) -> None:
    later = one._replace(stats=replace(one.stats, sampled_at=2.0) if one.stats else None)
    assert looks_of(one) == looks_of(later)
