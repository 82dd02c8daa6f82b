"""The reducer: what the view is after any changes in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.model.container import Container, ContainerState, Mount, MountKind, StatsReading
from backends.model.errors import Unreachable
from backends.model.events import ConnectionState, Link, OperationUpdate, Phase
from backends.model.fleet import EngineView, FleetView
from backends.model.gpu import GpuSnapshot, GpuUse
from backends.model.ids import ContainerKey
from backends.services.changes import (
    Change,
    ContainerGone,
    ContainerSeen,
    ContainersListed,
    EngineAdded,
    GpusSampled,
    LinkChanged,
    OperationChanged,
    StatsSampled,
)
from backends.services.store import Store, reduce
from tests.unit.services.fleet_facts import LONG_AGO, ONE, TWO, key, row

_states = st.sampled_from(list(ContainerState))
_numbers = st.integers(min_value=0, max_value=6)
_engines = st.sampled_from([ONE, TWO])


@st.composite
def _rows(draw: st.DrawFn) -> Container:
    return row(draw(_numbers), draw(_engines), draw(_states), draw(st.sampled_from(["a", "b"])))


def _reading(of: ContainerKey) -> StatsReading:
    return StatsReading(of, 1.0, cpu_percent=3.0)


@st.composite
def _changes(draw: st.DrawFn) -> Change:
    which = draw(st.integers(min_value=0, max_value=5))
    one = draw(_rows())
    choices: list[Change] = [
        ContainerSeen(one),
        ContainerGone(one.key),
        StatsSampled(one.key.engine, {one.key: _reading(one.key)}),
        GpusSampled(GpuSnapshot(), {one.key: GpuUse(1, 2.0)}),
        LinkChanged(one.key.engine, ConnectionState(draw(st.sampled_from([Link.LOST, Link.CONNECTED])))),
        ContainersListed(one.key.engine, (one,)),
    ]
    return choices[which]


def _after(*changes: Change, view: FleetView | None = None) -> FleetView:
    view = view or FleetView()
    for change in changes:
        view = reduce(view, change)
    return view


@settings(deadline=None)
@given(st.lists(_changes()), st.lists(_rows(), unique_by=lambda one: one.key), st.randoms())
def test_any_events_in_any_order_and_a_final_list_give_the_same_rows(
    changes: list[Change], final: list[Container], dice: object
) -> None:
    lists = [ContainersListed(engine, tuple(one for one in final if one.key.engine == engine)) for engine in (ONE, TWO)]
    shuffled = list(changes) + changes[: len(changes) // 2]
    dice.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random, its strategy is untyped
    for order in (changes, shuffled):
        assert dict(_after(*order, *lists).containers) == {one.key: one for one in final}


@settings(deadline=None)
@given(st.lists(_changes()))
def test_readings_belong_to_living_containers_only(changes: list[Change]) -> None:
    view = _after(*changes)
    for of in (*view.stats, *view.gpu_use):
        assert view.containers[of].state.alive


@settings(deadline=None)
@given(st.lists(_changes()), _changes())
def test_the_version_grows_where_something_is_new_and_a_repetition_is_nothing_new(
    changes: list[Change], last: Change
) -> None:
    before = _after(*changes)
    after = reduce(before, last)
    assert after is before or after.version == before.version + 1
    assert reduce(after, last) is after


@settings(deadline=None)
@given(st.lists(_changes()))
def test_a_view_is_never_changed_afterwards(changes: list[Change]) -> None:
    view = FleetView()
    for change in changes:
        kept = (dict(view.containers), dict(view.stats), view.version)
        following = reduce(view, change)
        assert (dict(view.containers), dict(view.stats), view.version) == kept
        view = following


def test_what_a_view_holds_cannot_be_written() -> None:
    view = _after(ContainersListed(ONE, (row(1),)))
    with pytest.raises(TypeError):
        view.containers[key(2)] = row(2)  # type: ignore[index]  # that it is refused is the point


def test_a_lost_engine_keeps_its_rows_and_what_it_said_of_itself() -> None:
    lost = ConnectionState(Link.LOST, Unreachable("gone"), 5.0)
    view = _after(
        EngineAdded(EngineView(ONE, ConnectionState(Link.CONNECTED), endpoint="unix:///x")),
        EngineAdded(EngineView(TWO, ConnectionState(Link.CONNECTED))),
        ContainersListed(ONE, (row(1),)),
        ContainersListed(TWO, (row(2, TWO),)),
        LinkChanged(ONE, lost),
    )
    assert view.engines[ONE].stale
    assert view.engines[ONE].endpoint == "unix:///x"
    assert not view.engines[TWO].stale
    assert set(view.containers) == {key(1), key(2, TWO)}


def test_readings_go_with_their_container() -> None:
    sampled = StatsSampled(ONE, {key(1): _reading(key(1)), key(2): _reading(key(2))})
    view = _after(ContainersListed(ONE, (row(1), row(2))), sampled)
    assert set(view.stats) == {key(1), key(2)}
    assert set(reduce(view, ContainerGone(key(1))).stats) == {key(2)}
    assert set(reduce(view, ContainerSeen(row(1, state=ContainerState.EXITED))).stats) == {key(2)}
    assert set(reduce(view, ContainersListed(ONE, (row(1),))).stats) == {key(1)}


def test_an_operation_is_seen_from_its_start_to_its_end() -> None:
    begun = OperationUpdate(7, "container.stop", key(1), "c1", Phase.STARTED)
    view = _after(ContainersListed(ONE, (row(1),)), OperationChanged(begun))
    assert view.operations[key(1)] == begun
    other = replace(begun, operation=8, phase=Phase.FAILED)
    assert reduce(view, OperationChanged(other)) is view
    for last in (Phase.DONE, Phase.FAILED, Phase.CANCELLED):
        assert not reduce(view, OperationChanged(replace(begun, phase=last))).operations


def test_watchers_hear_of_what_is_new_until_they_end_it() -> None:
    store, seen = Store(), list[int]()
    end = store.subscribe(lambda view: seen.append(view.version))
    store.apply(ContainersListed(ONE, (row(1),)))
    store.apply(ContainersListed(ONE, (row(1),)))
    end()
    end()
    store.apply(ContainerGone(key(1)))
    assert seen == [1]
    assert store.view.version == 2


def test_a_list_that_tells_less_takes_nothing_away() -> None:
    rich = replace(
        row(1), started_at=LONG_AGO, gpus_given=("nvidia.com/gpu=0",), mounts=(Mount(MountKind.VOLUME, "v", "/v"),)
    )
    coarse = replace(rich, started_at=None, gpus_given=(), mounts=(Mount(MountKind.OTHER, "", "/v"),))
    view = _after(ContainersListed(ONE, (coarse,)), ContainerSeen(rich))
    assert reduce(view, ContainersListed(ONE, (coarse,))) is view
    ended = replace(coarse, state=ContainerState.EXITED, exit_code=3)
    after = reduce(view, ContainersListed(ONE, (ended,))).containers[key(1)]
    assert (after.state, after.exit_code) == (ContainerState.EXITED, 3)
    assert (after.gpus_given, after.mounts) == (rich.gpus_given, rich.mounts)
    again = replace(coarse, started_at=LONG_AGO + timedelta(seconds=5))
    assert reduce(view, ContainersListed(ONE, (again,))).containers[key(1)].started_at == again.started_at
