"""Processes to containers, containers to what they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from backends.cgroups.processes import ProcessFacts
from backends.gpu.probe import join, use_by_container, with_cdi_names
from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot, MigInstance
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.values import Count, Missing, Quantity

A, B = "a" * 64, "b" * 64
DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")
UNTOLD = Missing("the driver does not tell a process's memory")


def process(pid: int, index: int = 0, memory: Count = 10, sm: Quantity = 5.0, container: str = "") -> GpuProcess:
    return GpuProcess(pid, f"GPU-{index}", memory, sm, container)


def snapshot(*processes: GpuProcess, devices: int = 2) -> GpuSnapshot:
    return GpuSnapshot(
        tuple(
            GpuReading(
                GpuDevice(index, f"GPU-{index}", "H100", "NVIDIA"),
                1.0,
                processes=tuple(one for one in processes if one.device_uuid == f"GPU-{index}"),
            )
            for index in range(devices)
        )
    )


def test_each_pid_is_looked_up_once_and_only_where_it_is_not_known() -> None:
    asked: list[int] = []

    def facts_of(pid: int) -> ProcessFacts:
        asked.append(pid)
        return {1: ProcessFacts("python3", 1000, A), 2: ProcessFacts()}[pid]

    joined = join(snapshot(process(1, 0), process(1, 1), process(2), process(3, container=B)), facts_of)
    assert [one.container_id for one in joined.readings[0].processes] == [A, "", B]
    assert [one.container_id for one in joined.readings[1].processes] == [A]
    assert [(one.name, one.user_id) for one in joined.readings[0].processes] == [
        ("python3", 1000),
        ("", None),
        ("", None),
    ]
    assert asked == [1, 2]


def test_what_the_probe_knows_of_a_process_itself_stays() -> None:
    known = replace(process(1, sm=7.0), name="trainer", user_id=0, mig_uuid="MIG-1")
    (joined,) = join(snapshot(known), lambda _: ProcessFacts("python3", 1000, A)).readings[0].processes
    assert joined == replace(known, container_id=A)


def test_use_is_summed_over_processes_and_devices() -> None:
    seen = snapshot(
        process(1, 0, 100, 30.0, A),
        process(2, 1, 50, 20.0, A),
        process(3, 1, 7, 1.0, B),
        process(4, 1, 9, 1.0),
    )
    docker_a, podman_b, idle = ContainerKey(DOCKER, A), ContainerKey(PODMAN, B), ContainerKey(DOCKER, "c" * 64)
    use = use_by_container(seen, [docker_a, podman_b, idle])
    assert set(use) == {docker_a, podman_b}
    assert (use[docker_a].memory_bytes, use[docker_a].sm_percent, use[docker_a].device_indexes) == (150, 50.0, (0, 1))
    assert (use[podman_b].memory_bytes, use[podman_b].device_indexes) == (7, (1,))


def test_a_part_that_the_driver_refuses_makes_the_sum_missing() -> None:
    seen = snapshot(process(1, 0, 100, 30.0, A), process(2, 0, UNTOLD, 20.0, A))
    key = ContainerKey(DOCKER, A)
    assert use_by_container(seen, [key])[key].memory_bytes == UNTOLD
    assert use_by_container(seen, [key])[key].sm_percent == 50.0


def test_cdi_names_by_index_or_uuid_and_only_where_listed() -> None:
    named = with_cdi_names(snapshot(devices=3), {"nvidia.com/gpu=0", "nvidia.com/gpu=GPU-2", "nvidia.com/gpu=all"})
    assert [one.device.cdi_name for one in named.readings] == ["nvidia.com/gpu=0", "", "nvidia.com/gpu=GPU-2"]


def test_cdi_names_of_mig_instances_and_of_another_vendor() -> None:
    mig = (MigInstance(0, "MIG-a"), MigInstance(1, "MIG-b"), MigInstance(2, "MIG-c"))
    devices = [GpuDevice(2, "GPU-2", "H100", "NVIDIA", mig=mig), GpuDevice(0, "x", "MI300X", "AMD")]
    seen = GpuSnapshot(tuple(GpuReading(one, 1.0) for one in (*devices, GpuDevice(0, "", "Arc", "Intel"))))
    named = with_cdi_names(seen, {"nvidia.com/gpu=2:0", "nvidia.com/gpu=MIG-b", "amd.com/gpu=0", "nvidia.com/gpu=0"})
    first, second, third = (one.device for one in named.readings)
    assert [one.cdi_name for one in first.mig] == ["nvidia.com/gpu=2:0", "nvidia.com/gpu=MIG-b", ""]
    assert (first.cdi_name, second.cdi_name, third.cdi_name) == ("", "amd.com/gpu=0", "")
    assert with_cdi_names(named, ()) == named


def test_use_names_the_devices_and_instances() -> None:
    on_instance = replace(process(1, 1, container=A), mig_uuid="MIG-a")
    use = use_by_container(snapshot(process(1, 0, container=A), on_instance), [ContainerKey(DOCKER, A)])
    (only,) = use.values()
    assert (only.device_uuids, only.mig_uuids) == (("GPU-0", "GPU-1"), ("MIG-a",))


processes = st.builds(
    process,
    st.integers(1, 9),
    st.integers(0, 1),
    st.one_of(st.integers(0, 1000), st.just(UNTOLD)),
    st.floats(0, 100),
    st.sampled_from(["", A, B]),
)


@given(st.lists(processes, max_size=12), st.dictionaries(st.integers(1, 9), st.sampled_from(["", A, B])))
def test_what_containers_take_is_what_their_processes_take(found: list[GpuProcess], where: Mapping[int, str]) -> None:
    joined = join(snapshot(*found), lambda pid: ProcessFacts(container_id=where.get(pid, "")))
    keys = [ContainerKey(DOCKER, A), ContainerKey(DOCKER, B)]
    use = use_by_container(joined, keys)
    for key in keys:
        mine = [one for one in found if (one.container_id or where.get(one.pid, "")) == key.id]
        assert (key in use) == bool(mine)
        if mine and not any(isinstance(one.memory_bytes, Missing) for one in mine):
            assert use[key].memory_bytes == sum(one.memory_bytes for one in mine if isinstance(one.memory_bytes, int))
        elif mine:
            assert use[key].memory_bytes == UNTOLD
