"""Processes on AMD's GPUs, by a tree of /proc and KFD that stands for a machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.gpu import amd_processes
from backends.gpu.amd_kfd import QUEUES_UNTOLD, nodes
from backends.gpu.amd_processes import ProcessReader
from backends.model.gpu import GpuProcess
from backends.model.values import NOT_SAMPLED, Quantity
from tests.unit.gpu.amd_tree import AmdMachine
from tests.unit.gpu.test_amd import FIRST, SECOND, Clock

UUIDS = {FIRST: "GPU-1", SECOND: "GPU-2"}
MIB = 1 << 20


@pytest.fixture
def machine(tmp_path: Path) -> AmdMachine:
    made = AmdMachine(tmp_path)
    made.kfd_node(0, "0", 0)
    made.kfd_node(1, "30381", 0x0300)
    made.kfd_node(2, "51764", 0x8300)
    return made


def reader(machine: AmdMachine, clock: Clock, links_a_time: int = 2000) -> ProcessReader:
    made = ProcessReader(machine.root / "proc", machine.root / "sys", clock, links_a_time)
    made.open()
    return made


def test_kfd_nodes_are_the_gpus_by_place(machine: AmdMachine) -> None:
    assert [(node.gpu_id, node.pci, node.cores) for node in nodes(machine.root / "sys")] == [
        ("30381", FIRST, 104),
        ("51764", SECOND, 104),
    ]


def test_use_is_the_difference_of_busy_time(machine: AmdMachine) -> None:
    clock = Clock()
    one = reader(machine, clock)
    machine.process(70)
    machine.client(70, 9, FIRST, 1, kib=2048, gfx=10**9, compute=10**9)
    assert one.read(UUIDS) == {FIRST: (GpuProcess(70, "GPU-1", 2 * MIB, NOT_SAMPLED),)}
    clock.now += 2.0
    machine.client(70, 9, FIRST, 1, kib=4096, gfx=10**9 + 200_000_000, compute=10**9 + 800_000_000)
    assert one.read(UUIDS) == {FIRST: (GpuProcess(70, "GPU-1", 4 * MIB, 50.0),)}


def test_busy_time_that_falls_back_counts_once_it_has_caught_up(machine: AmdMachine) -> None:
    clock = Clock()
    one = reader(machine, clock)
    machine.process(70)
    seen = []
    for busy_ms in (1000, 1500, 1200, 1600):
        machine.client(70, 9, FIRST, 1, compute=busy_ms * 1_000_000)
        seen.append(one.read(UUIDS)[FIRST][0].sm_percent)
        clock.now += 1.0
    assert seen[1:] == [50.0, 0.0, 10.0]


def test_a_client_that_descriptors_and_children_share_counts_once(machine: AmdMachine) -> None:
    one = reader(machine, Clock())
    for pid in (70, 71):
        machine.process(pid)
    machine.client(70, 9, FIRST, 1, kib=1024)
    machine.client(70, 10, FIRST, 1, kib=1024)  # dup()
    machine.client(71, 9, FIRST, 1, kib=1024)  # fork()
    machine.client(70, 11, FIRST, 2, kib=1024)
    machine.client(70, 12, SECOND, 1, kib=3072)  # another GPU's client 1
    assert one.read(UUIDS) == {
        FIRST: (GpuProcess(70, "GPU-1", 2 * MIB, NOT_SAMPLED),),
        SECOND: (GpuProcess(70, "GPU-2", 3 * MIB, NOT_SAMPLED),),
    }


def test_a_rocm_process_is_seen_by_kfd_alone(machine: AmdMachine) -> None:
    """As another user's: this reader sees its pid in KFD, and nothing of its descriptors."""
    one = reader(machine, Clock())
    machine.kfd_process(90, "30381", 512 * MIB, cores=26)
    machine.kfd_process(91, "51764", 5, cores=None)
    assert one.read(UUIDS) == {
        FIRST: (GpuProcess(90, "GPU-1", 512 * MIB, 25.0),),
        SECOND: (GpuProcess(91, "GPU-2", 5, QUEUES_UNTOLD),),
    }


@pytest.mark.parametrize(("cores", "percent"), [(52, 50.0), (0, 10.0), (None, QUEUES_UNTOLD)])
def test_of_two_accounts_of_one_process_the_larger_is_true(
    machine: AmdMachine, cores: int | None, percent: Quantity
) -> None:
    """Its own queues are in KFD only, its graphics in fdinfo only; memory is in both."""
    clock = Clock()
    one = reader(machine, clock)
    machine.process(90)
    for busy in (0, 100_000_000):
        machine.client(90, 9, FIRST, 1, kib=1024 * 300, gfx=busy)
        machine.kfd_process(90, "30381", 200 * MIB, cores)
        found = one.read(UUIDS)[FIRST]
        clock.now += 1.0
    assert found == (GpuProcess(90, "GPU-1", 300 * MIB, percent),)


