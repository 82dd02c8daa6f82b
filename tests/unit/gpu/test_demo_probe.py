"""The demo machine: two believable GPUs that the demo's containers use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from backends.gpu.demo import DemoProbe
from backends.gpu.probe import use_by_container
from backends.model.container import Container, ContainerState
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
