"""The demo machine: two believable GPUs that the demo's containers use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.gpu.demo import COUNT_VARIABLE, DemoProbe, demo_count
from backends.gpu.probe import use_by_container
from backends.model.container import Container, ContainerState
from backends.model.gpu import GpuSnapshot
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Missing

DEMO = EngineId(EngineKind.DEMO, "demo-docker")


def container(number: int, *gpus: str, state: ContainerState = ContainerState.RUNNING) -> Container:
    key = ContainerKey(DEMO, f"{number:064x}")
    return Container(key, f"c{number}", "train:1", "0" * 64, state, datetime(2026, 1, 1, tzinfo=UTC), gpus_given=gpus)


def test_it_is_marked_as_a_demo() -> None:
    snapshot = DemoProbe(lambda: ()).sample()
    assert snapshot.demo
    assert [reading.device.index for reading in snapshot.readings] == [0, 1]
    assert [reading.gpu_percent for reading in snapshot.readings] == [0.0, 0.0]


def test_containers_use_what_they_were_given_while_they_run() -> None:
    rows = [
        container(1, "nvidia.com/gpu=0"),
        container(2, "nvidia.com/gpu=all"),
        container(3, "2"),
        container(4),
        container(5, "nvidia.com/gpu=1", state=ContainerState.EXITED),
        container(6, "all"),
    ]
    use = use_by_container(DemoProbe(lambda: rows).sample(), [row.key for row in rows])
    assert {key.id[-1]: one.device_indexes for key, one in use.items()} == {
        "1": (0,),
        "2": (0, 1),
        "3": (0, 1),
        "6": (0, 1),
    }


def test_a_paused_container_keeps_its_memory_and_computes_nothing() -> None:
    row = container(1, "nvidia.com/gpu=0")
    running = use_by_container(DemoProbe(lambda: [row], lambda: 5.0).sample(), [row.key])[row.key]
    paused_row = replace(row, state=ContainerState.PAUSED)
    paused = use_by_container(DemoProbe(lambda: [paused_row], lambda: 5.0).sample(), [row.key])[row.key]
    assert paused.memory_bytes == running.memory_bytes != 0
    assert (paused.sm_percent, bool(running.sm_percent)) == (0.0, True)


gpus = st.sampled_from(["nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all", "1", "all", "junk"])


@given(st.lists(st.tuples(st.integers(0, 2**64), gpus), max_size=12), st.floats(0, 1e6))
def test_values_stay_believable(given_gpus: list[tuple[int, str]], now: float) -> None:
    rows = [container(number, gpu) for number, gpu in given_gpus]
    for reading in DemoProbe(lambda: rows, lambda: now).sample().readings:
        values = (reading.gpu_percent, reading.memory_percent, reading.temperature_c, reading.power_w)
        assert all(not isinstance(value, Missing) and 0 <= value <= 400 for value in values)
        assert not isinstance(reading.gpu_percent, Missing)
        assert reading.gpu_percent <= 100
        assert not isinstance(reading.memory_percent, Missing)
        assert reading.memory_percent <= 100


def big(now: float = 1000.0, *rows: Container, count: int = 16) -> GpuSnapshot:
    return DemoProbe(lambda: rows, lambda: now, count=count).sample()


def test_a_large_machine_shows_what_can_happen() -> None:
    readings = big().readings
    assert len(readings) == 16
    assert [len(one.device.mig) for one in readings if one.device.mig] == [4]
    (sliced,) = [one for one in readings if one.device.mig]
    assert isinstance(sliced.gpu_percent, Missing)
    assert {one.uuid for one in sliced.mig} >= {process.mig_uuid for process in sliced.processes} != {""}
    (lost,) = [one for one in readings if one.condition]
    assert lost.hint
    assert isinstance(lost.memory_used_bytes, Missing)
    (hot,) = [one for one in readings if one.clocks.throttled and not isinstance(one.clocks.throttled, Missing)]
    assert not isinstance(hot.temperature_c, Missing)
    assert not isinstance(hot.device.slowdown_c, Missing)
    assert hot.temperature_c > hot.device.slowdown_c
    assert [one.device.index for one in readings if one.health.ecc_uncorrected == 1] == [6]
    assert readings[0].fan_percent == Missing("Not Supported")


def test_a_notebook_holds_memory_and_computes_nothing() -> None:
    row = replace(container(1, "nvidia.com/gpu=0"), image="quay.io/jupyter/pytorch-notebook:cuda12")
    use = use_by_container(big(1000.0, row, count=2), [row.key])[row.key]
    assert use.sm_percent == 0.0
    assert not isinstance(use.memory_bytes, Missing)
    assert use.memory_bytes > 0


def test_the_second_device_meets_its_power_limit_for_a_moment() -> None:
    row = container(1, "nvidia.com/gpu=1")
    throttled = [big(float(now), row, count=2).readings[1].clocks.throttled for now in range(180)]
    assert throttled.count(("power limit reached",)) == 20
    assert throttled.count(()) == 160


def test_containers_with_mig_are_on_instances_of_their_own() -> None:
    rows = [container(number, "nvidia.com/gpu=3") for number in range(4)]
    processes = big(1000.0, *rows).readings[3].processes
    assert len({process.mig_uuid for process in processes} - {""}) == 4


def test_a_demo_without_gpus_says_so() -> None:
    assert big(count=0).absent
    assert big(count=0).demo


def test_its_past_is_an_hour_that_gets_denser() -> None:
    moments = [seen.readings[0].sampled_at for seen in DemoProbe(lambda: (), lambda: 5000.0).earlier()]
    steps = {later - before for before, later in pairwise(moments)}
    assert (moments[0], moments[-1], steps) == (1400.0, 4999.0, {15.0, 1.0})


@pytest.mark.parametrize(("text", "count"), [("", 2), ("0", 0), ("16", 16)])
def test_the_environment_says_how_many(text: str, count: int) -> None:
    assert demo_count({COUNT_VARIABLE: text}) == count
    assert demo_count({}) == 2


@pytest.mark.parametrize("text", ["17", "-1", "two", "1.5", "²"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no number from 0 to 16"):
        demo_count({COUNT_VARIABLE: text})
