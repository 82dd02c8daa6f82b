"""GPU-hours and memory-hours: what is counted for whom, in exact units."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.gpu import GpuProcess, MigInstance
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Missing
from backends.services.gpu_usage import NOBODY, Spender, Spent, spent
from backends.services.gpu_usage_file import Usage
from backends.services.gpu_usage_report import By, report
from tests.unit.sampler.gpu_facts import GIB, container, device, key, process, reading, snapshot

REFUSED = Missing("Not Supported")
CONTAINERS = {key(number): container(number) for number in range(4)}
HOUR_S = 3600


def who(number: int, user: int = 1000) -> Spender:
    return Spender("docker", key(number).id, user)


def test_a_device_that_is_held_counts_whole_and_its_use_in_part() -> None:
    assert spent(snapshot(reading(process(1, 40.0, 2 * GIB))), CONTAINERS, 10.0) == {
        who(1): Spent(held_s=10.0, busy_s=4.0, memory_byte_s=20.0 * GIB)
    }


def test_each_device_counts_and_several_processes_on_one_count_once() -> None:
    first = reading(process(1, 40.0, pid=1), process(1, 30.0, pid=2))
    second = reading(process(1, 50.0, on=1), of=device(1))
    assert spent(snapshot(first, second), CONTAINERS, 2.0) == {
        who(1): Spent(held_s=4.0, busy_s=2.4, memory_byte_s=6.0 * GIB)
    }


def test_containers_that_share_a_device_hold_it_each() -> None:
    both = spent(snapshot(reading(process(1, 10.0), process(2, 20.0, pid=2))), CONTAINERS, 1.0)
    assert [both[who(number)].held_s for number in (1, 2)] == [1.0, 1.0]


def test_users_in_one_container_share_what_it_holds() -> None:
    parts = (process(1, 12.5, user=1), process(1, 25.0, 3 * GIB, pid=2, user=2), process(1, 0.0, 0, pid=3, user=None))
    assert spent(snapshot(reading(*parts)), CONTAINERS, 3.0) == {
        who(1, 1): Spent(1.0, 0.375, memory_byte_s=3.0 * GIB),
        who(1, 2): Spent(1.0, 0.75, memory_byte_s=9.0 * GIB),
        who(1, NOBODY): Spent(1.0),
    }


def test_processes_of_no_container_or_of_an_unknown_one_are_not_counted() -> None:
    assert spent(snapshot(reading(process(-1), process(77, pid=2))), CONTAINERS, 1.0) == {}


@pytest.mark.parametrize(
    ("others", "use", "busy_s", "unknown_s"),
    [
        ([], 70.0, 0.7, 0.0),  # alone: the device's own use is this container's
        ([process(-1, pid=9)], 70.0, 0.0, 1.0),
        ([process(2, pid=9)], 70.0, 0.0, 1.0),
        ([], REFUSED, 0.0, 1.0),
    ],
)
def test_where_the_driver_tells_no_use_per_process(
    others: list[GpuProcess], use: float | Missing, busy_s: float, unknown_s: float
) -> None:
    seen = snapshot(reading(process(1, REFUSED), *others, use=use))
    one = spent(seen, CONTAINERS, 1.0)[who(1)]
    assert (one.busy_s, one.busy_unknown_s) == (busy_s, unknown_s)


def test_memory_that_is_not_told_is_unknown_and_no_zero() -> None:
    assert spent(snapshot(reading(process(1, 0.0, REFUSED))), CONTAINERS, 5.0) == {
        who(1): Spent(held_s=5.0, memory_unknown_s=5.0)
    }


def test_a_mig_instance_counts_as_its_part_of_the_memory() -> None:
    sliced = replace(
        device(),
        mig=tuple(MigInstance(n, f"MIG-{n}", memory_total_bytes=size * GIB) for n, size in enumerate((20, 40))),
    )

    def held(*uuids: str) -> float:
        parts = [replace(process(1, 0.0, pid=pid), mig_uuid=uuid) for pid, uuid in enumerate(uuids)]
        return spent(snapshot(reading(*parts, of=sliced)), CONTAINERS, 8.0)[who(1)].held_s

    assert held("MIG-0") == held("MIG-0", "MIG-0") == 2.0
    assert held("MIG-0", "MIG-1") == 6.0
    assert held("MIG-gone") == held("") == 8.0


def test_a_container_that_two_engines_list_is_counted_once() -> None:
    twin = ContainerKey(EngineId(EngineKind.PODMAN, "podman"), key(1).id)
    both = CONTAINERS | {twin: replace(container(1), key=twin)}
    assert spent(snapshot(reading(process(1))), both, 1.0).keys() == {who(1)}


_parts = st.builds(
    process,
    st.integers(-1, 5),
    st.floats(0, 100) | st.just(REFUSED),
    st.integers(0, 80 * GIB) | st.just(REFUSED),
    pid=st.integers(1, 9),
    user=st.none() | st.integers(0, 3),
)


@given(st.lists(st.lists(_parts, max_size=6), max_size=4), st.floats(0, 100), st.floats(0, 60))
def test_nobody_gets_more_than_there_is(parts: list[list[GpuProcess]], use: float, seconds: float) -> None:
    readings = [reading(*own, use=use, of=device(index)) for index, own in enumerate(parts)]
    held: dict[str, float] = {}
    for spender, one in spent(snapshot(*readings), CONTAINERS, seconds).items():
        assert 0 <= one.busy_unknown_s <= one.held_s + 1e-9
        assert 0 <= one.memory_unknown_s <= one.held_s + 1e-9
        assert 0 <= one.busy_s <= seconds * len(readings) + 1e-9
        held[spender.container] = held.get(spender.container, 0.0) + one.held_s
    assert all(total <= seconds * len(readings) + 1e-6 for total in held.values())


def row(hour: int, number: int, user: int, taken: Spent, image: str = "train:1", name: str = "") -> Usage:
    return Usage(hour * HOUR_S, who(number, user), name or f"c{number}", image, taken)


ROWS = [
    row(1, 1, 1000, Spent(3600.0, 1800.0, memory_byte_s=3600.0 * GIB), name="old"),
    row(3, 1, 1000, Spent(1800.0, 0.0, 1800.0, 0.0, 1800.0), name="new"),
    row(2, 2, 0, Spent(7200.0, 3600.0, memory_byte_s=7200.0 * GIB), "docker.io/library/train:1"),
    row(2, 3, 0, Spent(360.0, 0.0, 360.0, 0.0, 360.0), "sha256:" + "a" * 64),
]


def test_usage_by_container_has_the_last_name_and_what_is_not_known() -> None:
    second, first, third = report(ROWS, By.CONTAINER)
    assert (first.name, first.held_hours, first.busy_hours, first.memory_gib_hours) == ("new", 1.5, 0.5, 1.0)
    assert (first.begun_at, first.ended_at) == (1 * HOUR_S, 4 * HOUR_S)
    assert (first.busy_unknown_hours, first.memory_unknown_hours) == (0.5, 0.5)
    assert (second.name, second.held_hours, second.user_id) == ("c2", 2.0, None)
    assert (third.busy_hours, third.memory_gib_hours, third.busy_unknown_hours) == (None, None, 0.1)


@pytest.mark.parametrize(
    ("by", "sums"),
    [
        (By.IMAGE, {"docker.io/library/train:1": 3.5, "sha256:" + "a" * 64: 0.1}),
        (By.USER, {0: 2.1, 1000: 1.5}),
        (By.ENGINE, {"docker": 3.6}),
    ],
)
def test_usage_by_other_things(by: By, sums: dict[object, float]) -> None:
    lines = report(ROWS, by)
    names = {By.IMAGE: "image", By.USER: "user_id", By.ENGINE: "engine"}
    assert {getattr(line, names[by]): line.held_hours for line in lines} == pytest.approx(sums)
    assert [line.held_hours for line in lines] == sorted((line.held_hours for line in lines), reverse=True)