def test_a_gpu_that_rocm_only_opened_is_none_of_the_process(machine: AmdMachine) -> None:
    one = reader(machine, Clock())
    machine.kfd_process(90, "30381", 512 * MIB, cores=0)
    machine.kfd_process(90, "51764", 0, cores=0)
    machine.kfd_process(91, "51764", 0, cores=None)
    machine.kfd_process(92, "51764", 0, cores=13)
    assert one.read(UUIDS) == {
        FIRST: (GpuProcess(90, "GPU-1", 512 * MIB, 0.0),),
        SECOND: (GpuProcess(92, "GPU-2", 0, 12.5),),
    }


def test_processes_of_gpus_that_are_gone_are_left_out(machine: AmdMachine) -> None:
    one = reader(machine, Clock())
    machine.process(70)
    machine.client(70, 9, SECOND, 1)
    machine.kfd_process(90, "51764", 5, cores=1)
    assert one.read({FIRST: "GPU-1"}) == {}


def test_a_process_that_ends_is_forgotten(machine: AmdMachine) -> None:
    one = reader(machine, Clock())
    machine.process(70)
    machine.client(70, 9, FIRST, 1)
    assert one.read(UUIDS)
    machine.end(70)
    assert one.read(UUIDS) == {}


def test_a_few_descriptors_are_looked_at_a_time_and_all_in_the_end(machine: AmdMachine) -> None:
    one = reader(machine, Clock(), links_a_time=10)
    for pid in range(100, 120):
        machine.process(pid, others=5)
    machine.client(119, 9, FIRST, 1)
    rounds = 1
    while not one.read(UUIDS):
        rounds += 1
        assert rounds < 50
    assert rounds > 5
    # Once found it is read each time, and an old process that opens a GPU is found in a later round.
    machine.client(100, 9, FIRST, 2)
    while len(one.read(UUIDS)[FIRST]) < 2:
        rounds += 1
        assert rounds < 100


def test_a_new_process_and_a_rocm_process_go_first(machine: AmdMachine) -> None:
    one = reader(machine, Clock(), links_a_time=10)
    for pid in range(100, 120):
        machine.process(pid, others=5)
    for _ in range(20):
        one.read(UUIDS)
    machine.process(500)
    machine.client(500, 9, FIRST, 1)
    assert [process.pid for process in one.read(UUIDS)[FIRST]] == [500]
    machine.client(104, 9, SECOND, 2, kib=7)
    machine.kfd_process(104, "51764", 1, cores=None)
    assert one.read(UUIDS)[SECOND] == (GpuProcess(104, "GPU-2", 7 * 1024, QUEUES_UNTOLD),)


class Locked(ProcessReader):
    """As an ordinary user, who may not list another user's /proc/PID/fd: tests may run as root, whom no mode stops."""

    def __init__(self, machine: AmdMachine, monkeypatch: pytest.MonkeyPatch, locked: set[int]) -> None:
        super().__init__(machine.root / "proc", machine.root / "sys", Clock())
        real = os.listdir

        def listdir(place: Path | str) -> list[str]:
            path = Path(place)
            if path.name == "fd" and int(path.parent.name) in locked:
                raise PermissionError(13, "Permission denied")
            return real(place)

        monkeypatch.setattr("backends.gpu.amd_processes.os.listdir", listdir)


def test_other_users_processes_are_told_to_be_hidden_where_kfd_does_not_list_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = AmdMachine(tmp_path)
    machine.process(70)
    machine.client(70, 9, FIRST, 1)
    machine.process(71)
    one = Locked(machine, monkeypatch, {71})
    assert len(one.read(UUIDS)[FIRST]) == 1
    assert one.refused == amd_processes.HIDDEN


def test_with_kfd_the_list_of_computing_processes_is_whole(
    machine: AmdMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.process(71)
    machine.kfd_process(71, "30381", 5, cores=None)
    machine.kfd_process(72, "30381", 5, cores=104)
    one = Locked(machine, monkeypatch, {71})
    one.open()
    assert one.read(UUIDS)[FIRST] == (
        GpuProcess(71, "GPU-1", 5, amd_processes.NO_FDINFO),
        GpuProcess(72, "GPU-1", 5, 100.0),
    )
    assert one.refused == ""
